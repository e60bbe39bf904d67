"""What contact at the class map's own size changes, and how sure that is."""

import sys

from layouts import kitti_raw
import numpy as np
import pytest

from deepsight_ros.evaluation import contact_scale


def test_an_enlarged_map_keeps_its_classes_and_smooths_its_steps():
    classes = np.zeros((20, 20), np.uint8)
    for row in range(20):
        classes[row, row // 2 + 5:] = 5
    finer = contact_scale.enlarged(classes, 4)
    assert finer.shape == (80, 80)
    assert set(np.unique(finer)) == {0, 5}
    assert np.mean(finer == 5) == pytest.approx(np.mean(classes == 5), abs=0.02)
    border = np.argmax(finer == 5, axis=1)[8:-8]
    assert np.abs(np.diff(border)).max() < 4


def test_a_sure_change_has_a_narrow_interval_and_a_noisy_one_holds_zero():
    points = np.array([100.0, 300.0] * 20)
    mean, low, high = contact_scale.interval(np.full((40, 2), 0.01), points)
    assert mean == pytest.approx(0.01)
    assert (high - low) == pytest.approx(0)
    noise = np.random.default_rng(1).normal(0, 0.05, (40, 2))
    mean, low, high = contact_scale.interval(noise, points)
    assert (low < 0).all() and (high > 0).all()
    assert mean == pytest.approx(np.average(noise, axis=0, weights=points))


def test_command(street, painted_bundle, tmp_path, monkeypatch, capsys):
    kitti_raw(tmp_path / 'data', street)
    words = ['--dataset', 'kitti-raw', '--bundle', str(painted_bundle), '--root']
    monkeypatch.setattr(sys, 'argv', ['contact_scale', *words, str(tmp_path / 'data')])
    assert contact_scale.main() == 0
    assert capsys.readouterr().out.startswith('within_5: +')
    monkeypatch.setattr(sys, 'argv', ['contact_scale', *words, str(tmp_path / 'none')])
    assert contact_scale.main() == 1
