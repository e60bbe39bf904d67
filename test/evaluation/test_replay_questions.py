"""Questions along a bag: when they are asked, and how answers are judged by the true depth."""

import argparse
from dataclasses import fields
import json
import math
from pathlib import Path

from bags import PERIOD_NS
from bags import START_NS
from bags import write_bag
import numpy as np
import pytest
import yaml

from deepsight_ros.evaluation import replay
from deepsight_ros.evaluation.answer_summary import summarise_answers
from deepsight_ros.evaluation.answer_tables import answers_text
from deepsight_ros.evaluation.answer_truth import judge
from deepsight_ros.evaluation.answer_truth import true_frame
from deepsight_ros.evaluation.bag_interview import BagAnswer
from deepsight_ros.evaluation.bag_interview import BagInterview
from deepsight_ros.evaluation.datasets.frame import dense_to_points
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.evaluation.question_file import BagQuestion
from deepsight_ros.evaluation.question_file import EVERY
from deepsight_ros.evaluation.question_file import read_questions
from deepsight_ros.evaluation.replay_settings import LanguageSettings
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.replay_settings import SettingsError
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.evidence import Evidence

PLACE = 'How far is (96, 60)?'


def after(pictures: int) -> dict[str, int]:
    return dict(zip(('sec', 'nanosec'), divmod(START_NS + pictures * PERIOD_NS, 10**9),
                    strict=True))


@pytest.fixture
def run(painted_bundle, spatial_language_bundle, tmp_path):
    """Replay a bag with lines of questions; returns the report and the page."""
    def run_it(bag, *lines, out='report', **parameters):
        (tmp_path / 'questions.txt').write_text('\n'.join(lines))
        (tmp_path / 'parameters.yaml').write_text(yaml.safe_dump({
            'embodied_depth': {'ros__parameters': {
                'segmentation_bundle': str(painted_bundle), 'refine_ground': False}},
            '/**/spatial_language': {'ros__parameters': {
                'language_bundle': str(spatial_language_bundle), 'max_frame_age': 1.0,
                **parameters}}}))
        parser = argparse.ArgumentParser()
        replay.add_arguments(parser)
        folder = tmp_path / out
        assert replay.run(parser.parse_args([
            str(bag), '--out', str(folder), '--params', str(tmp_path / 'parameters.yaml'),
            *(('--questions', str(tmp_path / 'questions.txt')) if lines else ())])) == 0
        return (json.loads((folder / 'report.json').read_text('utf8')),
                (folder / 'report.html').read_text('utf8'))
    return run_it


