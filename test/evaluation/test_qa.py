"""Question answering: VSI-Bench's scores, benchmark files, blind baselines, the command."""

from dataclasses import replace
import json
import math

import numpy as np
import pytest

from deepsight_ros.cli import main
from deepsight_ros.evaluation.depth_reader import read_off
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.evaluation.qa_items import describe_frame
from deepsight_ros.evaluation.qa_items import frames_of
from deepsight_ros.evaluation.qa_items import QaItem
from deepsight_ros.evaluation.qa_items import read_items
from deepsight_ros.evaluation.qa_scores import blind_scores
from deepsight_ros.evaluation.qa_scores import lower_is_nearer
from deepsight_ros.evaluation.qa_scores import mean_relative_accuracy
from deepsight_ros.evaluation.qa_scores import Reply
from deepsight_ros.evaluation.qa_scores import score
from deepsight_ros.evaluation.qa_scores import summarise
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.evidence import DepthFrame

DISTANCE = QaItem(0, 'test', 'scene', 'place_distance', 'distance', 'distance', 'how far?', '2.0',
                  'm', (), ((0.5, 0.5),), {'depth': 'frames/a.npz'})
NEARER = replace(DISTANCE, id=1, question_type='nearer', kind='choice', ground_truth='A', unit='',
                 options=('A', 'B'), places=((0.2, 0.3), (0.8, 0.9)))
UNKNOWN = replace(DISTANCE, id=2, question_type='out_of_scope', category='out_of_scope',
                  kind='unknown', ground_truth='unknown', unit='')
COUNT = replace(DISTANCE, id=3, question_type='count', category='counting', kind='count',
                ground_truth='3', unit='')


@pytest.mark.parametrize(('prediction', 'truth', 'expected'), [
    (2.0, 2.0, 1.0), (2.08, 2.0, 1.0), (2.16, 2.0, 0.9), (2.4, 2.0, 0.7), (2.9, 2.0, 0.2),
    (3.1, 2.0, 0.0), (0.0, 2.0, 0.0), (1.84, 2.0, 0.9), (math.nan, 2.0, 0.0), (5.0, 4.0, 0.6)])
def test_mra_has_ten_levels(prediction, truth, expected):
    assert mean_relative_accuracy(prediction, truth) == pytest.approx(expected)


def test_mra_is_the_official_formula():
    rng = np.random.default_rng(0)
    for truth, prediction in rng.uniform(0.1, 10, (200, 2)):
        # thinking-in-space: np.linspace(start, end, int((end - start) / interval + 2))
        levels = np.linspace(0.5, 0.95, int((0.95 - 0.5) / 0.05 + 2))
        expected = (abs(prediction - truth) / truth <= 1 - levels).mean()
        assert mean_relative_accuracy(prediction, truth) == expected
    with pytest.raises(ValueError, match='positive'):
        mean_relative_accuracy(1.0, 0.0)


@pytest.mark.parametrize(('item', 'text', 'expected'), [
    (DISTANCE, '2.00 m', 1.0), (DISTANCE, '2.00 m at <loc:0.1,0.2>', 1.0),
    (DISTANCE, '2.0', 1.0), (DISTANCE, '2', 1.0), (DISTANCE, '200 cm', 1.0),
    (DISTANCE, 'chair', 0.0), (DISTANCE, 'cannot tell from depth', 0.0),
    (NEARER, 'A', 1.0), (NEARER, 'a', 1.0), (NEARER, 'A.', 1.0), (NEARER, 'B', 0.0),
    (NEARER, 'cannot tell from depth', 0.0),
    (UNKNOWN, 'cannot tell from depth', 1.0), (UNKNOWN, 'none in view', 1.0),
    (UNKNOWN, 'I cannot tell the colour.', 1.0), (UNKNOWN, 'None in view.', 1.0),
    (UNKNOWN, '', 0.0), (UNKNOWN, 'It is red, with white stripes.', 0.0),
    (UNKNOWN, '3', 0.0), (COUNT, '3', 1.0), (COUNT, '4', 0.0), (COUNT, '3 m', 0.0),
    (replace(NEARER, kind='yes_no', ground_truth='no'), 'no, 1.20 m ahead at <loc:0.5,0.5>', 1.0),
    (replace(NEARER, kind='class', ground_truth='chair'), 'Chair', 1.0)])
def test_scores(item, text, expected):
    assert score(item, text) == expected


