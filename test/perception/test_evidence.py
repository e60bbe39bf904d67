"""Answers against a depth map that is known in closed form: no model is needed."""

import math

import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import Place
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.evidence import find_evidence
from deepsight_ros.perception.evidence import is_blind

WIDTH, HEIGHT, FOCAL = 160, 120, 100.0
CAMERA = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, 80.0, 60.0)
UP = 1.0
"""Metres: the camera's height."""
BOX, WALL = 2.0, 5.0
"""Metres: a box in the middle, columns 70 to 89, up to row 65, in front of a wall."""


def hall(**changes):
    """Level camera in front of a box and a wall on a floor."""
    depth = np.full((HEIGHT, WIDTH), WALL, np.float32)
    with np.errstate(divide='ignore'):
        floor = UP * FOCAL / (np.arange(HEIGHT) - 60.0)
    below = (floor > 0) & (floor < WALL)
    depth[below] = floor[below, None]
    box = depth[65:, 70:90]
    box[box > BOX] = BOX
    return DepthFrame(**{'depth': depth, 'camera': CAMERA,
                         'ground': GroundPlane.from_height(UP), **changes})


def at(column, row, is_region=False):
    return Place.of_pixel(column, row, WIDTH, HEIGHT, is_region)


def look(question, answer, frame=None):
    return find_evidence(frame or hall(), question, parse_answer(answer))


ON_BOX, ON_WALL, ON_FLOOR = at(80, 80), at(120, 40), at(60, 119)


@pytest.mark.parametrize(('question', 'answer', 'agrees'), [
    # Along the ground to the first obstacle, which is the box, not the nearer floor.
    ('how far is the nearest obstacle?', f'2.00 m ahead at {ON_BOX}', True),
    ('how far is the nearest obstacle?', f'2.15 m ahead at {ON_BOX}', True),
    ('how far is the nearest obstacle?', f'2.30 m ahead at {ON_BOX}', False),
    ('how far is the nearest obstacle?', f'2.00 m ahead at {ON_FLOOR}', True),
    ('how far is the nearest obstacle?', f'5.00 m ahead at {ON_WALL}', False),
    ('how far is the nearest obstacle?', 'nothing ahead', False),
    # Yes and no must follow from the number.
    ('is it safe to move 1.5 m forward?', f'yes, 2.00 m ahead at {ON_BOX}', True),
    ('is it safe to move 150 cm forward?', f'no, 2.00 m ahead at {ON_BOX}', False),
    ('is it safe to move 3 metres forward?', f'no, 2.00 m ahead at {ON_BOX}', True),
    ('is it safe to move 3 metres forward?', f'yes, 2.00 m ahead at {ON_BOX}', False),
    ('is it safe to move 2.1 m forward?', f'no, 2.00 m ahead at {ON_BOX}', True),
    ('is it safe to move 10 feet forward?', f'yes, 2.00 m ahead at {ON_BOX}', False),
    ('is it safe to move .5 m forward?', f'yes, 2.00 m ahead at {ON_BOX}', True),
    ('is it safe to move 2,5 m forward?', f'yes, 2.00 m ahead at {ON_BOX}', False),
    # How far is not said, or not clear; that the obstacle is elsewhere is seen all the same.
    ('is it safe to move on?', f'yes, 2.00 m ahead at {ON_BOX}', None),
    ('I am 0.6 m wide, is it safe to move 4 m?', f'yes, 2.00 m ahead at {ON_BOX}', False),
    ('is it safe to move -1 m?', f'yes, 2.00 m ahead at {ON_BOX}', None),
    ('is it safe to move on?', f'yes, 4.00 m ahead at {ON_BOX}', False),
    ('is it safe to move 1 m forward?', 'yes, nothing ahead', False),
    # Straight from the camera.
    (f'how far is {ON_WALL}?', f'{math.hypot(5.0, 2.0, 1.0):.2f} m', True),
    (f'how far is {ON_WALL}?', '5.00 m', True),
    (f'how far is {ON_WALL}?', '4.00 m', False),
    ('how far is the box?', f'2.04 m at {ON_BOX}', True),
    ('how far is the box?', f'{ON_WALL}: 2.04 m', False),
    # A length before its place is the nearest surface's, wherever the place is.
    ('how near is anything?', f'1.97 m at {ON_WALL}', True),
    ('how near is anything?', f'2.70 m at {ON_BOX}', False),
    ('how far is the box?', '2.04 m', None),
    # Heights and gaps.
    (f'how high is {at(80, 80)}?', '0.60 m', True),
    (f'how high is {at(80, 80)}?', '2.04 m', False),
    (f'how far apart are {at(80, 40)} and {at(120, 40)}?', '2.00 m', True),
    (f'how far apart are {at(80, 40)} and {at(120, 40)}?', '5.00 m', False),
    ('how far apart are box and lamp?', f'{at(80, 40)} {at(120, 40)}: 2.00 m', True),
    ('how far apart are box and lamp?', f'{at(80, 40)} {at(120, 40)}: 5.00 m', False),
    ('how far is the box?', f'{at(80, 80)}: 2.04 m', True),
    # Comparisons.
    (f'which is nearer, A {ON_BOX} or B {ON_WALL}?', 'A', True),
    (f'which is nearer, A {ON_BOX} or B {ON_WALL}?', 'B', False),
    (f'which is nearer, A {ON_BOX} or B {ON_WALL}?', 'C', False),
    (f'which is higher, A {ON_BOX} or B {ON_WALL}?', 'A', None),
    (f'which is farther left, A {ON_BOX} or B {ON_WALL}?', 'A', None),
    (f'which is nearer, A {at(100, 40)} or B {at(101, 40)}?', 'B', True),
    (f'is {ON_BOX} nearer than {ON_WALL}?', 'lower', None),
    (f'near to far: A {ON_WALL}, B {ON_BOX}, C {ON_FLOOR}', 'BCA', False),
    (f'near to far: A {ON_WALL}, B {at(80, 80)}, C {at(20, 90)}', 'BCA', True),
    (f'is {at(80, 70)} higher than {at(80, 90)}?', 'higher', True),
    (f'is {at(80, 70)} higher than {at(80, 90)}?', 'lower', False),
    (f'going from {at(80, 90)} to {at(80, 70)}, is it higher?', 'higher', True),
    (f'is the chair with wheels at {at(80, 70)} higher than {at(80, 90)}?', 'higher', True),
    (f'{at(80, 90)} as the reference: is {at(80, 70)} higher?', 'higher', True),
    ('is the box higher than the wall?', f'{ON_BOX} {ON_WALL}: lower', None),
    # What depth alone does not tell.
    ('how many boxes are there?', '1', None), ('what is this place?', 'corridor', None),
    (f'what is at {ON_BOX}?', 'box', None), ('is there a box?', 'yes', None),
    ('what colour is it?', 'cannot tell from depth', None),
    ('is the chair left or right of the table?', 'left', None),
    # The box is ahead and ends to the left and right of it.
    ('which way is free?', 'ahead', False), ('which way is free?', 'left', True),
    ('which way is free?', 'right', True),
])
def test_agreement(question, answer, agrees):
    assert look(question, answer).agrees is agrees


