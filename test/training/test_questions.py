"""Questions on a frame whose every distance is known, and on cast frames."""

from collections import Counter
from dataclasses import replace
import re

from deepsight_training.instructions.draft import is_flat
from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.questions import wordings_of
from deepsight_training.instructions.questions import write_question
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.splits import TRAINED
from deepsight_training.instructions.views import layout_samples
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import find_places

WIDTH, HEIGHT, FOCAL, LEVEL = 160, 120, 120.0, 0.5
CHAIR, BIN = CLASS_NAMES.index('chair'), CLASS_NAMES.index('bin')


@pytest.fixture(scope='module')
def simple() -> FrameSample:
    """A floor, a wall 5 m ahead, and two boards: a chair at 2 m ahead, a bin at 3 m left."""
    camera = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    ground = GroundPlane.from_height(LEVEL)
    depth = ground.depth(camera, max_relative_sigma=1e3)
    classes = np.full(depth.shape, CLASS_NAMES.index('ground'), np.uint8)
    instances = np.zeros(depth.shape, np.int32)
    rays = camera.rays
    for identity, name, z, left, right, tall in (
            (0, 'wall', 5.0, -9.0, 9.0, 9.0), (3, 'bin', 3.0, -1.4, -0.8, 0.6),
            (5, 'chair', 2.0, -0.25, 0.25, 0.9)):
        x, up = z * rays[..., 0], LEVEL - z * rays[..., 1]
        hit = (x >= left) & (x <= right) & (up >= 0) & (up <= tall) & ~(depth < z)
        depth = np.where(hit, np.float32(z), depth)
        classes[hit], instances[hit] = CLASS_NAMES.index(name), identity
    return FrameSample('simple', depth, camera.matrix, np.array([0.0, -1.0, 0.0]), LEVEL,
                       instances, classes, scene='room', indoors=True,
                       extents={'height': 2.5})


@pytest.fixture(scope='module')
def frames() -> list[FrameSample]:
    """Frames of every layout that models train on."""
    kinds = dict.fromkeys(kind for split in TRAINED for kind in SPLITS[split].layouts)
    return [sample for kind in kinds
            for sample in layout_samples(SPLITS['train'], kind, 4, (64, 48))]


def ask(sample, family, seed=0, **options):
    item = write_question(sample, np.random.default_rng(seed), family, **options)
    assert item is not None, family
    return item


def test_every_family_has_twenty_wordings_of_which_four_are_kept():
    for family in FAMILIES:
        seen, unseen = wordings_of(family, 'seen'), wordings_of(family, 'unseen')
        assert len(seen) >= 16 and len(unseen) == 4
        assert len({*seen, *unseen}) == len(seen) + len(unseen), family


def test_distances_of_the_simple_frame(simple):
    assert ask(simple, 'nearest_obstacle').value == pytest.approx(2.0, abs=1e-3)
    # The floor below the camera is nearer than anything that stands.
    lowest = 59.5 / FOCAL
    floor = LEVEL / lowest * np.sqrt(1 + lowest**2)
    assert ask(simple, 'nearest_surface').value == pytest.approx(floor, rel=0.01)
    by_thing = {ask(simple, 'thing_distance', seed).text.count('bin'): ask(
        simple, 'thing_distance', seed).value for seed in range(20)}
    assert by_thing[0] == pytest.approx(2.0, rel=0.01)
    assert by_thing[1] == pytest.approx(np.hypot(3.0, 0.8), rel=0.01)
    assert ask(simple, 'extent').value == 2.5


def test_sizes_of_the_simple_frame(simple):
    found = {}
    for seed in range(60):
        item = ask(simple, 'size', seed)
        thing = 'bin' if 'bin' in item.text else 'chair'
        measure = 'width' if 'wid' in item.text else 'height'
        found[thing, measure] = item.value
    assert found['bin', 'height'] == pytest.approx(0.6, abs=0.03)
    assert found['bin', 'width'] == pytest.approx(0.6, abs=0.08)
    assert found['chair', 'height'] == pytest.approx(0.9, abs=0.03)
    assert found['chair', 'width'] == pytest.approx(0.5, abs=0.05)
    assert 'bin' in ask(replace(simple, cut=frozenset([5])), 'size').text
    below = simple.instances.copy()
    below[80:, 75:85] = 5
    below = replace(simple, instances=below, cut=frozenset([3]))
    assert not any('wid' in ask(below, 'size', seed).text for seed in range(20))


