"""Pitch found in painted roads, where it is known, and on real ones, where LiDAR knows it."""

from dataclasses import replace
from pathlib import Path
import sys

import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry.ground_refinement import GroundRefiner

sys.path.insert(0, str(Path(__file__).parent))

from painted_road import CAMERA  # noqa: E402
from painted_road import level_camera  # noqa: E402
from painted_road import paint_road  # noqa: E402


def pitch_error(plane, truth):
    return abs(np.degrees(plane.pitch - truth.pitch))


def road_ahead(below, slope_degrees):
    """Ground that bends where the view of it begins: what lies ahead, as seen from the camera."""
    ahead = below.tilted(np.radians(slope_degrees))
    begin = below.height / np.tan(np.arctan(CAMERA.ray_y[-1]) + below.pitch)
    return replace(ahead, height=below.height + begin * np.tan(np.radians(slope_degrees)))


def known_to(plane, mount_degrees):
    return replace(plane, mount_sigma=np.radians(mount_degrees))


@pytest.mark.parametrize('error', [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_one_picture_shows_the_pitch(error):
    truth = level_camera(1.0)
    picture, classes = paint_road(truth, yaw=0.05)
    plane = GroundRefiner(CAMERA).update(picture, level_camera(1.0 + error), classes)
    assert pitch_error(plane, truth) < 0.1
    assert pitch_error(plane, truth) < 3 * np.degrees(plane.pitch_sigma)
    assert plane.height == pytest.approx(truth.height, rel=0.03)
    assert abs(plane.height - truth.height) < plane.height_sigma
    unrefined = level_camera(1.0 + error).uncertainty(CAMERA)
    assert np.nanmedian(plane.uncertainty(CAMERA) / unrefined) < 0.5


@pytest.mark.parametrize('mount', [0.1, 1.0, 2.0])
@pytest.mark.parametrize('error', [-2.0, 1.0])
def test_pictures_without_classes_show_the_pitch_together(mount, error):
    refiner, truth = GroundRefiner(CAMERA), level_camera(1.0)
    for index in range(5):
        picture, _ = paint_road(truth, yaw=0.05, travelled=1.0 * index, seed=index)
        plane = refiner.update(picture, known_to(level_camera(1.0 + error), mount))
    assert pitch_error(plane, truth) < 0.1


def test_weak_lines_do_not_move_a_prior_that_is_known_well():
    """Without classes a picture says little: three convince a vague prior, not a tight one."""
    truth, planes = level_camera(1.0), []
    for mount in (2.0, 0.1):
        refiner, prior = GroundRefiner(CAMERA), known_to(level_camera(-2.0), mount)
        for index in range(3):
            picture, _ = paint_road(truth, yaw=0.05, travelled=1.0 * index, seed=index)
            plane = refiner.update(picture, prior)
        planes.append(plane)
    assert pitch_error(planes[0], truth) < 0.1
    assert planes[1] is prior


@pytest.mark.parametrize('slope', [-1.5, 1.5])
def test_the_slope_of_the_road_ahead_moves_the_plane_below_the_camera(slope):
    """A mount that is known well cannot have changed the pitch, so the road bends."""
    below = level_camera(0.5)
    truth = road_ahead(below, slope)
    assert abs(truth.height - below.height) > 0.1
    picture, classes = paint_road(truth, yaw=0.05)
    calibrated = GroundRefiner(CAMERA).update(picture, known_to(below, 0.1), classes)
    assert pitch_error(calibrated, truth) < 0.15
    assert calibrated.height == pytest.approx(truth.height, abs=0.02)
    by_hand = GroundRefiner(CAMERA).update(picture, known_to(below, 2.0), classes)
    assert abs(by_hand.height - below.height) < 0.3 * abs(truth.height - below.height)
    assert by_hand.height_sigma > 2 * calibrated.height_sigma


def test_a_long_lens_does_not_lift_the_plane_without_bounds():
    """The ground in view begins seven camera heights ahead, past more than one bend."""
    camera = Camera(800, 300, 1000.0, 1000.0, 395.0, 120.0)
    truth, refiner = level_camera(-1.0), GroundRefiner(camera)
    for index in range(2):
        picture, classes = paint_road(truth, camera, seed=index)
        plane = refiner.update(picture, known_to(level_camera(1.0), 0.1), classes)
    assert pitch_error(plane, truth) < 0.15
    assert 0.82 < plane.height / truth.height < 0.95


@pytest.mark.parametrize('roll', [-4.0, 3.0])
@pytest.mark.parametrize('yaw', [-0.25, 0.2])
def test_a_rolled_camera_that_looks_aside(roll, yaw):
    truth = level_camera(-1.5, roll)
    picture, classes = paint_road(truth, yaw=yaw)
    plane = GroundRefiner(CAMERA).update(picture, level_camera(0.0, roll), classes)
    assert pitch_error(plane, truth) < 0.15
    assert plane.roll == pytest.approx(truth.roll)


def test_pitch_is_followed_while_driving():
    """A swaying camera set wrong by two degrees."""
    refiner, errors, sigmas = GroundRefiner(CAMERA), [], []
    for index in range(12):
        truth = level_camera(0.25 * np.sin(0.5 * index))
        picture, classes = paint_road(truth, travelled=1.0 * index, seed=index)
        plane = refiner.update(picture, level_camera(-2.0), classes, 0.1 * index)
        errors.append(pitch_error(plane, truth))
        sigmas.append(plane.pitch_sigma)
    assert np.median(errors) < 0.08
    assert np.quantile(errors, 0.9) < 0.15
    assert sigmas[-1] < sigmas[0]


def test_later_pictures_without_lines_keep_the_correction_and_widen_its_sigma():
    truth = level_camera(1.0)
    picture, classes = paint_road(truth)
    refiner = GroundRefiner(CAMERA)
    first = refiner.update(picture, level_camera(0.0), classes, 0.0)
    later = refiner.update(np.full_like(picture, 128), level_camera(0.0), classes, 1.0)
    assert pitch_error(later, truth) < 0.1
    assert later.pitch_sigma > 1.5 * first.pitch_sigma


def test_the_filter_recovers_from_another_pitch():
    """The camera was pushed: three degrees from one picture to the next."""
    refiner, prior = GroundRefiner(CAMERA), level_camera(0.0)
    for index in range(6):
        picture, classes = paint_road(level_camera(-1.5), seed=index)
        refiner.update(picture, prior, classes, 0.1 * index)
    truth = level_camera(1.5)
    for index in range(6, 10):
        picture, classes = paint_road(truth, seed=index)
        plane = refiner.update(picture, prior, classes, 0.1 * index)
    assert pitch_error(plane, truth) < 0.1


def test_pictures_without_evidence_leave_the_prior_alone():
    prior = level_camera(0.5)
    classes = np.full((75, 200), SceneClass.ROAD, np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (300, 800, 3), np.uint8)
    for picture in (np.zeros_like(noise), np.full_like(noise, 255), noise):
        assert GroundRefiner(CAMERA).update(picture, prior, classes) is prior


def test_lines_on_walls_say_nothing():
    """A painted wall, and a floor that ends two camera heights away."""
    picture, classes = paint_road(level_camera(1.0))
    prior = level_camera(0.0)
    wall = np.full_like(classes, SceneClass.STRUCTURE)
    assert GroundRefiner(CAMERA).update(picture, prior, wall) is prior
    room = np.full((75, 200), SceneClass.STRUCTURE, np.uint8)
    room[int(75 * (140 + 230) / 300) - 20:] = SceneClass.TERRAIN
    assert GroundRefiner(CAMERA).update(picture, prior, room) is prior


@pytest.mark.parametrize('pitch', [-40.0, 40.0])
def test_a_horizon_outside_the_picture_is_not_sought(pitch):
    picture, classes = paint_road(level_camera(0.0))
    prior = level_camera(pitch)
    assert GroundRefiner(CAMERA).update(picture, prior, classes) is prior


def test_reset_and_stamps_that_jump_back_forget():
    picture, classes = paint_road(level_camera(1.0))
    blank, prior = np.zeros_like(picture), level_camera(0.0)
    refiner = GroundRefiner(CAMERA)
    assert refiner.update(picture, prior, classes, 10.0) is not prior
    assert refiner.update(blank, prior, classes, 9.0) is prior
    assert refiner.update(picture, prior, classes, 10.0) is not prior
    refiner.reset()
    assert refiner.update(blank, prior, classes, 10.1) is prior


def test_same_pictures_give_the_same_planes():
    pictures = [paint_road(level_camera(0.3), travelled=index, seed=index) for index in range(3)]

    def planes():
        refiner = GroundRefiner(CAMERA)
        return [refiner.update(picture, level_camera(0.0), classes, 0.1 * index)
                for index, (picture, classes) in enumerate(pictures)]

    assert planes() == planes()


def test_grey_pictures_and_coarse_classes():
    truth = level_camera(1.0)
    picture, classes = paint_road(truth)
    plane = GroundRefiner(CAMERA).update(
        np.ascontiguousarray(picture[..., 0]), level_camera(0.0), classes[1::4, 1::4])
    assert pitch_error(plane, truth) < 0.1


def test_large_pictures_are_worked_on_at_a_smaller_size():
    camera = Camera(1600, 600, 920.0, 920.0, 790.0, 280.0)
    truth = level_camera(1.0)
    picture, classes = paint_road(truth, camera)
    plane = GroundRefiner(camera).update(picture, level_camera(-1.0), classes)
    assert pitch_error(plane, truth) < 0.1


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(GroundError, match='800x300'):
        GroundRefiner(CAMERA).update(np.zeros((10, 20, 3), np.uint8), level_camera(0.0))