@pytest.mark.parametrize(('question', 'answer', 'measured'), [
    ('how far is the nearest obstacle?', f'5.00 m ahead at {ON_WALL}', BOX),
    ('is it safe to move 1 m forward?', f'yes, 3.00 m ahead at {ON_BOX}', BOX),
    (f'how far is {ON_WALL}?', '4.00 m', math.hypot(5.0, 2.0, 1.0)),
    (f'how high is {at(80, 80)}?', '2.04 m', 0.6),
    (f'how far apart are {at(80, 40)} and {at(120, 40)}?', '5.00 m', 2.0),
    (f'which is nearer, A {ON_BOX} or B {ON_WALL}?', 'A', None),
    ('how far is the box?', '2.04 m', None), ('which way is free?', 'left', None)])
def test_the_length_that_the_map_has_for_the_one_said(question, answer, measured):
    found = look(question, answer).measured
    assert found == (None if measured is None else pytest.approx(measured, abs=1e-6))


def test_nothing_ahead_agrees_where_nothing_is():
    floor = np.tile(hall().depth[:, :1], (1, WIDTH))
    empty = np.where(floor < WALL, floor, np.nan)
    for answer, agrees in (('nothing ahead', True), ('yes, nothing ahead', True),
                           ('no, nothing ahead', False), (f'3.00 m ahead at {ON_BOX}', False)):
        assert look('is it safe to move 1 m?', answer, hall(depth=empty)).agrees is agrees


def test_without_ground_the_way_and_heights_cannot_be_checked():
    frame = hall(ground=None)
    for question, answer in (
            ('obstacle?', f'2.00 m ahead at {ON_BOX}'), (f'how high is {ON_BOX}?', '0.60 m'),
            (f'is {ON_BOX} higher than {ON_WALL}?', 'higher'), ('which way is free?', 'left')):
        assert look(question, answer, frame).agrees is None
    assert look('how far is the box?', f'2.04 m at {ON_BOX}', frame).agrees


