"""Embodied scene depth on analytic scenes: boxes on a plane, cast ray by ray."""

from dataclasses import dataclass
from dataclasses import replace
from functools import partial

from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import EmbodiedSceneDepth
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import Label
from deepsight_ros.geometry import OUTSIDE
from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry import VOID
from deepsight_ros.geometry.embodied_depth import FILLED_RELATIVE_SIGMA
from deepsight_ros.geometry.fill import fill

CAMERA = Camera(1242, 375, 720.0, 720.0, 610.0, 173.0)
STREET = GroundPlane.from_height(1.65)
ROAD, PAVEMENT = SceneClass.ROAD, SceneClass.PAVEMENT
WALL, CAR, PERSON, SKY = (
    SceneClass.STRUCTURE, SceneClass.VEHICLE, SceneClass.PERSON, SceneClass.SKY)


@dataclass(frozen=True)
class Box:
    """Upright box: x to the right, z ahead, height above the ground from ``bottom`` to ``top``."""

    scene_class: int
    left: float
    right: float
    near: float
    far: float
    top: float
    bottom: float = 0.0


def cast(boxes, camera=CAMERA, height=1.65, road_half_width=4.0, pitch=0.0, roll=0.0):
    """Classes [H, W] and true depth [H, W] of boxes on a plane; the sky is at infinity."""
    c, s = np.cos(roll), np.sin(roll)
    rays = camera.rays.astype(np.float64) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    c, s = np.cos(pitch), np.sin(pitch)
    rays = rays @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    with np.errstate(all='ignore'):
        depth = np.where(rays[..., 1] > 0, height / rays[..., 1], np.inf)
        classes = np.where(np.abs(depth * rays[..., 0]) < road_half_width, ROAD, PAVEMENT)
        classes = np.where(np.isfinite(depth), classes, SKY).astype(np.uint8)
        for box in boxes:
            low = np.array([box.left, height - box.top, box.near])
            high = np.array([box.right, height - box.bottom, box.far])
            first, second = low / rays, high / rays
            enter = np.fmin(first, second).max(axis=-1)
            leave = np.fmax(first, second).min(axis=-1)
            hit = (enter <= leave) & (enter > 0) & (enter < depth)
            depth[hit], classes[hit] = enter[hit], box.scene_class
    return classes, depth


def seen(boxes, size=(320, 96), **scene):
    """Result for the class map of ``size``, with true classes and depth of the full picture."""
    classes, depth = cast(boxes, **scene)
    camera = scene.get('camera', CAMERA)
    small, _ = cast(boxes, **(scene | {'camera': camera.scaled(*size)}))
    ground = GroundPlane.from_height(
        scene.get('height', 1.65), scene.get('pitch', 0.0), scene.get('roll', 0.0))
    return EmbodiedSceneDepth(camera)(small, ground), classes, depth


def error(result, depth, where):
    """Median relative error of the depth ``where`` something is."""
    return float(np.median(result.depth[where] / depth[where] - 1))


def test_labels_are_the_wire_contract():
    assert [label.value for label in Label] == [0, 1, 2, 3, 4, 5]
    assert [label.name for label in Label] == [
        'NONE', 'ROAD', 'GROUND', 'VERTICAL', 'FILLED', 'SKY']


def test_ground_is_exact_at_every_pixel():
    result, classes, depth = seen([])
    ground = (result.label <= Label.GROUND) & (classes <= PAVEMENT) & (depth < 60)
    np.testing.assert_allclose(result.depth[ground], depth[ground], rtol=1e-4)
    assert np.isin(result.label[ground], (Label.ROAD, Label.GROUND)).all()
    assert (result.depth[:150] == np.inf).all()
    assert (result.label[:150] == Label.SKY).all()


def test_each_step_can_be_asked_for_alone():
    classes, _ = cast([Box(WALL, -2, 2, 20, 21, 5)])
    compute = EmbodiedSceneDepth(CAMERA)
    scene = compute(classes, STREET)
    for step, last in (('road', Label.ROAD), ('ground', Label.GROUND)):
        result = compute(classes, STREET, step=step)
        asked = (scene.label >= Label.ROAD) & (scene.label <= last)
        asked &= np.isfinite(result.depth)
        np.testing.assert_array_equal(result.depth[asked], scene.depth[asked])
        assert result.label.max() == last
        assert np.isnan(result.depth[result.label == Label.NONE]).all()
    assert (compute(classes, STREET, step='road').label == Label.GROUND).sum() == 0


