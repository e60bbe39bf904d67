"""The ground below the camera: which source wins, and what is said when one is missing."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.gravity import GravityFilter
from deepsight_ros.perception.gravity import STANDARD_GRAVITY

SECOND = 1_000_000_000
# Optical frame (x right, y down, z forward) in a body frame (x forward, y left, z up): REP-103.
OPTICAL = np.array([-0.5, 0.5, -0.5, 0.5])


def imu(stamp_ns, force, rates=(0, 0, 0), frame='camera'):
    vectors = [SimpleNamespace(x=x, y=y, z=z) for x, y, z in (force, rates)]
    stamp = SimpleNamespace(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp, frame_id=frame),
                           linear_acceleration=vectors[0], angular_velocity=vectors[1])


def at_rest(pitch, roll=0.0):
    """Specific force in the optical frame of a camera that looks down by ``pitch``."""
    return -STANDARD_GRAVITY * np.array(GroundPlane.from_height(1, pitch, roll).normal)


def robot(height=1.2):
    transforms = TransformBuffer()
    transforms.set('base_footprint', 'camera', np.array([0.3, 0, height]), OPTICAL)
    return transforms


def test_transform_wins():
    extrinsics = Extrinsics(height=9, pitch=0.5, transforms=robot())
    extrinsics.add_imu(imu(SECOND, at_rest(0.3)))
    ground = extrinsics.ground('camera', SECOND)
    assert (ground.source, ground.notice) == ('transform', '')
    assert ground.plane.height == pytest.approx(1.2)
    assert ground.plane.pitch == pytest.approx(0, abs=1e-6)


def test_gravity_is_next():
    extrinsics = Extrinsics(height=1.5, pitch=0.5, transforms=TransformBuffer())
    extrinsics.add_imu(imu(SECOND, at_rest(0.1, -0.05)))
    ground = extrinsics.ground('camera', SECOND)
    assert ground.source == 'gravity'
    assert 'base_footprint' in ground.notice
    assert (ground.plane.height, ground.plane.pitch, ground.plane.roll) == pytest.approx(
        (1.5, 0.1, -0.05))


def test_numbers_are_last():
    ground = Extrinsics(height=1.5, pitch=0.1, roll=0.2).ground('camera', 0)
    assert (ground.source, ground.notice) == ('parameters', '')
    assert (ground.plane.height, ground.plane.pitch, ground.plane.roll) == pytest.approx(
        (1.5, 0.1, 0.2))


def test_each_source_says_how_well_it_knows_the_mount():
    extrinsics = Extrinsics(height=1.5)
    by_hand = extrinsics.ground('camera', 0).plane.mount_sigma
    extrinsics.add_imu(imu(0, at_rest(0.1)))
    by_gravity = extrinsics.ground('camera', 0).plane.mount_sigma
    by_transform = Extrinsics(transforms=robot()).ground('camera', 0).plane.mount_sigma
    assert 0 < by_transform < by_gravity < by_hand


def test_imu_frame_is_turned_into_the_cameras():
    transforms = TransformBuffer()
    transforms.set('imu', 'camera', np.zeros(3), OPTICAL)
    extrinsics = Extrinsics(height=1.5, transforms=transforms)
    tilt = 0.1  # nose down: gravity has a forward part in the body frame
    extrinsics.add_imu(imu(0, (-STANDARD_GRAVITY * math.sin(tilt), 0,
                               STANDARD_GRAVITY * math.cos(tilt)), frame='imu'))
    ground = extrinsics.ground('camera', 0)
    assert ground.source == 'gravity'
    assert ground.plane.pitch == pytest.approx(tilt)


def test_imu_of_another_frame_without_transforms_is_not_used():
    extrinsics = Extrinsics(height=1.5)
    extrinsics.add_imu(imu(0, at_rest(0.1), frame='imu'))
    ground = extrinsics.ground('camera', 0)
    assert ground.source == 'parameters'
    assert 'set camera_pitch' in ground.notice


def test_old_gravity_is_not_used():
    extrinsics = Extrinsics(height=1.5)
    extrinsics.add_imu(imu(0, at_rest(0.1)))
    ground = extrinsics.ground('camera', SECOND)
    assert ground.source == 'parameters'
    assert '1.00 s older' in ground.notice


def test_missing_transform_without_height():
    extrinsics = Extrinsics(transforms=TransformBuffer())
    with pytest.raises(GroundError, match='base_footprint.*set camera_height'):
        extrinsics.ground('camera', 0)


def test_camera_below_the_ground_frame():
    with pytest.raises(GroundError, match='fix the transform'):
        Extrinsics(height=1.5, transforms=robot(height=-0.2)).ground('camera', 0)


@pytest.mark.parametrize('height', [0.0, -1.0])
def test_height_that_no_camera_has(height):
    with pytest.raises(GroundError, match='set camera_height'):
        Extrinsics(height=height)


def test_filter_follows_a_turn_and_forgets_a_braking():
    gravity, rate, turn = GravityFilter(), 0.01, math.radians(20)
    stamps = np.arange(0, 1, rate)
    for stamp in stamps:  # nose down by 20 degrees within a second, braking with 3 m/s^2
        braking = np.array([0, 0, -3.0])
        gravity.update(imu(int(stamp * SECOND), at_rest(turn * stamp) + braking * (stamp > 0.5),
                           rates=(-turn, 0, 0)))
    pitch = math.asin(gravity.latest.down[2])
    by_force = math.atan2(3, STANDARD_GRAVITY)
    assert abs(pitch - turn * stamps[-1]) < 0.25 * by_force
    for stamp in np.arange(1, 11, rate):
        gravity.update(imu(int(stamp * SECOND), at_rest(turn)))
    assert math.asin(gravity.latest.down[2]) == pytest.approx(turn, abs=math.radians(0.1))


@pytest.mark.parametrize('stamp', [-5 * SECOND, 60 * SECOND])
def test_filter_starts_again_after_a_jump(stamp):
    gravity = GravityFilter()
    gravity.update(imu(0, at_rest(0.3)))
    gravity.update(imu(stamp, at_rest(0.0)))
    assert math.asin(gravity.latest.down[2]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize('force', [(0, 0, 0), (math.nan, 0, 9.8), (math.inf, 0, 0)])
def test_force_of_no_imu(force):
    with pytest.raises(GroundError, match='REP-145'):
        GravityFilter().update(imu(0, force))
