"""Boxes from jumps of depth: a chair and no floor, whatever the sensor leaves out."""

import time

import cv2
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.depth_input import depth_input
from deepsight_ros.perception.regions import find_regions
from deepsight_ros.perception.regions import REGIONS

SIZE = (160, 128)
CAMERA = Camera(*SIZE, 120.0, 120.0, 79.5, 63.5)
CHAIR = (50, 60, 90, 110)
"""Left, top, right, bottom in pixels, at 2 m; its feet are where the floor is at 2 m."""


def floor_and_wall(pitch: float = 0.0, wall: float = 4.0) -> np.ndarray:
    """Depth of a floor 0.78 m below the camera, and of a wall behind it."""
    with np.errstate(invalid='ignore'):
        floor = GroundPlane.from_height(0.78, pitch).depth(CAMERA)
        return np.where(floor < wall, floor, np.float32(wall)).astype(np.float32)


def with_chair(depth: np.ndarray) -> np.ndarray:
    """Seat and back with two legs, upright at 2 m."""
    left, top, right, bottom = CHAIR
    shape = np.zeros(depth.shape, bool)
    shape[top:top + 30, left:right] = True
    shape[top + 30:bottom, [left, left + 1, right - 2, right - 1]] = True
    return np.where(shape, np.float32(2.0), depth)


def overlap(boxes: np.ndarray, wanted: tuple[int, ...]) -> float:
    """Largest intersection over union of a box with one in pixels."""
    goal = np.array(wanted) / (*SIZE, *SIZE)
    corner = np.minimum(boxes[:, 2:], goal[2:]) - np.maximum(boxes[:, :2], goal[:2])
    common = corner.clip(0).prod(1)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (goal[2:] - goal[:2]).prod()
    return float((common / (sizes - common)).max())


def test_a_chair_in_front_of_a_wall_is_found():
    boxes = find_regions(with_chair(floor_and_wall()))
    assert overlap(boxes, CHAIR) > 0.8
    assert np.count_nonzero(boxes[:, 2]) == 1


def test_it_is_found_in_noise_and_holes():
    rng = np.random.default_rng(0)
    depth = with_chair(floor_and_wall())
    depth += 2e-3 * depth ** 2 * rng.standard_normal(depth.shape).astype(np.float32)
    depth[60:110, 46:50] = 0  # the shadow of a projector
    depth[rng.random(depth.shape) < 0.02] = 0
    assert overlap(find_regions(depth), CHAIR) > 0.7


@pytest.mark.parametrize('pitch', [-0.2, 0.0, 0.3, 1.2])
def test_planes_have_none(pitch: float):
    assert not find_regions(floor_and_wall(pitch)).any()
    assert not find_regions(floor_and_wall(pitch, wall=60.0)).any()


def test_a_floor_that_was_enlarged_has_none():
    small = cv2.resize(floor_and_wall(0.1, 8.0), (160, 120), interpolation=cv2.INTER_NEAREST)
    shown = depth_input(small, CAMERA.scaled(160, 120), None, Robot(), SIZE)
    assert not find_regions(shown.depth).any()


def test_nothing_measured_has_none():
    assert not find_regions(np.zeros((128, 160), np.float32)).any()


def test_their_number_is_bounded_and_the_largest_come_first():
    rng = np.random.default_rng(1)
    depth = np.full((128, 160), 5.0, np.float32)
    for column in range(4, 150, 16):
        for row in range(4, 120, 14):
            depth[row:row + rng.integers(6, 10), column:column + 8] = rng.uniform(1.0, 3.0)
    boxes = find_regions(depth)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    assert boxes.shape == (REGIONS, 4)
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 1e-6).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 1


def test_it_is_fast():
    depth = with_chair(floor_and_wall())
    times = []
    for _ in range(20):
        started = time.perf_counter()
        find_regions(depth)
        times.append(time.perf_counter() - started)
    assert min(times) < 5e-3