@given(st.floats(4, 35), st.floats(-0.1, 0.25), st.floats(0.4, 2.0))
@settings(max_examples=20, deadline=None)
def test_a_wall_ahead_has_the_depth_of_its_foot(distance, pitch, height):
    box = Box(WALL, -3, 3, distance, distance + 1, 4)
    foot = np.tan(np.arctan2(height, distance) - pitch) * CAMERA.fy + CAMERA.cy
    assume(foot < 0.95 * CAMERA.height and distance < 50 * height)
    result, classes, depth = seen([box], height=height, pitch=pitch)
    wall = (classes == WALL) & (result.label == Label.VERTICAL)
    assert wall.sum() > 0.9 * (classes == WALL).sum()
    row = CAMERA.height / 96 / CAMERA.fy * distance / height
    assert abs(error(result, depth, wall)) < 1.5 * row + 0.01


@pytest.mark.parametrize('roll', [0, 1.5, -5, 10, 20, -45, 90, 135, 180])
def test_a_wall_stands_on_the_floor_however_the_camera_is_rolled(roll):
    camera = Camera(640, 480, 500.0, 505.0, 315.0, 243.0)
    result, classes, depth = seen(
        [Box(WALL, -20, 20, 8, 9, 3)], size=(160, 120), camera=camera, pitch=0.05,
        roll=np.radians(roll))
    wall = np.abs(result.depth[classes == WALL] / depth[classes == WALL] - 1)
    assert (wall < 0.1).mean() > 0.98
    ground = (classes <= PAVEMENT) & (depth < 7)
    np.testing.assert_allclose(result.depth[ground], depth[ground], rtol=0.01)


@pytest.mark.parametrize('roll', [-30, 45])
def test_what_the_corner_of_a_rolled_picture_cuts_off_goes_on_as_the_rest_does(roll):
    camera = Camera(640, 480, 500.0, 500.0, 320.0, 240.0)
    result, classes, depth = seen(
        [Box(WALL, 1.2, 2, 0.5, 30, 3)], size=(160, 120), camera=camera, roll=np.radians(roll))
    near = (classes == WALL) & (depth < 3.5) & (depth > 2.5)
    assert near.sum() > 500
    assert abs(error(result, depth, near)) < 0.1


def test_the_lower_border_of_a_picture_upside_down_is_its_first_row():
    result, classes, _ = seen([Box(WALL, -9, 9, 2, 3, 4)], roll=np.pi)
    assert (classes == WALL).all()
    np.testing.assert_allclose(result.depth, 1.65 * CAMERA.fy / CAMERA.cy, rtol=0.02)
    assert (result.label == Label.FILLED).all()


@pytest.mark.parametrize('distance', [4.0, 5.0])
def test_a_sliver_of_ground_at_the_border_only_says_at_least_as_near(distance):
    box = Box(WALL, -3, 3, distance, distance + 1, 4)
    classes, _ = cast([box], camera=CAMERA.scaled(320, 96))
    classes[-2:][classes[-2:] == WALL] = ROAD
    result = EmbodiedSceneDepth(CAMERA)(classes, STREET)
    middle = result.depth[150:350, 500:700]
    border = STREET.depth(CAMERA)[-1, 600]
    assert (result.label[150:350, 500:700] == Label.FILLED).all()
    assert (middle < 1.05 * border).all()


def test_a_wall_beside_the_road_recedes():
    result, classes, depth = seen([Box(WALL, 4, 6, 2, 40, 4)], road_half_width=4)
    wall = (classes == WALL) & (result.label == Label.VERTICAL) & (depth < 30)
    wrong = np.abs(result.depth[wall] / depth[wall] - 1)
    assert np.median(wrong) < 0.03
    assert np.percentile(wrong, 90) < 0.1


def test_what_the_lower_border_cuts_off_goes_on_beside_the_way():
    result, classes, depth = seen([Box(WALL, 2.5, 4, 1, 40, 4)])
    near = (classes == WALL) & (depth < 5.5) & (depth > 3)
    assert abs(error(result, depth, near)) < 0.05
    assert (result.label[near] == Label.FILLED).mean() > 0.9
    assert (result.label[(classes == WALL) & (depth > 7)] == Label.VERTICAL).mean() > 0.9


def test_what_the_lower_border_cuts_off_everywhere_is_as_near_as_the_border():
    result, classes, _ = seen([Box(WALL, -9, 9, 2, 3, 4)])
    assert (classes == WALL).all()
    border = 1.65 * CAMERA.fy / (CAMERA.height - CAMERA.cy)
    np.testing.assert_allclose(result.depth, border, rtol=0.02)


