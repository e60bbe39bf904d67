"""Fallbacks for hidden feet: sizes, surfaces continued behind others and below the border."""

import numpy as np
import pytest

from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry.hidden import below_border
from deepsight_ros.geometry.hidden import beside_lorry
from deepsight_ros.geometry.hidden import beyond_wall
from deepsight_ros.geometry.hidden import by_size
from deepsight_ros.geometry.hidden import extend
from deepsight_ros.geometry.hidden import NEARER

RAY_X = np.linspace(-0.8, 0.8, 161, dtype=np.float32)


@pytest.mark.parametrize('height', [0.3, 1.0, 2.5])
@pytest.mark.parametrize('depth', [2.0, 7.0])
def test_the_top_of_a_person_tells_its_depth(height, depth):
    top = (height - 1.7) / depth / height
    assert by_size(SceneClass.PERSON, top, height) == pytest.approx(1 / depth)


@pytest.mark.parametrize(('scene_class', 'top', 'height'), [
    (SceneClass.PERSON, -0.01, 1.65),
    (SceneClass.PERSON, 0.2, 0.3), (SceneClass.VEHICLE, -0.1, 2.5)])
def test_no_lever_or_the_wrong_side_of_the_horizon_tell_nothing(scene_class, top, height):
    assert by_size(scene_class, top, height) == 0


def hide(line, *columns):
    face = line.copy()
    hidden = np.arange(*columns)
    face[hidden] = 0
    extend(face, hidden, RAY_X)
    return face


def test_a_surface_is_interpolated_behind_what_hides_it():
    line = (0.2 + 0.1 * RAY_X).astype(np.float32)
    np.testing.assert_allclose(hide(line, 60, 75), line, rtol=1e-5)


def test_a_wall_across_the_way_goes_on_across_and_one_along_it_along():
    across = np.full(161, 0.2, np.float32)
    np.testing.assert_allclose(hide(across, 140, 161), across, rtol=1e-5)
    along = np.where(RAY_X > 0.2, RAY_X / 3, 0).astype(np.float32)
    np.testing.assert_allclose(hide(along, 140, 161), along, rtol=1e-5)


def test_a_surface_is_not_continued_farther_than_a_car_is_long():
    far = np.full(161, 0.02, np.float32)
    assert (hide(far, 120, 161)[120:128] > 0).all()
    assert (hide(far, 120, 161)[135:] == 0).all()


def test_what_leaves_the_picture_beside_the_way_comes_nearer():
    border = np.where(RAY_X > 0.4, np.float32(1 / 6), 0).astype(np.float32)
    inverse = below_border(border, RAY_X, 1.65)
    cut = border > 0
    np.testing.assert_allclose(RAY_X[cut] / inverse[cut], 0.41 * 6, rtol=0.01)
    assert (inverse[~cut] == 0).all()


@pytest.mark.parametrize('cut', [RAY_X > 0.05, np.abs(RAY_X) < 0.5, RAY_X > -2])
def test_what_stands_in_the_way_is_as_near_as_the_border(cut):
    border = np.where(cut, np.float32(1 / 6), 0).astype(np.float32)
    np.testing.assert_array_equal(below_border(border, RAY_X, 1.65), border)


def test_nothing_is_continued_without_end():
    border = np.where(RAY_X > 0.15, np.float32(1 / 6), 0).astype(np.float32)
    assert below_border(border, RAY_X, 1.65).max() <= NEARER / 6


ROW = 0.003
BORDER = np.float32(1 / 4)
"""The ground at the lower border is 4 m away."""


def cut_off(wall):
    """Contact line of a wall down to the border, the border's where it is cut, and the truth."""
    wall = wall.astype(np.float32)
    return np.where(wall < BORDER, wall, 0), np.where(wall < BORDER, 0, BORDER), wall


def test_a_wall_at_an_angle_goes_on_below_the_border():
    line, border, wall = cut_off(0.15 + 0.2 * RAY_X)
    inverse = beyond_wall(line, border, RAY_X, ROW)
    assert (border > 0).any()
    np.testing.assert_allclose(inverse[border > 0], wall[border > 0], rtol=0.03)
    assert (inverse[border == 0] == 0).all()


def test_a_wall_is_continued_from_its_last_corner():
    bent = np.where(RAY_X < 0, 0.1, 0.1 + 0.3 * RAY_X)
    line, border, wall = cut_off(bent)
    cut = border > 0
    np.testing.assert_allclose(
        beyond_wall(line, border, RAY_X, ROW)[cut], wall[cut], rtol=0.05)


@pytest.mark.parametrize('wall', [
    np.where(RAY_X > 0, RAY_X / 1.5, 0),
    np.where(RAY_X < 0.4, 0.15 + 0.08 * np.sin(40 * RAY_X), 0.25),
    np.where(RAY_X < 0.4, 0.1, 0.25),
    np.full(161, 0.3)], ids=['along the axis', 'no plane', 'ends before', 'all cut off'])
def test_a_wall_that_shows_no_slope_tells_nothing(wall):
    line, border, _ = cut_off(wall)
    assert (beyond_wall(line, border, RAY_X, ROW) == 0).all()


def lorry(tyre=2.5, guard=3.2, top=-0.1, lane=0.0):
    """
    Side of a lorry on the right: tyres at ``tyre`` metres, else seen under at ``guard``.

    From ``lane`` on (a ray's slope) contact is another vehicle's, 1 m to the right of the axis.
    """
    beside = np.where(np.arange(161) % 3 == 0, tyre, guard)
    line = np.where(lane < RAY_X, RAY_X / beside, RAY_X)
    line[RAY_X < 0.2] = 0
    cut = RAY_X > 0.55
    line[cut] = 0
    border = np.where(cut, 0.55 / guard, 0).astype(np.float32)
    return beside_lorry(
        line.astype(np.float32), border, np.full(161, top, np.float32), RAY_X, 1.65)


@pytest.mark.parametrize('lane', [0.0, 0.35])
def test_the_side_of_a_lorry_is_where_its_tyres_stand(lane):
    side = lorry(lane=lane)
    beside = max(lane, 0.21) < RAY_X
    np.testing.assert_allclose(RAY_X[beside] / side[beside], 2.5, rtol=0.03)
    assert (side[RAY_X < 0.19] == 0).all()


def test_a_car_is_no_lorry():
    assert (lorry(top=0.0) == 0).all()


def test_the_side_of_a_lorry_without_tyres_in_sight_goes_on_from_the_border():
    side = lorry(tyre=3.2)
    cut = RAY_X > 0.56
    np.testing.assert_allclose(RAY_X[cut] / side[cut], 3.2, rtol=0.03)
