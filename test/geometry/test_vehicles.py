"""Vehicles: faces, what is seen between tyres, and bumpers beyond the tyres."""

import numpy as np
import pytest

from deepsight_ros.geometry.vehicles import beyond_tyres
from deepsight_ros.geometry.vehicles import CLEARANCE
from deepsight_ros.geometry.vehicles import Face
from deepsight_ros.geometry.vehicles import faces
from deepsight_ros.geometry.vehicles import OVERHANG

FOCAL, HEIGHT = 200.0, 1.65
RAY_X = (np.arange(320, dtype=np.float32) - 160) / np.float32(FOCAL)
UNDER = 1 - CLEARANCE / HEIGHT
"""Share of inverse depth at which the ground is seen under a sill."""


def line(*parts, length=320):
    """Contact line of (first column, last column exclusive, depth in metres)."""
    contact = np.zeros(length, np.float32)
    for start, stop, depth in parts:
        contact[start:stop] = 1 / depth
    return contact


@pytest.mark.parametrize('tyres', [
    [(100, 110), (150, 160)], [(100, 108), (126, 134), (152, 160)]])
def test_what_is_seen_under_a_sill_belongs_to_the_vehicle(tyres):
    contact = line((100, 160, 10 / UNDER), *((*tyre, 10) for tyre in tyres))
    face, = faces(contact, FOCAL)
    assert (face.start, face.stop) == (100, 160)
    assert (face.first, face.last) == pytest.approx((0.1, 0.1), rel=1e-3)


def test_a_row_more_or_less_in_the_class_map_does_not_bring_a_side_nearer():
    """Masks are jagged: what lies a little nearer and farther than a side evens out."""
    side = np.linspace(1 / 12, 1 / 8, 60)
    jag = 0.01 * np.tile([1, 1, 1, -1, -1, -1], 10)
    contact = line((100, 160, 1 / (side * (1 + jag))))
    found = faces(contact, FOCAL)
    shaped = np.concatenate([
        np.linspace(face.first, face.last, face.stop - face.start) for face in found])
    assert np.median(shaped / side) == pytest.approx(1.0, abs=0.011)


def test_a_step_in_depth_ends_a_vehicle():
    contact = line((100, 140, 10), (140, 170, 15), (200, 210, 10))
    found = faces(contact, FOCAL)
    assert [(face.start, face.stop) for face in found] == [(100, 140), (140, 170), (200, 210)]


def test_a_rear_meets_a_side_at_a_corner():
    contact = line((100, 140, 8))
    side = slice(140, 170)
    contact[side] = 1 / 8 - 0.0015 * np.arange(30, dtype=np.float32)
    rear, flank = faces(contact, FOCAL)
    assert abs(rear.stop - 140) <= 1
    assert (rear.first, rear.last) == pytest.approx((1 / 8, 1 / 8), rel=0.02)
    assert flank.last == pytest.approx(1 / 8 - 0.0015 * 29, rel=0.05)


def test_faces_are_fitted_to_tyres_only():
    contact = line((100, 106, 10 / UNDER), (106, 154, 10), (154, 160, 10 / UNDER))
    face, = faces(contact, FOCAL)
    assert (face.first, face.last) == pytest.approx((0.1, 0.1), rel=1e-3)


def test_a_few_contacts_slightly_behind_the_others_do_not_move_a_face():
    contact = line((100, 120, 10), (120, 140, 10.5), (140, 160, 10))
    face, = faces(contact, FOCAL)
    assert (face.first, face.last) == pytest.approx((0.1, 0.1), rel=1e-3)


@pytest.mark.parametrize(('tyre', 'bumper'), [(20.0, 20 - OVERHANG), (4.0, 4 * UNDER)])
def test_a_rear_is_nearer_than_its_tyres(tyre, bumper):
    columns = round(1.8 * FOCAL / tyre)
    rear = Face(160 - columns // 2, 160 + columns // 2, 1 / tyre, 1 / tyre)
    moved = beyond_tyres(rear, RAY_X, HEIGHT)
    assert moved.end_on
    assert 1 / moved.first == pytest.approx(bumper)


@pytest.mark.parametrize('side', [
    Face(200, 260, 1 / 12, 1 / 6), Face(100, 220, 1 / 8, 1 / 8)])
def test_sides_stay_where_their_tyres_are(side):
    assert beyond_tyres(side, RAY_X, HEIGHT) == side
