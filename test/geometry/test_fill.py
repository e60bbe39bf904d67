"""Filling of holes: known pixels stay, planes continue, the reduced size costs no accuracy."""

import numpy as np
import pytest

from deepsight_ros.geometry.fill import fill

ROWS, COLUMNS = np.mgrid[:96, :320].astype(np.float32)
PLANE = 0.02 + ROWS * 0.002 + COLUMNS * 0.0001
"""Inverse depth (1/m) of a plane: affine in the pixel."""


def block(*corners):
    holes = np.zeros(PLANE.shape, bool)
    top, bottom, left, right = corners
    holes[top:bottom, left:right] = True
    return holes


@pytest.mark.parametrize('corners', [(30, 60, 100, 200), (0, 20, 0, 320), (90, 96, 300, 320)])
def test_known_pixels_are_kept_exactly_and_holes_get_values_in_their_range(corners):
    holes = block(*corners)
    values = np.where(holes, np.float32(np.nan), PLANE)
    filled = fill(values, holes)
    np.testing.assert_array_equal(filled[~holes], PLANE[~holes])
    assert filled.dtype == np.float32
    assert (filled[holes] >= PLANE[~holes].min()).all()
    assert (filled[holes] <= PLANE[~holes].max()).all()


def test_a_hole_in_a_surface_of_equal_depth_gets_that_depth():
    holes = block(20, 70, 80, 240)
    filled = fill(np.where(holes, np.float32(np.nan), np.float32(0.1)), holes)
    np.testing.assert_allclose(filled, 0.1, rtol=1e-4)


def test_a_hole_in_a_plane_is_continued():
    holes = block(40, 60, 150, 170)
    filled = fill(np.where(holes, np.float32(np.nan), PLANE), holes)
    np.testing.assert_allclose(filled[holes], PLANE[holes], rtol=0.1)


def test_small_inverse_depths_do_not_oscillate():
    """OpenCV's Telea adds grey levels along gradients; unscaled they swamp values below one."""
    holes = block(20, 70, 80, 240)
    filled = fill(np.where(holes, np.float32(np.nan), PLANE), holes)
    assert np.abs(np.diff(filled, axis=1)).max() < 0.02


@pytest.mark.parametrize('corners', [(10, 40, 20, 300), (40, 60, 150, 170), (0, 96, 100, 140)])
def test_the_reduced_size_hardly_changes_the_result(corners):
    """Share of pixels within 5 and 10 % of the truth against filling at full size."""
    holes = block(*corners)
    values = np.where(holes, np.float32(np.nan), PLANE)
    shares = []
    for filled in (fill(values, holes), fill(values, holes, max_width=320)):
        error = np.abs(PLANE / filled - 1)
        shares.append([(error < 0.05).mean(), (error < 0.1).mean()])
    np.testing.assert_allclose(shares[0], shares[1], atol=0.02)


def test_nothing_to_fill_returns_the_input():
    assert fill(PLANE, np.zeros(PLANE.shape, np.uint8)) is PLANE


def test_nothing_known_stays_unknown():
    assert np.isnan(fill(PLANE, np.ones(PLANE.shape, bool))).all()
