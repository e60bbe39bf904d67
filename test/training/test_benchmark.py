"""Benchmarks: balanced, about frames that are there, and true as far as the depth tells."""

from collections import Counter
import re

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.__main__ import main
from deepsight_training.instructions.benchmark import as_measured
from deepsight_training.instructions.benchmark import build
from deepsight_training.instructions.measured import measured_frames
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.shards import read_frames
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.views import layout_samples
import numpy as np
import pytest

from deepsight_ros.evaluation.answer_truth import depth_image
from deepsight_ros.evaluation.datasets import GroundOptions
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.qa_items import frames_of
from deepsight_ros.evaluation.qa_items import read_items
from deepsight_ros.evaluation.qa_scores import blind_scores
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.language.answers import parse_answer


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """A benchmark about frames of class rooms and crowds."""
    folder = tmp_path_factory.mktemp('benchmark')
    samples = [sample for seed in (1, 2) for kind in ('classroom', 'crowd', 'corridor')
               for sample in layout_samples(SPLITS['held_out_layouts'], kind, seed, (80, 60))]
    count = build(as_measured(samples), 'small', folder, 16)
    items = read_items(folder / 'small.jsonl')
    assert len(items) == count
    return folder, items


def test_answers_are_balanced(built):
    _, items = built
    for name in ('nearer', 'exists', 'safe', 'above_below'):
        answers = Counter(item.ground_truth for item in items if item.question_type == name)
        assert len(answers) == 2 and max(answers.values()) - min(answers.values()) <= 1, name
    constant = {name: scores['best_constant'] for name, scores in blind_scores(items).items()}
    assert constant['place_distance'] < 0.4 and constant['order'] < 0.3
    assert 'indoors' not in constant, 'all frames are indoors'


def test_the_length_asked_for_does_not_tell_whether_it_is_safe(built):
    _, items = built
    safe = [item for item in items if item.question_type == 'safe']
    asked = np.array([parse_answer(item.question).distance for item in safe])
    answers = np.array([item.ground_truth == 'yes' for item in safe])
    assert len(safe) >= 10
    by_threshold = max(np.mean((asked < limit) == answers) for limit in [*asked, 1e3])
    assert by_threshold < 0.7
    order = np.argsort(asked)
    assert np.all(asked[order[1::2]] < 1.2 * asked[order[::2]])


def test_truth_follows_from_the_stored_depth(built):
    folder, items = built
    checked = Counter()
    for frame, group in frames_of(folder, items):
        points = organised_points(frame.depth, frame.camera)
        ranges = np.linalg.norm(points, axis=-1)
        found = first_obstacle(above_ground(points, frame.ground), frame.robot)
        for item in group:
            pixels = [(int(v * frame.camera.height), int(u * frame.camera.width))
                      for u, v in item.places]
            if item.question_type == 'place_distance':
                assert float(item.ground_truth) == pytest.approx(ranges[pixels[0]], rel=1e-3)
            elif item.question_type == 'nearest_obstacle':
                assert float(item.ground_truth) == pytest.approx(found.distance, rel=1e-3)
            elif item.question_type == 'nearer':
                assert item.ground_truth == 'AB'[int(np.argmin([ranges[p] for p in pixels]))]
            elif item.question_type == 'safe' and found:
                asked = parse_answer(item.question).distance
                assert (item.ground_truth == 'yes') == (asked < found.distance)
            else:
                continue
            checked[item.question_type] += 1
    assert min(checked.values()) > 5 and len(checked) == 4


def test_unseen_wordings_share_no_question_with_the_seen(built, tmp_path):
    _, items = built
    samples = layout_samples(SPLITS['held_out_layouts'], 'classroom', 1, (80, 60))
    build(as_measured(samples), 'unseen', tmp_path, 16, 'unseen')

    def shapes(items):
        return {re.sub(r'<.*?>|[\d.]+ ?\w+', '', item.question).lower() for item in items
                if item.question_type == 'nearer'}
    unseen = shapes(read_items(tmp_path / 'unseen.jsonl'))
    assert unseen and not unseen & shapes(items)


def test_no_frames_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match='nothing has no frames'):
        build([], 'nothing', tmp_path, 4)


def test_the_nearest_point_of_a_pixel_is_its_depth():
    camera = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)
    truth = np.array([[10, 10, 5.0], [10.4, 10.6, 3.0], [639.4, 479.4, 7.0]], np.float32)
    depth = depth_image(truth, camera)
    assert depth.shape == (240, 320)
    assert depth[5, 5] == 3.0 and depth[239, 319] == 7.0
    assert np.isfinite(depth).sum() == 2
    small = Camera(96, 64, 80.0, 80.0, 47.5, 31.5)
    dense = np.full((64, 96), 2.0, np.float32)
    rows, columns = np.indices(dense.shape)
    points = np.stack([columns, rows, dense], -1).reshape(-1, 3).astype(np.float32)
    np.testing.assert_array_equal(depth_image(points, small), dense)


@pytest.mark.parametrize(('name', 'folder', 'ground'), [
    ('kitti-raw', 'kitti_drive', GroundOptions()),
    ('sevenscenes', 'sevenscenes_kitchen',
     GroundOptions(gravity=(-0.00834, 0.89308, 0.44982), floor=1.521))])
def test_measured_frames_have_a_floor_that_is_no_obstacle(name, folder, ground, tmp_path,
                                                          shared_data):
    if not (shared_data / folder).is_dir():
        pytest.skip(f'real frames are not here: {shared_data / folder} is missing')
    dataset = open_dataset(name, shared_data / folder, ground)
    third = len(dataset) // 3
    frames = list(measured_frames(name, dataset, (0, third, 2 * third)))
    seen = 0
    for frame in frames:
        assert frame.sample.ground is not None
        heights = frame.sample.ground_points[..., 2]
        near = frame.sample.ground_points[..., 0] < 15
        floor = np.abs(heights) < 0.05
        seen += int((floor & near).sum())
        # Nothing lies far below the ground.
        assert np.mean(heights[np.isfinite(heights) & near] < -0.15) < 0.02
    assert seen > 500
    assert build(frames, name, tmp_path, 6) > 30


def test_measured_frames_become_shards_to_train_on(tmp_path, shared_data, monkeypatch):
    folder = shared_data / 'kitti_object'
    if not folder.is_dir():
        pytest.skip(f'real frames are not here: {folder} is missing')
    monkeypatch.setattr('sys.argv', ['instructions', 'measured', '--source', 'kitti-object',
                                     '--data', str(folder), '--out', str(tmp_path)])
    assert main() == 0
    frames = list(read_frames(tmp_path, 'kitti-object'))
    assert len(frames) == 6
    assert all(np.isfinite(frame.depth).sum() > 5000 for frame in frames)
    families = {item.family for frame in frames
                for item in write_questions(frame, np.random.default_rng(0), count=40)}
    assert {'nearer', 'nearest_obstacle', 'safe'} <= families
    assert main() == 0, 'a finished shard is kept'
