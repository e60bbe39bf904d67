"""``deepsight demo``: real processes, real topics, a short bag in place of the sample bags."""

from importlib.util import find_spec
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from deepsight_ros.ros.demo import find_language

PATIENCE = 60.0
MAIN = 'import sys; from deepsight_ros.cli import main; sys.exit(main())'
COMMAND = [sys.executable, '-c', MAIN, 'demo', '--out']


def environment(models: Path, bags: Path) -> dict[str, str]:
    return {**os.environ, 'DEEPSIGHT_MODELS': str(models), 'DEEPSIGHT_SAMPLE_BAGS': str(bags)}


@pytest.fixture(scope='module')
def models(painted_bundle, tmp_path_factory, request) -> Path:
    """Folder of bundles that have the names of the default ones; answers are random words."""
    folder = tmp_path_factory.mktemp('models')
    shutil.copytree(painted_bundle, folder / 'scene_segmentation_nano')
    if find_spec('deepsight_training') is not None:  # robots have no package of training
        language = request.getfixturevalue('spatial_language_bundle')
        shutil.copytree(language, folder / 'deepsight_nano')
    return folder


@pytest.fixture(scope='module')
def demo(models, painted_bags, tmp_path_factory):
    """What a whole demonstration printed, and its folder."""
    out = tmp_path_factory.mktemp('demo')
    run = subprocess.run(
        [*COMMAND, str(out)], env=environment(models, painted_bags), capture_output=True,
        text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout, out


def test_every_picture_is_answered_and_ground_is_right(demo):
    printed, _ = demo
    assert printed.count('12 of 12 pictures answered') == 2
    for label in ('road', 'other ground', 'vertical'):
        rows = [line.split('  ') for line in printed.splitlines() if line.startswith(label + ' ')]
        shares = [[float(cell.strip(' %')) for cell in row if '%' in cell] for row in rows]
        assert len(shares) == 2
        for _, within_5, _, _, have_depth in shares:
            assert within_5 > 90
            assert have_depth == 100


def test_next_steps_name_the_report(demo):
    printed, out = demo
    assert str(out / 'report.html') in printed.splitlines()[-4]
    assert 'deepsight replay' in printed


def test_pictures_side_by_side_and_a_page_that_needs_nothing_else(demo):
    _, out = demo
    for name in ('street', 'room'):
        pictures = [cv2.imread(str(path)) for path in sorted((out / name).glob('*.png'))]
        assert len(pictures) == 5
        assert all(picture.shape[0] == 64 for picture in pictures)
        assert all(picture.shape[1] > 4 * 128 for picture in pictures)
        camera = pictures[0][:, :128, ::-1]
        assert np.isin(camera[..., 0], np.arange(8) * 32 + 16).all()
        assert 'configured' in (out / name / 'node.log').read_text()
    page = (out / 'report.html').read_text('utf8')
    asked = page.count('<h2>Questions</h2>') * 4
    assert page.count('<img src="data:image') == 2 * 4 * 4 + asked
    assert 'http' not in page
    assert 'nan' not in page


def test_each_question_is_asked_about_its_picture(demo):
    pytest.importorskip('deepsight_training', reason='robots have no package of training')
    printed, out = demo
    for name, times in (('street', ('0.2', '0.4', '0.6', '1.0')),
                        ('room', ('0.1', '0.8', '1.0', '1.1'))):
        text = re.search(rf'^{name}, asked over topics.*?\n\n', printed, re.DOTALL | re.MULTILINE)
        assert re.findall(r'^ +(\d\.\d) s  \w', text[0], re.MULTILINE) == list(times)
        assert text[0].count(' ms\n') == 4
        assert 'pictures on /embodied_depth/image' in (out / name / 'language.log').read_text()
    assert 'Which is nearer, A (101, 38) or B (65, 34)?' in printed
    page = (out / 'report.html').read_text('utf8')
    assert page.count('<h2>Questions</h2>') == 2
    assert page.count('How high above the ground is (89, 19)?') == 3


def test_without_a_language_bundle_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('DEEPSIGHT_MODELS', str(tmp_path))
    monkeypatch.setattr('deepsight_ros.resources.share_folders', list)
    assert find_language() is None
    printed = capsys.readouterr().out
    assert "No questions are asked: model bundle 'deepsight_nano' is in none of" in printed
    assert printed.strip().count('\n') == 0


def test_damaged_bundle_is_reported_with_the_words_of_the_node(models, painted_bags, tmp_path):
    shutil.copytree(models, tmp_path / 'models')
    graph = tmp_path / 'models' / 'scene_segmentation_nano' / 'model.onnx'
    graph.write_bytes(graph.read_bytes()[:-1] + b'?')
    run = subprocess.run(
        [*COMMAND, str(tmp_path / 'out')], env=environment(tmp_path / 'models', painted_bags),
        capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 2
    assert 'does not match its hash' in run.stderr
    assert 'Traceback' not in run.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_process_behind(models, painted_bags, tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND, str(tmp_path)], env=environment(models, painted_bags),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not (children := children_of(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert 'Traceback' not in complaint
    assert not [child for child in children if Path(f'/proc/{child}').exists()]


def children_of(pid: int) -> list[int]:
    """Processes that a process has started."""
    listing = Path(f'/proc/{pid}/task/{pid}/children')
    return [int(child) for child in listing.read_text('ascii').split()]
