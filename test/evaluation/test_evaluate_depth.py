"""``deepsight evaluate depth`` and ``deepsight convert`` on tiny data sets of every layout."""

import argparse
import json
import math

from layouts import kitti_raw
from layouts import LAYOUTS
from layouts import sevenscenes
import numpy as np
import pytest

from deepsight_ros.evaluation import convert
from deepsight_ros.evaluation import evaluate_depth
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.datasets import DatasetError
from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.json_report import to_json
from deepsight_ros.evaluation.masks import DegradedSegmentation
from deepsight_ros.evaluation.metrics import METRICS
from deepsight_ros.evaluation.replay_run import replay_bag
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.perception.segmentation import Segmentation

GROUND = {
    'nyu': ('--camera-height', '1.65'), 'sunrgbd': ('--camera-height', '1.65'),
    'tum': ('--floor', '0', '--gravity=0,0,-1'),
    'sevenscenes': ('--floor', '0', '--gravity=0,0,-1')}


def parsed(command, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def evaluate(painted_bundle, tmp_path):
    """Run the command on a data set in ``tmp_path/data``; returns its JSON."""
    def run(dataset, *options):
        file = tmp_path / 'result.json'
        args = parsed(evaluate_depth, '--dataset', dataset, '--root', tmp_path / 'data',
                      '--method', 'embodied', '--bundle', painted_bundle, '--json', file,
                      *GROUND.get(dataset, ()), *options)
        assert evaluate_depth.run(args) == 0
        return json.loads(file.read_text('utf8'))
    return run


@pytest.mark.parametrize('name', DATASETS)
def test_every_data_set(name, street, evaluate, tmp_path):
    LAYOUTS[name](tmp_path / 'data', street)
    result = evaluate(name, '--no-refine-ground')
    assert result['dataset'] == name
    assert result['frames'] > 0
    assert list(result['metrics']) == list(METRICS)
    assert set(result['by_step']) == {'road_on_ground', 'road', 'ground_on_ground', 'ground',
                                      'scene', 'ground_recall'}
    assert {'segmentation', 'embodied', 'total'} <= set(result['seconds_per_frame'])
    assert sum(row['points'] for row in result['by_range']) > 1000
    if name not in ('nyu', 'tum'):  # their intrinsics are not the street's
        assert result['metrics']['within_5'] > 0.99
        assert result['by_step']['ground_recall'] > 0.99


def test_options(street, evaluate, tmp_path):
    kitti_raw(tmp_path / 'data', street)
    base = ('kitti-raw', '--no-refine-ground')
    assert evaluate(*base, '--frames', 2)['frames'] == 2
    assert evaluate(*base, '--cap', 10)['by_range'][-1]['to'] == 10
    assert evaluate(*base, '--camera-height', 1.98)['metrics']['abs_rel'] == pytest.approx(
        0.2, abs=0.01)
    tilted = evaluate(*base, '--pitch-error', math.radians(1.0))
    assert tilted['ground_plane']['pitch_deg']['median'] == pytest.approx(1.0, abs=0.05)
    garg, full = evaluate(*base, '--crop', 'garg'), evaluate(*base)
    assert garg['by_step']['scene']['points'] < full['by_step']['scene']['points']
    assert evaluate(*base, '--masks', 'degraded')['settings']['masks'] == 'degraded'


def test_degraded_masks_are_blocks(street, painted_bundle):
    segmentation = Segmentation.load(painted_bundle)
    fine, coarse = segmentation(street.image), DegradedSegmentation(segmentation)(street.image)
    assert coarse.shape == (4, 12)
    assert np.array_equal(coarse, fine[8::16, 8::16])


def test_true_labels_as_masks(street, evaluate, tmp_path):
    LAYOUTS['worlds'](tmp_path / 'data', street)
    assert evaluate('worlds', '--masks', 'labels')['by_step']['ground_recall'] == 1.0
    kitti_raw(tmp_path / 'data', street)
    with pytest.raises(DatasetError, match='labels'):
        evaluate('kitti-raw', '--masks', 'labels')


@pytest.mark.parametrize(('option', 'words'), [
    ('--frames=0', 'no number of frames'), ('--frames=-1', 'give 1 or more'),
    ('--frames=two', 'no number of frames'), ('--camera-height=-1', 'no length'),
    ('--camera-pitch=nan', 'no finite number'), ('--floor=inf', 'no finite number'),
    ('--gravity=1,2', 'give three numbers'), ('--gravity=0,0,0', 'not all of them 0'),
    ('--gravity=0,0,x', "'x' is no finite number")])
@pytest.mark.parametrize('command', [evaluate_depth, convert])
def test_numbers_without_sense_are_refused(command, option, words, capsys):
    with pytest.raises(SystemExit):
        parsed(command, '--dataset', 'tum', '--root', 'data', option, 'bag')
    error = capsys.readouterr().err
    assert f'argument {option.partition("=")[0]}: ' in error
    assert words in error


@pytest.mark.parametrize('option', ['--cap=-1', '--cap=nan', '--cap=0', '--pitch-error=nan'])
def test_scores_need_numbers_with_sense(option, capsys):
    with pytest.raises(SystemExit):
        parsed(evaluate_depth, '--dataset', 'tum', '--root', 'data', option)
    assert f'argument {option.partition("=")[0]}: ' in capsys.readouterr().err


def test_json_has_no_nan():
    assert json.loads(to_json({'a': [math.nan, math.inf, 1.5], 'b': (2,)})) == {
        'a': [None, None, 1.5], 'b': [2]}


@pytest.mark.parametrize('name', DATASETS)
def test_converted_bag_scores_like_the_data_set(name, street, painted_bundle, evaluate, tmp_path):
    LAYOUTS[name](tmp_path / 'data', street)
    args = parsed(convert, '--dataset', name, '--root', tmp_path / 'data',
                  *GROUND.get(name, ()), tmp_path / 'bag')
    assert convert.run(args) == 0
    settings = ReplaySettings(segmentation_bundle=str(painted_bundle), refine_ground=False,
                              max_range=80.0)
    replayed = replay_bag(tmp_path / 'bag', settings)
    assert not replayed.failures
    result = evaluate(name, '--no-refine-ground', '--crop', 'none')
    within = np.mean([frame.score.metrics['within_10'] for frame in replayed.frames])
    assert within == pytest.approx(result['metrics']['within_10'], abs=0.01)


def test_moving_camera_has_a_transform_per_picture(street, tmp_path):
    sevenscenes(tmp_path / 'data', street)
    args = parsed(convert, '--dataset', 'sevenscenes', '--root', tmp_path / 'data',
                  *GROUND['sevenscenes'], '--frames', 1, tmp_path / 'bag')
    convert.run(args)
    with BagReader(tmp_path / 'bag') as bag:
        assert (bag.count('/tf'), bag.count('/tf_static')) == (1, 0)