def car(x, near, scene_class=CAR):
    """Car seen from behind: its body 0.3 m above the ground, its tyres 0.9 m in from the ends."""
    return [Box(scene_class, x - 0.9, x + 0.9, near, near + 4.5, 1.5, 0.3),
            Box(scene_class, x - 0.9, x - 0.7, near + 0.9, near + 1.5, 0.6),
            Box(scene_class, x + 0.7, x + 0.9, near + 0.9, near + 1.5, 0.6)]


@pytest.mark.parametrize('near', [6.5, 9.0, 14.0])
def test_a_bumper_is_nearer_than_the_tyres(near):
    result, classes, depth = seen(car(0.5, near))
    rear = (classes == CAR) & (depth < near + 0.01)
    row = CAMERA.height / 96 / CAMERA.fy * near / 1.65
    assert abs(error(result, depth, rear)) < row + 0.02


@pytest.mark.parametrize('near', [6.5, 9.0])
def test_the_shadow_under_a_bumper_is_ground(near):
    """The mask has it as vehicle, down to the tyres."""
    body, _, _ = car(0.5, near)
    shadow = Box(CAR, body.left, body.right, near + 0.9, near + 1.5, 0.6)
    result, classes, _ = seen([body, shadow])
    under = (classes == CAR) & (cast([body])[0] == ROAD)
    assert (result.label[under] == Label.GROUND).mean() > 0.8
    ground = (classes == CAR) & (result.label == Label.GROUND)
    np.testing.assert_allclose(result.depth[ground], STREET.depth(CAMERA)[ground])
    assert under[ground].mean() > 0.8


@pytest.mark.parametrize('near', [4.9, 5.2])
def test_the_bumper_of_a_car_right_ahead_is_nearer_than_the_border_that_cuts_it_off(near):
    result, classes, depth = seen(car(0.3, near))
    rear = (classes == CAR) & (depth < near + 0.01)
    assert (result.label[rear] == Label.FILLED).mean() > 0.2
    assert abs(error(result, depth, rear)) < 0.05


def test_a_wall_at_an_angle_that_the_border_cuts_off_is_continued():
    """The camera is turned by 20 degrees to a corridor's wall."""
    camera = Camera(640, 480, 500.0, 500.0, 320.0, 240.0)
    along, across = np.cos(np.radians(20)), np.sin(np.radians(20))
    ray = (np.arange(640) - 320) / 500
    wall = np.where(ray * along + across > 0, 1.2 / (ray * along + across), np.inf)
    floor = 1.0 / np.maximum((np.arange(480) - 240) / 500, 1e-9)
    classes = np.where(floor[:, None] < wall, SceneClass.TERRAIN, WALL).astype(np.uint8)
    result = EmbodiedSceneDepth(camera)(classes[::4, ::4], GroundPlane.from_height(1.0))
    cut = classes[-1] == WALL
    wrong = np.abs(result.depth[100, cut] / wall[cut] - 1)
    assert 100 < cut.sum() < 500
    assert np.percentile(wrong, 90) < 0.1