def test_summary_keeps_counting_and_refusals_apart():
    second = replace(NEARER, id=4, ground_truth='B')
    items = [DISTANCE, NEARER, second, UNKNOWN, COUNT]
    texts = ['1.9 m', 'A', 'cannot tell from depth', 'cannot tell from depth', '#2']
    replies = [Reply(text, 0.04, 0.1 + 0.01 * i, 11) for i, text in enumerate(texts)]
    summary = summarise(items, replies)
    assert summary['items'] == 5
    assert summary['categories'] == {
        'place_distance': {'n': 1, 'mra': pytest.approx(1.0)}, 'nearer': {'n': 2, 'accuracy': 0.5},
        'out_of_scope': {'n': 1, 'accuracy': 1.0}, 'count': {'n': 1, 'accuracy': 0.0}}
    assert summary['macro_accuracy'] == 0.5
    assert summary['macro_mra'] == pytest.approx(1.0)
    assert summary['groups']['distance'] == {'n': 3, 'score': pytest.approx(0.75)}
    assert (summary['refused'], summary['false_refused']) == (1.0, 0.25)
    assert summary['latency_ms'] == {
        'first_token': pytest.approx(40), 'median': pytest.approx(120),
        'p95': pytest.approx(138)}
    assert summary['tokens_per_second'] == pytest.approx(55 / (5 * 0.08))


def test_blind_baselines():
    higher = replace(NEARER, id=5, places=((0.2, 0.9), (0.8, 0.3)))
    far = replace(DISTANCE, id=6, ground_truth='8')
    blind = blind_scores([NEARER, higher, DISTANCE, far])
    assert lower_is_nearer(NEARER) == 'B' and lower_is_nearer(higher) == 'A'
    assert blind['nearer'] == {'best_constant': 1.0, 'lower_is_nearer': 0.5}
    assert blind['place_distance'] == {'best_constant': 0.5}
    order = replace(NEARER, ground_truth='BCA', places=((0, 0.1), (0, 0.9), (0, 0.5)))
    assert lower_is_nearer(order) == 'BCA'


@pytest.fixture
def benchmark(tmp_path):
    """A benchmark of two questions about one frame."""
    frame = DepthFrame(np.full((6, 8), 2.0, np.float32), Camera(8, 6, 10.0, 11.0, 3.5, 2.5),
                    GroundPlane.from_height(0.8, 0.1), Robot(0.5, 1.0, 0.1))
    (tmp_path / 'frames').mkdir()
    np.savez_compressed(tmp_path / 'frames' / 'a.npz', depth=frame.depth)
    described = describe_frame(frame, 'frames/a.npz')
    path = tmp_path / 'test.jsonl'
    path.write_text('\n'.join(replace(item, frame=described).to_json()
                              for item in (DISTANCE, NEARER)), 'utf8')
    return path, frame


def test_a_benchmark_survives_writing_and_reading(benchmark):
    path, frame = benchmark
    items = read_items(path)
    assert [item.question_type for item in items] == ['place_distance', 'nearer']
    assert items[1].places == NEARER.places and items[1].options == ('A', 'B')
    assert items[0].options == ()
    (read, group), = frames_of(path.parent, items)
    assert group == items
    assert read.camera == frame.camera and read.robot == frame.robot
    assert read.ground is not None
    np.testing.assert_allclose(read.ground.normal, frame.ground.normal)
    np.testing.assert_array_equal(read.depth, frame.depth)


@pytest.mark.parametrize(('change', 'reason'), [
    ({'kind': 'guess'}, 'guess'), ({'ground_truth': '0'}, 'not positive'),
    ({'ground_truth': 'far'}, 'far'), ({'id': None}, 'line 1'), ({'frame': 3}, 'line 1')])
def test_broken_items_are_named(benchmark, change, reason):
    path, _ = benchmark
    line = json.loads(path.read_text('utf8').splitlines()[0])
    path.write_text(json.dumps({**line, **change}), 'utf8')
    with pytest.raises(DatasetError, match=reason):
        read_items(path)


