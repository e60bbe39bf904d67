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


def imu(stamp_ns, force, rates=(0, 0, 0), frame='camera', rates_variance=0.0):
    vectors = [SimpleNamespace(x=x, y=y, z=z) for x, y, z in (force, rates)]
    stamp = SimpleNamespace(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp, frame_id=frame),
                           linear_acceleration=vectors[0], angular_velocity=vectors[1],
                           angular_velocity_covariance=[rates_variance, *[0.0] * 8])


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
    extrinsics.add_imu(imu(3 * SECOND, at_rest(0.1)))
    assert '2.00 s newer' in extrinsics.ground('camera', SECOND).notice


def test_gravity_is_that_of_the_pictures_stamp():
    """Pictures are processed when the imu is already further on."""
    extrinsics = Extrinsics(height=1.5)
    for index in range(200):
        extrinsics.add_imu(imu(index * SECOND // 100, at_rest(0.0), rates=(-0.1, 0, 0)))
    pitches = [extrinsics.ground('camera', int(stamp * SECOND)).plane.pitch
               for stamp in (1.2, 1.6, 1.99)]
    assert np.diff(pitches) == pytest.approx([0.02, 0.02], abs=0.01)
    assert extrinsics.ground('camera', 0).source == 'parameters'


@pytest.mark.parametrize('imu_pitch', [0.0, -0.4])
def test_gravity_that_points_up_is_refused(imu_pitch):
    extrinsics, hanging = Extrinsics(height=1.5), Extrinsics(height=1.5, roll=math.pi)
    upside_down = imu(0, -at_rest(imu_pitch))
    extrinsics.add_imu(upside_down)
    hanging.add_imu(upside_down)
    with pytest.raises(GroundError, match='gravity of the imu points up.*REP-145.*camera_roll'):
        extrinsics.ground('camera', 0)
    assert abs(hanging.ground('camera', 0).plane.roll) == pytest.approx(math.pi)


@pytest.mark.parametrize(('pitch', 'roll'), [(math.pi / 2, 0.0), (1.6, 0.0), (0.0, 1.6)])
def test_a_camera_on_its_side_or_looking_straight_down_is_not_upside_down(pitch, roll):
    extrinsics = Extrinsics(height=1.5)
    extrinsics.add_imu(imu(0, at_rest(pitch, roll)))
    assert extrinsics.ground('camera', 0).source == 'gravity'


def test_a_transform_that_lapses_is_not_replaced_by_something_worse():
    transforms = TransformBuffer()
    for stamp in (0, SECOND):
        transforms.set('base_footprint', 'camera', np.array([0.3, 0, 1.2]), OPTICAL, stamp)
    extrinsics = Extrinsics(height=1.5, transforms=transforms)
    assert extrinsics.ground('camera', -SECOND).source == 'parameters'
    assert extrinsics.ground('camera', SECOND // 2).source == 'transform'
    with pytest.raises(GroundError, match='came from transforms until now.*raise tf_timeout'):
        extrinsics.ground('camera', 2 * SECOND)
    assert extrinsics.ground('camera', SECOND).source == 'transform'
    extrinsics.restart()
    assert extrinsics.ground('camera', 2 * SECOND).source == 'parameters'


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


@pytest.mark.parametrize('force', [
    (0, 0, 0), (math.nan, 0, 9.8), (math.inf, 0, 0), (0, -1, 0), (0, 0, 981)])
def test_force_of_no_imu(force):
    with pytest.raises(GroundError, match=r'linear_acceleration is .* m/s\^2.*REP-145'):
        GravityFilter().update(imu(0, force))


@pytest.mark.parametrize('unknown', [
    {'rates': (math.nan,) * 3}, {'rates': (9, 9, 9), 'rates_variance': -1.0}])
def test_an_imu_without_gyroscope_is_used(unknown):
    gravity = GravityFilter()
    for index in range(3):
        gravity.update(imu(index * SECOND // 100, at_rest(0.2), **unknown))
    assert math.asin(gravity.latest.down[2]) == pytest.approx(0.2)
