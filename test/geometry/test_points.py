"""Organised points, and obstacles of scenes whose distances are known."""

import math

import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import FAR
from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.geometry.points import free_ways
from deepsight_ros.geometry.points import in_the_way
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.geometry.points import Robot
from deepsight_ros.geometry.points import SIDEWAYS

CAMERA = Camera(160, 120, 120.0, 120.0, 79.5, 59.5)
ROBOT = Robot(width=0.6, height=1.2, min_obstacle_height=0.1)


def level_scene(height, pitch, roll, boxes=()):
    """
    Depth of a flat floor with boxes standing on it.

    A box is forward distance, left edge, right edge (y, left is positive) and height: a board
    across the view.
    """
    ground = GroundPlane.from_height(height, pitch, roll)
    depth = ground.depth(CAMERA)
    # Directions of the rays in the frame x forward, y left, z up.
    rays = above_ground(CAMERA.rays, ground) - np.array([0, 0, height], np.float32)
    for forward, left, right, tall in boxes:
        scale = np.where(rays[..., 0] > 0, forward / rays[..., 0], np.inf)
        y, z = scale * rays[..., 1], height + scale * rays[..., 2]
        hit = (y <= left) & (y >= right) & (z >= 0) & (z <= tall)
        depth = np.where(hit & ~(depth < scale), scale, depth).astype(np.float32)
    return above_ground(organised_points(depth, CAMERA), ground)


@pytest.mark.parametrize(('height', 'pitch', 'roll'),
                         [(0.3, 0.0, 0.0), (1.0, 0.4, 0.05), (1.6, 0.2, -0.1)])
def test_the_floor_lies_at_height_zero_and_is_no_obstacle(height, pitch, roll):
    points = level_scene(height, pitch, roll)
    floor = points[np.isfinite(points[..., 2])]
    assert len(floor) > 2000
    np.testing.assert_allclose(floor[:, 2], 0.0, atol=1e-4 * np.abs(floor).max())
    assert first_obstacle(points, ROBOT) is None


@pytest.mark.parametrize(('height', 'pitch'), [(0.3, 0.0), (1.0, 0.3), (1.6, 0.2)])
def test_a_box_ahead_is_met_at_its_distance(height, pitch):
    points = level_scene(height, pitch, 0.0, [(3.0, 0.2, -0.2, 0.5)])
    found = first_obstacle(points, ROBOT)
    assert found is not None
    assert found.distance == pytest.approx(3.0, abs=1e-3)
    column, row = found.pixel
    assert points[row, column, 2] >= ROBOT.min_obstacle_height
    assert abs(points[row, column, 1]) < 0.21


def test_only_the_swept_volume_counts():
    beside = [(2.0, 1.2, 0.5, 1.0)]
    low = [(2.0, 0.5, -0.5, 0.08)]
    assert first_obstacle(level_scene(0.5, 0.1, 0.0, beside), ROBOT) is None
    assert first_obstacle(level_scene(0.5, 0.1, 0.0, low), ROBOT) is None
    wide = Robot(width=1.2, height=1.2, min_obstacle_height=0.1)
    found = first_obstacle(level_scene(0.5, 0.1, 0.0, beside), wide)
    assert found is not None and found.distance == pytest.approx(2.0, abs=1e-3)
    below_a_table = level_scene(0.5, 0.0, 0.0, [(2.0, 0.5, -0.5, 1.0)])
    assert first_obstacle(below_a_table, Robot(0.6, 0.3, 0.1)) is not None


def test_directions_turn_to_the_left_with_positive_bearings():
    points = level_scene(0.5, 0.1, 0.0, [(2.0, 1.3, 0.6, 1.0)])
    bearing = math.atan2(0.95, 2.0)
    left = first_obstacle(points, ROBOT, bearing)
    assert left is not None
    # The board stands across the view: at the robot's left side its way is shorter.
    assert 1.9 < left.distance < math.hypot(2.0, 0.95) + 0.05
    assert first_obstacle(points, ROBOT, -bearing) is None


def test_a_single_wrong_pixel_is_no_obstacle():
    points = level_scene(0.5, 0.1, 0.0, [(3.0, 0.3, -0.3, 0.8)])
    points[60, 80] = (0.4, 0.0, 0.5)
    found = first_obstacle(points, ROBOT)
    assert found is not None and found.distance == pytest.approx(3.0, abs=1e-3)


def test_holes_stay_holes():
    depth = np.full((120, 160), 2.0, np.float32)
    depth[0, :4] = (np.nan, np.inf, 0.0, -1.0)
    points = organised_points(depth, CAMERA)
    assert np.isnan(points[0, :4]).all()
    assert np.isfinite(points[0, 4:]).all()
    assert not in_the_way(above_ground(points, GroundPlane.from_height(0.5)), ROBOT)[0, :4].any()


def test_bad_input_is_named():
    with pytest.raises(CameraError, match='100x80|100, 80'):
        organised_points(np.ones((80, 100), np.float32), CAMERA)
    with pytest.raises(GroundError, match='straight along gravity'):
        above_ground(np.ones((1, 3), np.float32), GroundPlane.from_height(1.0, pitch=1.5))
    with pytest.raises(GroundError, match='robot: width'):
        Robot(width=0.0)
    with pytest.raises(GroundError, match='min_obstacle_height'):
        Robot(height=0.1, min_obstacle_height=0.2)


def test_ways_to_the_left_ahead_and_right():
    """Walls 2, 4 and 3 m away in the three thirds of a picture; nothing where nothing is seen."""
    ground = GroundPlane.from_height(1.0)
    depth = np.repeat(np.array([2.0, 4.0, 3.0], np.float32), [53, 54, 53])[None].repeat(120, 0)
    points = above_ground(organised_points(depth, CAMERA), ground)
    ways = free_ways(points, CAMERA, Robot(width=0.2))
    assert ways['ahead'] == pytest.approx(4.0)
    turn = SIDEWAYS * 2 * math.atan2(80.0, 120.0)
    assert ways['left'] == pytest.approx(2.0 / math.cos(turn), rel=0.05)
    assert ways['right'] == pytest.approx(3.0 / math.cos(turn), rel=0.05)
    assert free_ways(points[::2, ::2], CAMERA, Robot(width=0.2)) == pytest.approx(ways, rel=0.05)
    nothing = np.full_like(points, np.nan)
    assert set(free_ways(nothing, CAMERA, ROBOT).values()) == {FAR}
