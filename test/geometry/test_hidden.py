"""Fallbacks for hidden feet: sizes, surfaces continued behind others and below the border."""

import numpy as np
import pytest

from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry.hidden import below_border
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
