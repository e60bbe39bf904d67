"""``deepsight demo``: real processes, real topics, a short bag in place of the sample bags."""

import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

PATIENCE = 60.0
MAIN = 'import sys; from deepsight_ros.cli import main; sys.exit(main())'
COMMAND = [sys.executable, '-c', MAIN, 'demo', '--out']


def environment(models: Path, bags: Path) -> dict[str, str]:
    return {**os.environ, 'DEEPSIGHT_MODELS': str(models), 'DEEPSIGHT_SAMPLE_BAGS': str(bags)}


@pytest.fixture(scope='module')
def models(painted_bundle, tmp_path_factory) -> Path:
    """Folder of bundles in which the painted one has the name of the default one."""
    folder = tmp_path_factory.mktemp('models')
    shutil.copytree(painted_bundle, folder / 'scene_segmentation_nano')
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
    assert page.count('<img src="data:image') == 2 * 4 * 4
    assert 'http' not in page
    assert 'nan' not in page


def test_damaged_bundle_is_reported_with_the_words_of_the_node(models, painted_bags, tmp_path):
    shutil.copytree(models, tmp_path / 'models')
    graph = next((tmp_path / 'models').glob('*/model.onnx'))
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