def test_the_gap_between_the_tyres_of_a_car_belongs_to_it():
    side = [Box(CAR, -2.25, 2.25, 12, 13.8, 1.5, 0.3),
            Box(CAR, -1.6, -1.0, 12, 12.2, 0.6), Box(CAR, 1.2, 1.8, 12, 12.2, 0.6)]
    result, classes, depth = seen(side)
    between = (classes == CAR) & (depth < 12.1)
    between[:, :CAMERA.width // 2 - 30] = between[:, CAMERA.width // 2 + 30:] = False
    assert between.any()
    assert (np.abs(result.depth[between] - 12) < 0.6).mean() > 0.95


def test_a_wall_above_a_whole_car_stands_behind_it():
    result, classes, depth = seen([*car(0, 9), Box(WALL, -6, 6, 15, 16, 4)])
    above = (classes == WALL).copy()
    above[:, :CAMERA.width // 2 - 40] = above[:, CAMERA.width // 2 + 40:] = False
    assert abs(error(result, depth, above)) < 0.05
    assert (result.label[above] == Label.FILLED).mean() > 0.9


def test_what_stands_on_top_of_something_is_as_far_as_that():
    result, classes, depth = seen([
        Box(WALL, -2, 2, 15, 16, 1.0), Box(PERSON, -0.3, 0.3, 15, 15.2, 2.4, 1.0)])
    assert abs(error(result, depth, classes == PERSON)) < 0.05


def test_a_person_with_hidden_feet_is_as_far_as_its_size_says():
    robot = Camera(640, 480, 500.0, 500.0, 320.0, 240.0)
    result, classes, depth = seen(
        [Box(WALL, -1, 1, 2, 2.2, 0.6), Box(PERSON, -0.25, 0.25, 5, 5.3, 1.7)],
        size=(320, 240), camera=robot, height=0.4)
    person = classes == PERSON
    assert abs(error(result, depth, person)) < 0.05
    assert (result.label[person] == Label.FILLED).mean() > 0.9


def test_unknown_pixels_are_filled_from_around_them():
    classes, depth = cast([Box(WALL, -3, 3, 12, 13, 4)], CAMERA.scaled(320, 96))
    _, true_depth = cast([Box(WALL, -3, 3, 12, 13, 4)])
    classes[45:60, 150:165] = VOID
    result = EmbodiedSceneDepth(CAMERA)(classes, STREET)
    hole = np.zeros(result.label.shape, bool)
    hole[180:230, 590:635] = True
    assert (result.label[hole] == Label.FILLED).all()
    np.testing.assert_allclose(result.depth[hole], true_depth[hole], rtol=0.1)


def street(shift=0.0):
    return [*car(0.3 + shift, 11 + shift), *car(-3.4, 7 - shift), *car(3.2 + shift, 16),
            Box(WALL, 6, 9, 3, 60, 7), Box(WALL, -12, -8, 5, 50, 6),
            Box(PERSON, 4.6, 5.0, 14 + shift, 14.3 + shift, 1.75)]


STREET_SCENE = street()


def within(result, depth):
    known = np.isfinite(depth) & (depth < 80)
    relative = np.abs(result.depth[known] / depth[known] - 1)
    return np.array([(relative < 0.05).mean(), (relative < 0.1).mean()])


def test_a_street_is_mostly_right():
    result, _, depth = seen(STREET_SCENE)
    assert (within(result, depth) > (0.75, 0.85)).all()
    for label in (Label.ROAD, Label.GROUND, Label.VERTICAL, Label.FILLED, Label.SKY):
        assert (result.label == label).any()


def test_reduced_sizes_move_accuracy_by_at_most_a_fifth_of_a_point():
    """Contact at the class map's size, filling at a smaller one, against both at full size."""
    camera = CAMERA.scaled(1280, 384)
    moved = []
    for shift in (-0.5, 0.0, 0.5):
        _, depth = cast(street(shift), camera)
        classes, _ = cast(street(shift), camera.scaled(320, 96))
        classes[60:70, 150:170] = VOID
        reduced = within(EmbodiedSceneDepth(camera)(classes, STREET), depth)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr('deepsight_ros.geometry.embodied_depth.fill',
                          partial(fill, max_width=camera.width))
            full = within(EmbodiedSceneDepth(camera)(
                classes.repeat(4, axis=0).repeat(4, axis=1), STREET), depth)
        moved.append(reduced - full)
    assert (np.abs(np.mean(moved, axis=0)) < 0.002).all()


def test_uncertainty_is_known_where_depth_is():
    result, _, _ = seen(STREET_SCENE)
    sigma = result.uncertainty()
    assert sigma.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(sigma), np.isfinite(result.depth))
    assert (sigma[np.isfinite(sigma)] > 0).all()
    road = (result.label == Label.ROAD) & np.isfinite(result.depth)
    np.testing.assert_allclose(sigma[road], STREET.uncertainty(CAMERA)[road], rtol=1e-3)
    filled = (result.label == Label.FILLED) & np.isfinite(result.depth)
    np.testing.assert_allclose(
        sigma[filled], FILLED_RELATIVE_SIGMA * result.depth[filled], rtol=1e-3)
    upright = (result.label == Label.VERTICAL) & np.isfinite(result.depth)
    assert (sigma[upright] > np.float32(0.1) * result.depth[upright]).all()


def test_a_low_camera_knows_upright_things_too():
    camera = Camera(640, 480, 500.0, 500.0, 320.0, 240.0)
    result, classes, _ = seen([Box(WALL, -1, 1, 1, 1.2, 0.4)], camera=camera, height=0.05)
    wall = (classes == WALL) & (result.label == Label.VERTICAL)
    assert wall.any()
    assert (result.uncertainty()[wall] < result.depth[wall]).all()


def test_where_depth_is_unknown_there_is_no_label():
    classes = np.full((96, 320), ROAD, np.uint8)
    for step in ('road', 'ground', 'scene'):
        result = EmbodiedSceneDepth(CAMERA)(classes, GroundPlane.from_height(1.0, -1.4), step=step)
        assert np.isnan(result.depth).all()
        assert (result.label == Label.NONE).all()


def test_what_rectification_has_no_source_for_is_unknown():
    raw = Camera.from_fields(
        width=320, height=240, k=(200, 0, 160, 0, 200, 120, 0, 0, 1), d=(0.3, 0, 0, 0),
        distortion_model='plumb_bob', rectified=False)
    classes = np.where(raw.unseen, OUTSIDE, cast([], raw)[0]).astype(np.uint8)
    result = EmbodiedSceneDepth(raw)(classes, STREET)
    assert 0 < raw.unseen.mean() < 0.5
    np.testing.assert_array_equal(np.isnan(result.depth), raw.unseen)
    np.testing.assert_array_equal(result.label == Label.NONE, raw.unseen)
    whole = EmbodiedSceneDepth(replace(raw, distortion=None))(cast([], raw)[0], STREET)
    seen_ground = ~raw.unseen & (whole.depth < 50)
    np.testing.assert_allclose(result.depth[seen_ground], whole.depth[seen_ground], rtol=1e-6)


def test_nothing_is_farther_than_the_range():
    classes, _ = cast(STREET_SCENE, CAMERA.scaled(320, 96))
    result = EmbodiedSceneDepth(CAMERA, max_range=15.0)(classes, STREET)
    assert result.depth[np.isfinite(result.depth)].max() <= 15
    assert np.isposinf(result.depth).any()


@pytest.mark.parametrize('value', [*SceneClass, VOID])
@pytest.mark.parametrize('ground', [STREET, GroundPlane.from_height(1.0, -1.4)])
def test_a_picture_of_one_class_gives_depth_or_says_unknown(value, ground):
    classes = np.full((96, 320), value, np.uint8)
    for step in ('road', 'ground', 'scene'):
        result = EmbodiedSceneDepth(CAMERA)(classes, ground, step=step)
        known = np.isfinite(result.depth)
        assert (result.depth[known] > 0).all()
        assert np.isfinite(result.uncertainty()[known]).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(2, 60))