def test_distance_between_things_is_that_of_their_nearest_points(simple):
    bin_, chair = (simple.points[simple.instances == thing] for thing in (3, 5))
    nearest = min(np.linalg.norm(bin_ - point, axis=1).min() for point in chair)
    asked = [ask(simple, 'distance_between', seed) for seed in range(20)]
    found = [item.value for item in asked if 'chair' in item.text]
    assert found == pytest.approx([nearest] * len(found)) and found


@pytest.mark.parametrize(('seen', 'never'), [
    ('person', 'bicycle'), ('bush', 'plant|tree'), ('tree', 'bush')])
def test_what_may_be_in_view_is_not_called_absent(simple, seen, never):
    classes = np.where(simple.classes == CHAIR, CLASS_NAMES.index(seen), simple.classes)
    for indoors in (True, False):
        view = replace(simple, classes=classes.astype(np.uint8), indoors=indoors)
        assert not any(re.search(never, ask(view, 'absent_thing', seed).text)
                       for seed in range(60))
    assert write_question(replace(view, indoors=None), np.random.default_rng(0),
                          'absent_thing') is None


def test_things_of_the_simple_frame(simple):
    for seed in range(30):
        item = ask(simple, 'exists', seed)
        is_there = re.search(r'\b(chair|bin)s?\b', item.text) is not None
        assert item.answer == ('yes' if is_there else 'no')
        item = ask(simple, 'left_right', seed)
        side = parse_answer(item.answer).value
        assert side == ('left' if item.places[0].u < item.places[1].u else 'right')
    asked = [write_question(simple, np.random.default_rng(seed), 'count') for seed in range(60)]
    counted = [item for item in asked if item]
    assert {parse_answer(item.answer).value for item in counted} == {0, 1}
    assert all(len(item.places) == item.value for item in counted)
    absent = ask(simple, 'absent_thing')
    assert 'chair' not in absent.text and absent.kind == 'unknown'
    assert ask(simple, 'scene').answer == 'room'


def test_answers_are_what_depth_says_at_the_places(frames):
    """Recompute every answer that is about places from the raw depth image."""
    rng, checked = np.random.default_rng(1), Counter()
    for sample in frames:
        rays = sample.camera.rays * sample.depth[..., None]
        for family in ('place_distance', 'nearer', 'order', 'above_below', 'place_height'):
            item = write_question(sample, rng, family)
            if item is None:
                continue
            assert {*map(str, item.places)} == {*map(str, find_places(item.text))}
            pixels = [place.pixel(*sample.camera.size) for place in item.places]
            points = np.array([rays[row, column] for column, row in pixels])
            ranges = np.linalg.norm(points, axis=1)
            heights = sample.camera_height + points @ sample.up
            ranking = ''.join('ABC'[i] for i in np.argsort(ranges))
            assert parse_answer(item.answer).value == {
                'place_distance': pytest.approx(ranges[0], rel=0.01, abs=0.006),
                'place_height': pytest.approx(heights[0], rel=0.01, abs=0.006),
                'nearer': ranking[0], 'order': ranking,
                'above_below': 'higher' if heights[0] > heights[-1] else 'lower'}[family]
            checked[family] += 1
    assert min(checked.values()) > 20


def test_safe_is_drawn_near_the_clearance_and_answered_by_it(simple):
    answers, ratios = Counter(), []
    for seed in range(200):
        item = ask(simple, 'safe', seed)
        asked = parse_answer(item.text.partition('move ')[2] or '').distance
        if asked is None:
            continue
        ratios.append(asked / 2.0)
        assert item.answer.startswith('yes' if asked < 2.0 else 'no')
        answers[item.answer.split(',')[0]] += 1
    assert min(answers.values()) > 0.3 * sum(answers.values())
    assert min(max(r, 1 / r) for r in ratios) > 1.03 and max(ratios) < 1.55


