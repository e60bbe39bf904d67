"""``deepsight ask`` about files; ``test/ros/test_ask.py`` asks running nodes."""

import json

import numpy as np
import pytest

from deepsight_ros import cli
from deepsight_ros.ask import answer_text

CAMERA = """width: 160
height: 120
k: [120.0, 0.0, 80.0, 0.0, 120.0, 60.0, 0.0, 0.0, 1.0]
"""
UP, WALL = 0.6, 3.0


@pytest.fixture
def files(tmp_path, spatial_language_bundle):
    """Options that name the depth of a floor and a wall, and its camera."""
    with np.errstate(divide='ignore'):
        floor = UP * 120.0 / (np.arange(120) - 60.0)
    floor[(floor <= 0) | (floor > WALL)] = WALL
    np.save(tmp_path / 'depth.npy', np.tile(floor[:, None], (1, 160)).astype(np.float32))
    (tmp_path / 'camera.yaml').write_text(CAMERA)
    return ['--depth', str(tmp_path / 'depth.npy'), '--camera-info', str(tmp_path / 'camera.yaml'),
            '--model', str(spatial_language_bundle)]


def test_an_answer_from_files(files, trained_language_bundle, tmp_path, capsys):
    files[-1] = str(trained_language_bundle)
    path = tmp_path / 'out' / 'answer.json'
    assert cli.main(['ask', 'how far is the nearest obstacle?', *files, '--camera-height', str(UP),
                     '--json', str(path)]) == 0
    details = json.loads(path.read_text())
    assert details['value'] == pytest.approx(WALL, rel=0.1)
    assert details['agrees_with_depth'] is True
    said, measured, checked = capsys.readouterr().out.splitlines()
    assert said == details['text']
    assert measured.startswith('depth image: 3.0')
    assert checked.startswith('the depth image agrees; confidence')


def test_without_the_cameras_height_obstacles_are_refused(files, capsys):
    assert cli.main(['ask', 'how far is the nearest obstacle?', *files]) == 1
    assert '--camera-height' in capsys.readouterr().out


def test_what_cannot_be_read_is_told_in_a_line(files, tmp_path, capsys):
    assert cli.main(['ask', 'how far?', '--depth', 'depth.npy']) == 2
    assert '--camera-info' in capsys.readouterr().err
    files[1] = str(tmp_path / 'missing.npy')
    assert cli.main(['ask', 'how far?', *files]) == 2
    assert 'missing.npy does not exist' in capsys.readouterr().err
    assert cli.main(['ask', 'how far?', '--namespace', '1robot']) == 2
    assert 'namespace' in capsys.readouterr().err


@pytest.mark.parametrize(('option', 'remedy'), [
    (('--camera-pitch', '28'), 'degrees are 0.489'), (('--camera-height', '-1'), 'above 0'),
    (('--patience', '0'), 'above 0')])
def test_numbers_without_sense_are_refused(option, remedy, files, capsys):
    with pytest.raises(SystemExit):
        cli.main(['ask', 'how far?', *files, *option])
    assert remedy in capsys.readouterr().err


def test_the_text_tells_disagreement_and_side():
    details = {'status': 'ok', 'text': '2.00 m', 'point': [0.0, 0.0, 3.0], 'distance_m': 3.0,
               'evidence': [{'pixel': [8, 9], 'depth_m': 3.0}], 'bearing_deg': -12.4,
               'agrees_with_depth': False, 'confidence': 0.5, 'latency_ms': {'total': 50.0}}
    assert answer_text(details).splitlines() == [
        '2.00 m', 'depth image: 3.00 m at (8, 9), 12 degrees right',
        'the depth image DISAGREES; confidence 0.50, 50 ms']
    assert answer_text({**details, 'point': None, 'agrees_with_depth': None}).splitlines()[1:] == [
        'not checked: the depth image cannot tell; confidence 0.50, 50 ms']