@settings(max_examples=25, deadline=None)
def test_any_class_map_gives_positive_depth_no_nearer_than_nothing(seed, rows, columns):
    classes = np.random.default_rng(seed).choice([*SceneClass, VOID], (rows, columns))
    result = EmbodiedSceneDepth(CAMERA)(classes.astype(np.uint8), STREET)
    known = ~np.isnan(result.depth)
    assert (result.depth[known] > 0).all()
    ground = STREET.depth(CAMERA)
    behind_ground = result.depth > ground * 1.1
    upright = result.label == Label.VERTICAL
    assert (behind_ground & upright).mean() < 0.01 * rows


def test_a_class_map_of_one_pixel_is_enough():
    result = EmbodiedSceneDepth(CAMERA)(np.zeros((1, 1), np.uint8), STREET)
    assert (result.label[200:] == Label.ROAD).all()


@pytest.mark.parametrize('classes', [
    np.zeros((96, 320), np.int64), np.zeros((96, 320, 1), np.uint8), np.zeros((0, 0), np.uint8)])
def test_class_maps_must_be_pictures_of_bytes(classes):
    with pytest.raises(ValueError, match='expected uint8'):
        EmbodiedSceneDepth(CAMERA)(classes, STREET)


def test_unknown_steps_are_named():
    with pytest.raises(ValueError, match="'sky', must be one of road, ground, scene"):
        EmbodiedSceneDepth(CAMERA)(np.zeros((2, 2), np.uint8), STREET, step='sky')


@pytest.mark.parametrize('max_range', [0.0, -1.0, float('nan')])
def test_the_range_must_be_positive(max_range):
    with pytest.raises(CameraError, match='max_range'):
        EmbodiedSceneDepth(CAMERA, max_range=max_range)


@pytest.mark.parametrize('width', [256, 320, 336])
def test_what_the_border_cuts_off_is_cut_in_its_own_columns(width):
    camera = CAMERA.scaled(width, 96)
    classes, _ = cast([], camera=camera)
    classes[30:, 100:140] = CAR
    result = EmbodiedSceneDepth(camera)(classes, STREET)
    car = result.label[30:, 100:140]
    assert np.isin(car, (Label.FILLED, Label.GROUND)).all()  # Under a bumper there is ground.
    assert (car[:-4] == Label.FILLED).all()
    assert (result.label[60:, 96:100] <= Label.GROUND).all()
    assert np.ptp(result.depth[60, 100:140]) == 0