def test_missing_fields_files_and_depth_are_named(benchmark):
    path, _ = benchmark
    items = read_items(path)
    (path.parent / 'frames' / 'a.npz').write_bytes(b'no zip')
    with pytest.raises(DatasetError, match='a.npz'):
        list(frames_of(path.parent, items))
    path.write_text('{"id": 1}', 'utf8')
    with pytest.raises(DatasetError, match="lacks 'dataset'"):
        read_items(path)
    path.write_text('\n', 'utf8')
    with pytest.raises(DatasetError, match='no questions'):
        read_items(path)
    path.write_bytes(b'\xff')
    with pytest.raises(DatasetError, match='save it as UTF-8'):
        read_items(path)
    with pytest.raises(DatasetError, match='--benchmark'):
        read_items(path.parent / 'other.jsonl')


def test_items_with_one_id_are_refused(benchmark):
    path, _ = benchmark
    line = path.read_text('utf8').splitlines()[0]
    path.write_text(f'{line}\n\n{line}\n', 'utf8')
    with pytest.raises(DatasetError, match='line 3: there is an item 0 already'):
        read_items(path)


@pytest.mark.parametrize(('lines', 'words'), [
    (b'{"id": 1, "text": "A"}\n{"id": 1, "text": "B"}\n', 'line 2: question 1 has an answer'),
    (b'\n[1]\n', 'line 2: no JSON with id'), (b'\xff', 'save it as UTF-8')])
def test_broken_answers_are_named(benchmark, tmp_path, capsys, lines, words):
    path, _ = benchmark
    answers = tmp_path / 'answers.jsonl'
    answers.write_bytes(lines)
    assert main(['evaluate', 'qa', '--benchmark', str(path), '--model', str(answers)]) == 2
    assert words in capsys.readouterr().err


def test_command_scores_answers_from_a_file(benchmark, tmp_path, capsys):
    path, _ = benchmark
    answers = tmp_path / 'answers.jsonl'
    answers.write_text('{"id": 1, "text": "A"}\n{"id": 0, "text": "2.30 m"}\n\n', 'utf8')
    report = tmp_path / 'report.json'
    assert main(['evaluate', 'qa', '--benchmark', str(path), '--model', str(answers),
                 '--json', str(report)]) == 0
    summary = json.loads(report.read_text('utf8'))
    assert summary['model'] == 'answers.jsonl'
    assert summary['macro_accuracy'] == 1.0
    assert summary['macro_mra'] == pytest.approx(0.8)
    assert summary['latency_ms']['median'] is None
    printed = capsys.readouterr().out
    assert 'nearer' in printed and 'best constant' in printed
    assert summary['read_off'].keys() == {'place_distance', 'nearer'}
    assert summary['read_off']['place_distance'] == 1.0
    answers.write_text('{"id": 1, "text": "A"}\n', 'utf8')
    assert main(['evaluate', 'qa', '--benchmark', str(path), '--model', str(answers)]) == 2
    assert 'no answer to 1 questions' in capsys.readouterr().err


@pytest.mark.parametrize(('question_type', 'places', 'question', 'expected'), [
    ('place_distance', ((0.5, 0.9),), 'how far?', '1.05 m'),
    ('nearer', ((0.5, 0.1), (0.5, 0.9)), 'which?', 'B'),
    ('order', ((0.5, 0.1), (0.5, 0.9), (0.1, 0.1)), 'sort', 'BAC'),
    ('distance_between', ((0.5, 0.1), (0.5, 0.9)), 'how far?', '1.10 m'),
    ('nearest_surface', (), 'how near?', '1.02 m'),
    ('nearest_obstacle', (), 'how far?', '2.00 m'),
    ('safe', (), 'is it safe to move 1.90 m?', 'yes'), ('safe', (), 'can I go 210 cm?', 'no'),
    ('place_height', ((0.5, 0.1),), 'how high?', '0.41 m'),
    ('above_below', ((0.5, 0.9), (0.5, 0.1)), 'higher?', 'lower'),
    ('recognition', ((0.5, 0.5),), 'what?', None), ('nearer', ((0.5, 0.5),), 'which?', None),
    ('place_height', (), 'how high?', None), ('above_below', (), 'higher?', None)])
def test_what_depth_says_by_itself(question_type, places, question, expected):
    depth = np.full((50, 60), 2.0, np.float32)
    depth[30:] = 1.0
    # What is near lies below 0.1 m: no obstacle.
    frame = DepthFrame(depth, Camera(60, 50, 100.0, 100.0, 29.5, 12.0),
                       GroundPlane.from_height(0.27), Robot(0.5, 1.0, 0.1))
    item = replace(DISTANCE, question_type=question_type, places=places, question=question)
    assert read_off(frame, above_ground(frame.points, frame.ground), item) == expected