def test_questions_are_asked_when_they_fall_due(street, run, tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', street, truth='depth')
    lines = ['# a remark', '', json.dumps({'text': PLACE, 'every': 1}),
             'how far is the nearest obstacle?',
             json.dumps({'id': 7, 'text': 'what is there?', 'after': after(2)})]
    texts = []
    for out in ('first', 'second'):
        report, page = run(bag, *lines, out=out)
        assert report.pop('timings')['answer']['median'] > 0
        texts.append(json.dumps(report))
    assert texts[0] == texts[1]
    questions = report['questions']
    assert [(row['question'], round(row['time'], 1)) for row in questions['answers']] == [
        (PLACE, 0.0), ('how far is the nearest obstacle?', 0.0), (PLACE, 0.1), (PLACE, 0.2),
        ('what is there?', 0.2), (PLACE, 0.3)]
    assert questions['answers'][4]['id'] == 7
    assert questions['answers'][4]['stamp'] == after(2)
    assert [row['asked'] for row in questions['by_question']] == [4, 1, 1]
    assert questions['all']['asked'] == questions['asked'] == 6
    assert questions['model'].startswith('deepsight_nano')
    assert '<h2>Answers</h2>' in page
    assert f'1. {PLACE}' in page
    assert f'1. {PLACE}' in capsys.readouterr().out
    assert 'latency_ms' not in questions['answers'][0]


def test_a_bag_without_truth_and_questions_that_never_fall_due(street, run, tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', street)
    report, _ = run(bag, PLACE, out='known')
    row, = report['questions']['answers']
    assert row['right'] is row['true_length_m'] is row['length_error'] is None
    assert report['questions']['all']['right'] is None
    late = json.dumps({'text': 'what is there?', 'after': after(9)})
    report, page = run(bag, PLACE, late, out='both')
    assert [row['asked'] for row in report['questions']['by_question']] == [1, 0]
    for text in (page, capsys.readouterr().out):
        assert '2. what is there? (never fell due)' in text
        assert f'1. {PLACE} (never' not in text
    report, page = run(bag, late, out='late')
    assert (report['questions']['asked'], report['timings']['answer']) == (0, None)
    assert 'No question fell due.' in page
    assert 'No question fell due.' in capsys.readouterr().out
    report, page = run(bag, out='none')
    assert report['questions'] is None
    assert '<h2>Questions</h2>' not in page


def test_bad_questions_are_answered_with_the_reason(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    report, page = run(bag, 'how far is (500, 10)?')
    row, = report['questions']['answers']
    assert row['status'] == 'rejected'
    assert 'outside the depth image of 192x64' in row['error']
    assert 'rejected: pixel (500, 10) is outside' in page
    assert (report['questions']['all']['asked'], report['questions']['all']['answered']) == (1, 0)


def test_the_robot_is_the_one_of_the_parameters(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    with pytest.raises(SettingsError, match="no parameter 'robot_girth'"):
        run(bag, PLACE, robot_girth=1.0)


@pytest.mark.parametrize(('line', 'expected'), [
    ('  how far is it? ', BagQuestion('how far is it?')),
    ('{"text": "where?", "every": 3}', BagQuestion('where?', every=3)),
    ('{"text": "where?", "id": "a"}', BagQuestion('where?', 'a', EVERY)),
    ('{"text": "where?", "after": {"sec": 3, "nanosec": 5}}',
     BagQuestion('where?', after_ns=3_000_000_005)),
    ('"quoted"', BagQuestion('"quoted"')), ('42', BagQuestion('42')),
    ('["a", "b"]', BagQuestion('["a", "b"]')),
])
def test_lines_that_are_questions(line, expected, tmp_path):
    file = tmp_path / 'questions.txt'
    file.write_text(f'# remark\n\n{line}\n')
    assert read_questions(file) == [expected]


@pytest.mark.parametrize(('line', 'words'), [
    ('{"text": "where?", "every": 0}', 'every is 0, must be a positive number'),
    ('{"text": "where?", "every": true}', 'every is True'),
    ('{"text": "where?", "every": 2, "after": {"sec": 1, "nanosec": 0}}', 'exclude each other'),
    ('{"text": "where?", "deadline_s": 1}', 'deadline_s means nothing'),
    ('{"cancel": 1}', 'nothing can be cancelled'), ('{"text": "where?"', 'starts like JSON'),
    ('{"text": "where?", "at": 3}', "has 'at', known are"), ('x' * 2000, 'at most 1000'),
])
def test_lines_that_are_none(line, words, tmp_path):
    file = tmp_path / 'questions.txt'
    file.write_text(f'how far is it?\n{line}\n')
    with pytest.raises(DatasetError, match=f'line 2: .*{words}'):
        read_questions(file)
    file.write_text('# nothing but a remark\n')
    with pytest.raises(DatasetError, match='holds no questions'):
        read_questions(file)
    file.write_bytes(b'wie weit ist die T\xfcr?\n')
    with pytest.raises(DatasetError, match='save it as UTF-8'):
        read_questions(file)


def test_the_true_depth_judges_answers(street):
    truth = true_frame(dense_to_points(street.depth), street.camera, street.ground, Robot())
    size = street.camera.size
    x, y, z = street.camera.rays[60, 96] * street.depth[60, 96]
    distance = math.sqrt(x * x + y * y + z * z)
    found = judge(truth, size, PLACE, f'{distance:.2f} m')
    assert found.agrees
    assert found.measured == pytest.approx(distance, rel=1e-5)
    assert judge(truth, size, PLACE, '9.00 m').agrees is False
    assert judge(truth, size, 'How high is (96, 60)?', '0.01 m').measured == pytest.approx(
        0.0, abs=1e-4)
    pointed = judge(truth, size, 'How far is the nearest point?', f'{distance:.2f} m at (96, 60)')
    assert pointed.agrees
    assert judge(truth, size, 'How far is the nearest obstacle?', 'nothing ahead').agrees
    assert judge(truth, size, PLACE, '').agrees is None
    free = judge(truth, size, 'Is it safe to move 1 m?', 'nothing ahead').measured or math.inf
    for wanted in (1.0, 500.0):
        for word in ('yes', 'no'):
            said = judge(truth, size, f'Is it safe to move {wanted} m?', f'{word}, 40.0 m ahead')
            assert said.agrees is ((wanted < free) == (word == 'yes'))
    assert judge(truth, size, 'Is it safe to move on?', 'yes, 40.0 m ahead').agrees is None


def test_true_points_finer_than_a_scanner_keep_the_nearest(street):
    camera = street.camera.scaled(1920, 640)
    points = dense_to_points(street.depth)
    points[:, :2] = (points[:, :2] + 0.5) * 10 - 0.5
    behind = points.copy()
    behind[:, 2] += 1.0
    for order in ((points, behind), (behind, points)):
        frame = true_frame(np.concatenate(order), camera, street.ground, Robot())
        assert frame.depth.shape == (107, 320)
        measured = frame.depth[frame.depth > 0]
        assert set(measured.tolist()) <= set(points[:, 2].tolist())


def answer(text, kind, value, agrees, truth):
    return BagAnswer(START_NS, {
        'question': text, 'text': 'said', 'kind': kind, 'value': value, 'status': 'ok',
        'agrees_with_depth': agrees, 'error': ''}, truth, 0.05)


def test_scores_by_question(spatial_language_bundle):
    interview = BagInterview.load([], LanguageSettings(
        language_bundle=str(spatial_language_bundle)))
    interview.answers += [
        answer('far?', 'distance', 2.0, True, Evidence(agrees=True, measured=2.1)),
        answer('far?', 'distance', 3.0, False, Evidence(agrees=False, measured=2.0)),
        answer('far?', 'distance', 2.0, True, None),
        answer('safe?', 'yes_no', 'yes', None, Evidence(agrees=True, measured=4.0)),
        answer('colour?', 'unknown', None, None, Evidence())]
    summary = summarise_answers(interview, START_NS)
    interview.close()
    far, safe, colour = summary['by_question']
    assert (far['asked'], far['checked_with_depth'], far['checked_with_truth']) == (3, 3, 2)
    assert far['agrees_with_depth'] == pytest.approx(2 / 3)
    assert (far['right'], far['lengths']) == (0.5, 2)
    # 4.8 % off passes all ten levels, 50 % the first one alone.
    assert far['mra'] == pytest.approx((1.0 + 0.1) / 2)
    assert far['median_error'] == pytest.approx((0.1 / 2.1 + 0.5) / 2)
    assert (safe['right'], safe['lengths']) == (1.0, 0)
    assert math.isnan(colour['right'])
    assert summary['all']['right'] == pytest.approx(2 / 3)
    text = answers_text({'questions': summary, 'timings': {
        'answer': {'median': 0.05, 'p95': 0.06}}})
    assert '1. far?' in text
    assert '50 ms an answer (median), 60 ms (19 of 20)' in text


def test_one_file_for_both_nodes(tmp_path):
    """Sections for all nodes may set what only one of them has."""
    file = tmp_path / 'parameters.yaml'
    file.write_text('/**:\n  ros__parameters: {robot_width: 1.9, max_range: 50, deadline: 3.0}\n')
    assert ReplaySettings.from_file(file).max_range == 50.0
    assert LanguageSettings.from_file(file).robot_width == 1.9


def test_parameters_are_those_of_the_node():
    pytest.importorskip('rclpy', reason='the node is not installed: pip install .[ros]')
    from deepsight_ros.ros.parameters import SpatialLanguageParameters
    node = {item.name: item.default for item in fields(SpatialLanguageParameters)}
    own = {item.name: item.default for item in fields(LanguageSettings)}
    assert own.items() <= node.items()
    LanguageSettings.from_values(node, 'the node')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.txt'):
        read_questions(Path(tmp_path, 'none.txt'))