def test_a_larger_robot_meets_more(simple):
    large = replace(simple, robot=Robot(width=3.2, height=2.0, min_obstacle_height=0.1))
    narrow = replace(simple, robot=Robot(width=0.2, height=0.3, min_obstacle_height=0.2))
    assert ask(large, 'nearest_obstacle').value == pytest.approx(2.0, abs=0.01)
    assert ask(narrow, 'nearest_obstacle').value == pytest.approx(2.0, abs=0.01)
    away = replace(simple, depth=np.where(simple.instances == 5, 5.0, simple.depth).astype('f4'))
    assert ask(replace(away, robot=large.robot), 'nearest_obstacle').value == pytest.approx(3.0)
    assert ask(away, 'nearest_obstacle').value == pytest.approx(5.0)


def test_nearer_ignores_which_is_lower_and_balances_letters(frames):
    rng = np.random.default_rng(3)
    lower, letters = Counter(), Counter()
    for sample in frames * 4:
        item = write_question(sample, rng, 'nearer')
        if item is None:
            continue
        a, b = find_places(item.text)
        lower[(a.v > b.v) == (item.answer == 'A')] += 1
        letters[item.answer] += 1
        ranges = [sample.ranges[place.pixel(*sample.camera.size)[::-1]] for place in (a, b)]
        assert 1.04 <= max(ranges) / min(ranges) <= 1.5 + 1e-3
    total = sum(letters.values())
    assert total > 80
    assert 0.35 < lower[True] / total < 0.65
    assert 0.35 < letters['A'] / total < 0.65


def test_all_families_are_written_and_read_back(frames):
    rng, families = np.random.default_rng(5), Counter()
    for sample in frames:
        for item in write_questions(sample, rng, count=24):
            families[item.family] += 1
            assert '{' not in item.text and 'None' not in item.text
            answer = parse_answer(item.answer)
            assert answer.kind == item.kind
            assert not item.options or answer.value in item.options
            if item.value is not None and answer.kind == 'distance':
                assert answer.value == pytest.approx(item.value, rel=0.06)
    assert set(families) == set(FAMILIES)


def fits(text, wording):
    """Whether a text can be a wording with its gaps filled."""
    gaps = re.sub(r'\\{\w+\\}', '.+', re.escape(wording.rstrip('.?')))
    return re.fullmatch(f'{gaps}[.?]?', text, re.IGNORECASE) is not None


def test_unseen_wordings_are_never_among_the_seen(frames):
    rng = np.random.default_rng(6)
    for item in write_questions(frames[0], rng, wordings='unseen'):
        assert item.wording == 'unseen'
        assert any(fits(item.text, wording) for wording in wordings_of(item.family, 'unseen'))
        assert not any(fits(item.text, wording) for wording in wordings_of(item.family, 'seen'))


def test_unlabelled_frames_are_asked_for_geometry_only(simple):
    measured = FrameSample.unlabelled('m', simple.depth, simple.camera, simple.ground)
    items = [item for seed in range(20)
             for item in write_questions(measured, np.random.default_rng(seed))]
    families = {item.family for item in items}
    assert families == {'nearest_obstacle', 'nearest_surface', 'place_distance', 'place_height',
                        'distance_between', 'nearer', 'order', 'safe', 'free_direction',
                        'above_below', 'out_of_scope'}


def test_without_ground_nothing_is_asked_that_needs_it(simple):
    floating = FrameSample.unlabelled('m', simple.depth, simple.camera, None)
    assert floating.ground is None
    families = {item.family for seed in range(20)
                for item in write_questions(floating, np.random.default_rng(seed))}
    assert families == {'nearest_surface', 'place_distance', 'distance_between', 'nearer', 'order',
                        'out_of_scope'}
    with pytest.raises(ValueError, match='ground is unknown'):
        _ = floating.ground_points


def test_places_lie_on_one_surface():
    ranges = np.full((20, 20), 2.0, np.float32)
    ranges[:, 10:] = 3.0
    ranges[9:12, 5] = np.nan
    rows, columns = np.array([5, 5, 5, 10, 10]), np.array([4, 9, 14, 4, 5])
    np.testing.assert_array_equal(is_flat(ranges, rows, columns), [True, False, True, True, False])


def test_unknown_families_are_named(simple):
    with pytest.raises(ValueError, match='no_such'):
        write_questions(simple, np.random.default_rng(0), {'no_such': 1.0})
