"""Answers and places as text."""

import pytest

from deepsight_ros.language.answers import is_about_a_move
from deepsight_ros.language.answers import metres
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.answers import settled_move
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.places import find_places
from deepsight_ros.language.places import Place
from deepsight_ros.language.places import with_pixels
from deepsight_ros.language.places import with_places


@pytest.mark.parametrize(('text', 'kind', 'value'), [
    ('1.43 m', 'distance', 1.43), ('143 cm', 'distance', 1.43), ('2.5 metres.', 'distance', 2.5),
    ('1.43 m ahead at <loc:0.310,0.550>', 'distance', 1.43), ('nothing ahead', 'distance', None),
    ('4', 'count', 4), ('0', 'count', 0), ('<loc:0.1,0.2> <loc:0.5,0.6>: 2', 'count', 2),
    ('(12, 30) (40, 50): 2', 'count', 2), ('(120, 80): 2.31 m', 'distance', 2.31),
    ('<loc:0.1,0.2> is right of <loc:0.5,0.6>', 'direction', 'right'), ('yes', 'yes_no', 'yes'),
    ('No, 1.20 m ahead at <loc:0.5,0.5>', 'yes_no', 'no'),
    ('yes, nothing ahead', 'yes_no', 'yes'), ('B', 'choice', 'B'), ('CAB', 'choice', 'CAB'),
    ('left', 'direction', 'left'), ('ahead', 'direction', 'ahead'), ('higher', 'direction',
                                                                     'higher'),
    ('cannot tell from depth', 'unknown', None), ('none in view', 'unknown', None),
    ('', 'unknown', None), ('chair', 'class', 'chair'), ('A A', 'unknown', None),
    ('m at', 'unknown', None), ('.6 m', 'unknown', None),
    ('.11 m at', 'unknown', None), ('chair (', 'unknown', None),
])
def test_kind_and_value_follow_from_the_text(text, kind, value):
    answer = parse_answer(text)
    assert (answer.kind, answer.value) == (kind, value)
    assert answer.text == text
    assert answer.unit == ('m' if kind == 'distance' else '')


def test_a_distance_says_what_it_counts_from_and_where_it_is():
    answer = parse_answer('no, 1.20 m ahead at <loc:0.250,0.750>')
    assert answer.distance == 1.2
    assert answer.ahead
    assert answer.places == (Place(0.25, 0.75),)
    assert not parse_answer('1.20 m at <loc:0.250,0.750>').ahead
    assert not parse_answer('ahead').ahead


@pytest.mark.parametrize(('value', 'text'), [
    (0.304, '0.30 m'), (9.994, '9.99 m'), (9.996, '10.0 m'), (73.26, '73.3 m')])
def test_lengths_have_three_digits(value, text):
    assert metres(value) == text
    assert parse_answer(text).value == pytest.approx(value, rel=0.02)


def test_no_length_is_refused():
    with pytest.raises(ValueError, match='nan'):
        metres(float('nan'))


@pytest.mark.parametrize('size', [(160, 120), (1242, 375), (1920, 1080), (7, 5)])
def test_places_survive_writing_and_reading(size):
    width, height = size
    for column, row in ((column, column % height) for column in range(width)):
        place = Place.of_pixel(column, row, width, height, is_region=True)
        found, = find_places(f'what is at {place}?')
        assert found.is_region
        assert found.pixel(width, height) == (column, row)


def test_what_is_no_place_is_none():
    assert find_places('<loc:1.5,0.2> <loc:a,b> <spot:0.1,0.1> <loc:0.1>') == ()


@pytest.mark.parametrize(('question', 'obstacle', 'settled'), [
    ('is it safe to move 8 m?', '3.71 m ahead', 'no, 3.71 m ahead'),
    ('is it safe to move 30 feet?', '3.71 m ahead', 'no, 3.71 m ahead'),
    ('is it safe to move 1 m?', '3.71 m ahead', 'yes, 3.71 m ahead'),
    ('is it safe to move 1 m?', 'nothing ahead', 'yes, nothing ahead'),
    ('is it safe to move 3.8 m?', '3.71 m ahead', 'no, 3.71 m ahead'),
    ('is it safe to move 3.6 m?', '3.71 m ahead', 'yes, 3.71 m ahead'),
    ('is it safe to go on?', '3.71 m ahead', '3.71 m ahead'),
    # Where it sees no way at all the first answer stays.
    ('is it safe to move 8 m?', 'cannot tell from depth', 'yes, 5.00 m ahead')])
def test_the_nearest_obstacle_says_yes_or_no_to_a_move(question, obstacle, settled):
    assert settled_move(question, 'yes, 5.00 m ahead', obstacle) == settled


@pytest.mark.parametrize(('question', 'text', 'expected'), [
    ('is it safe to move 4 m?', 'no, 3.71 m ahead', True),
    ('is it safe to move on?', 'no, 3.71 m ahead', True),
    ('is there any obstacle?', 'no', True), ('is it safe to move 4 m?', 'yes', True),
    ('is it safe to move 4 m?', '3.7 m ahead', False), ('is it 2 m tall?', 'yes', False)])
def test_answers_about_moves(question, text, expected):
    assert is_about_a_move(question, parse_answer(text)) is expected


def test_pixels_stand_for_places_and_back():
    asked = with_places('how far is (320, 410) from (0,0)?', (640, 480))
    assert asked == 'how far is <region:0.50078,0.85521> from <region:0.00078,0.00104>?'
    assert with_pixels(asked, (640, 480)) == 'how far is (320, 410) from (0, 0)?'
    for written in ('[320, 410]', '(320 410)', '(320;410)', '( 320.7, 410.2 )'):
        assert with_places(written, (640, 480)) == '<region:0.50078,0.85521>'


@pytest.mark.parametrize(('question', 'asked'), [
    ('which is nearer, {0} or {1}?', 'which is nearer, A {0} or B {1}?'),
    ('sort {0}, {1}, {0}', 'sort A {0}, B {1}, C {0}'),
    *((text, text) for text in (
        'which is nearer, B {0} or A {1}?', 'how far is {0} from {1}?', 'is {0} higher than {1}?',
        'is {0} nearer to the floor than {1}?', 'what is at {0}?',
        'how far is the first one {0} from {1}?', 'what is the gap between first {0} and {1}?',
        'how far is point 1 {0}?'))])
def test_places_that_are_compared_are_called_a_and_b(question, asked):
    places = ('<loc:0.1,0.2>', '<region:0.3,0.4>')
    assert with_places(question.format(*places), (640, 480)) == asked.format(*places)


@pytest.mark.parametrize(('question', 'match'), [
    ('(640, 0)', r'\(640, 0\) is outside .* 640x480'), ('(-5, 30)', 'outside'),
    ('(123456, 3)', 'outside'), ('(0.5, 0.5)', 'shares'), ('x=80, y=100', r'\(column, row\)'),
    ('pixel 80 100', r'\(column, row\)'), ('<region:1.5,0.5>', 'between 0 and 1'),
    ('<loc:.5,.5>', 'between 0 and 1'), ('<region:0.5', 'between 0 and 1'),
    *((text, 'cannot be read') for text in (
        '160,120', '160,120?', 'point 80 60', '{80,60}', '<80,60>', '(80px, 60px)', '(50%, 50%)',
        '(80,60,0)'))])
def test_places_that_would_be_overlooked_are_refused(question, match):
    with pytest.raises(LanguageError, match=match):
        with_places(f'how far is {question}', (640, 480))
