"""Vehicles: gaps between tyres, faces, and bumpers beyond the tyres."""

import numpy as np
import pytest

from deepsight_ros.geometry.vehicles import beyond_tyres
from deepsight_ros.geometry.vehicles import bridge
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


def test_what_is_seen_under_a_sill_belongs_to_the_vehicle():
    contact = line((100, 110, 10), (110, 150, 9.99 / UNDER), (150, 160, 10))
    np.testing.assert_allclose(
        bridge(contact[None], FOCAL, HEIGHT)[0], line((100, 160, 10)), rtol=1e-6)


@pytest.mark.parametrize('contact', [
    line((100, 110, 10), (110, 150, 20), (150, 160, 10)),
    line((60, 70, 10), (150, 160, 10)),
    line((100, 110, 10), (110, 150, 11)),
    line()])
def test_things_far_behind_wide_gaps_and_open_ends_are_not_bridged(contact):
    np.testing.assert_array_equal(bridge(contact[None], FOCAL, HEIGHT)[0], contact)


def test_vehicles_are_bridged_each_for_itself():
    contact = np.stack([line((100, 110, 10), (120, 130, 10)), line((105, 125, 30))])
    bridged = bridge(contact, FOCAL, HEIGHT)
    np.testing.assert_allclose(bridged[0], line((100, 130, 10)), rtol=1e-6)
    np.testing.assert_array_equal(bridged[1], contact[1])


def test_a_step_in_depth_ends_a_vehicle():
    contact = line((100, 140, 10), (140, 170, 15), (200, 210, 10))
    found = faces(contact, contact > 0, FOCAL)
    assert [(face.start, face.stop) for face in found] == [(100, 140), (140, 170), (200, 210)]


def test_a_rear_meets_a_side_at_a_corner():
    contact = line((100, 140, 8))
    side = slice(140, 170)
    contact[side] = 1 / 8 - 0.0015 * np.arange(30, dtype=np.float32)
    rear, flank = faces(contact, contact > 0, FOCAL)
    assert abs(rear.stop - 140) <= 1
    assert (rear.first, rear.last) == pytest.approx((1 / 8, 1 / 8), rel=0.02)
    assert flank.last == pytest.approx(1 / 8 - 0.0015 * 29, rel=0.05)


def test_faces_are_fitted_to_tyres_only():
    contact = line((100, 106, 10 / UNDER), (106, 154, 10), (154, 160, 10 / UNDER))
    face, = faces(contact, contact > 0, FOCAL)
    assert (face.first, face.last) == pytest.approx((0.1, 0.1), rel=1e-3)


def test_a_few_contacts_slightly_behind_the_others_do_not_move_a_face():
    contact = line((100, 120, 10), (120, 140, 10.5), (140, 160, 10))
    face, = faces(contact, contact > 0, FOCAL)
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