def test_evidence_points_at_the_place():
    found = look('how far is the nearest obstacle?', f'2.00 m ahead at {at(80, 80)}')
    (column, row), = found.pixels
    assert abs(column - 80) <= 1
    assert abs(row - 80) <= 1
    assert found.depths == (2.0,)
    assert found.distance == pytest.approx(2.0)
    assert found.point == pytest.approx(
        (2.0 * (column - 80) / FOCAL, 2.0 * (row - 60) / FOCAL, 2.0), abs=1e-6)
    straight = look(f'how far is {ON_WALL}?', '5.48 m')
    assert straight.distance == pytest.approx(math.hypot(5.0, 2.0, 1.0))
    assert math.degrees(straight.bearing) == pytest.approx(-math.degrees(math.atan2(2.0, 5.0)))


def test_a_choice_points_at_what_was_chosen():
    found = look(f'which is nearer, A {ON_WALL} or B {ON_BOX}?', 'B')
    assert found.depths == (BOX, WALL)
    assert found.point[2] == BOX


def test_the_pixel_around_a_location_that_fits_is_taken():
    """A location token stands for several pixels; column 69 is beside the box."""
    found = look('how far is the box?', f'2.04 m at {at(69, 80)}')
    assert found.agrees
    assert found.pixels[0][0] >= 70
    asked = look(f'how far is {at(69, 80)}?', '2.04 m')
    assert asked.pixels == ((69, 80),)


def test_holes_are_looked_around_and_large_ones_are_no_evidence():
    depth = hall().depth.copy()
    depth[80, 80] = np.nan
    assert look(f'how far is {ON_BOX}?', '2.04 m', hall(depth=depth)).agrees
    depth[75:86, 75:86] = np.inf
    found = look(f'how far is {ON_BOX}?', '2.04 m', hall(depth=depth))
    assert (found.agrees, found.pixels, found.point, found.distance) == (None, (), None, None)
    way = look('how far is the nearest obstacle?', f'2.00 m ahead at {ON_BOX}', hall(depth=depth))
    assert (way.agrees, len(way.pixels), way.distance) == (True, 1, 2.0)
    assert not look('obstacle?', f'3.00 m ahead at {ON_BOX}', hall(depth=depth)).agrees
    other = look(f'which is nearer, A {ON_BOX} or B {ON_WALL}?', 'A', hall(depth=depth))
    assert (other.agrees, len(other.pixels)) == (None, 1)


@pytest.mark.parametrize(('question', 'answer'), [
    ('is it safe to move 4 m?', 'yes, nothing ahead'), ('which way is free?', 'ahead'),
    ('how far is the nearest obstacle?', 'nothing ahead')])
def test_a_way_whose_ground_is_not_seen_is_not_free(question, answer):
    assert not is_blind(hall(), question, parse_answer(answer))
    depth = hall().depth.copy()
    depth[:, 50:110] = np.nan
    assert is_blind(hall(depth=depth), question, parse_answer(answer))
    up = hall(ground=GroundPlane.from_height(UP, -1.0))
    assert is_blind(up, question, parse_answer(answer))
    assert not is_blind(up, question, parse_answer('no, 2.00 m ahead'))


def test_the_point_is_in_the_frame_of_the_header():
    camera = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, 80.0, 60.0, offset=(0.06, 0.0, -0.01))
    plain, moved = (look(f'how far is {ON_WALL}?', '5.48 m', hall(camera=item))
                    for item in (CAMERA, camera))
    assert np.subtract(plain.point, moved.point) == pytest.approx((0.06, 0.0, -0.01))
    assert plain.distance == moved.distance


def test_bearing_is_turned_with_a_camera_that_looks_down():
    pitch = 0.5
    frame = hall(ground=GroundPlane.from_height(UP, pitch))
    found = look(f'how far is {ON_WALL}?', '5.48 m', frame)
    x, y, z = found.point
    forward = z * math.cos(pitch) - y * math.sin(pitch)
    assert found.bearing == pytest.approx(math.atan2(-x, forward), abs=1e-6)


def test_a_camera_that_looks_straight_down_has_places_but_no_way_ahead():
    frame = hall(ground=GroundPlane.from_height(UP, math.pi / 2))
    found = look(f'how far is {ON_WALL}?', '5.48 m', frame)
    assert found.agrees
    assert found.bearing == pytest.approx(-math.atan2(2.0, 5.0))
    with pytest.raises(GroundError, match='nothing is ahead'):
        look('obstacle?', '2.00 m ahead', frame)


def test_a_camera_of_another_size_is_refused():
    with pytest.raises(CameraError, match='camera_info'):
        look('obstacle?', '2.00 m ahead', hall(camera=Camera(10, 10, 1.0, 1.0, 5.0, 5.0)))
