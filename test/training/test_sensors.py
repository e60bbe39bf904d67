"""Sensors' noise stays what it says, and never touches the exact frame."""

from dataclasses import replace

from deepsight_training.instructions import sensors
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.views import layout_samples
import numpy as np
import pytest


@pytest.fixture(scope='module')
def frames() -> list[FrameSample]:
    """Frames of a room and a street."""
    return [sample for kind in ('scatter', 'street')
            for sample in layout_samples(SPLITS['train'], kind, 1, (80, 60))]


@pytest.mark.parametrize('name', sensors.SENSORS)
def test_depth_keeps_its_scale_and_the_frame_stays(frames, name):
    sensor, _ = sensors.SENSORS[name]
    rng = np.random.default_rng(2)
    for sample in (*frames, replace(frames[0], camera_height=np.nan)):
        before = sample.depth.copy()
        depth = sensor(sample, rng)
        np.testing.assert_array_equal(sample.depth, before)
        assert depth.shape == before.shape and depth.dtype == np.float32
        assert np.isnan(depth[np.isnan(before)]).all() and np.isfinite(depth).any()
        both = np.isfinite(depth) & np.isfinite(before) & (before < 5)
        if both.sum() > 100:
            ratio = depth[both] / before[both]
            assert np.median(np.abs(np.log(ratio))) < {'embodied': 0.2}.get(name, 0.03)


def test_every_sensor_but_the_exact_one_leaves_holes(frames):
    rng = np.random.default_rng(3)
    for name, (sensor, _) in sensors.SENSORS.items():
        lost = np.mean([np.isnan(sensor(sample, rng)).mean() - np.isnan(sample.depth).mean()
                        for sample in frames])
        assert lost == 0 if name == 'exact' else 0.005 < lost < 0.8


def test_embodied_depth_makes_things_upright(frames):
    sample = frames[0]
    depth = sensors.embodied(sample, np.random.default_rng(0))
    spread = []
    for thing, mask in sample.things.masks.items():
        assert thing > 0
        column = int(np.argmax(mask.sum(0)))
        values = depth[mask[:, column], column]
        values = values[np.isfinite(values)]
        if len(values) > 5:
            spread.append(np.std(values) / np.mean(values))
    assert spread and np.median(spread) < 0.02


def test_what_is_asked_about_is_exact_and_was_measured(frames):
    rng, changed, cut = np.random.default_rng(4), 0, 0
    for sample in frames * 4:
        seen, truth = sensors.sense(sample, rng)
        if seen is sample:
            continue
        changed += 1
        assert np.linalg.norm(seen.up) == pytest.approx(1.0)
        assert seen.up @ sample.up > np.cos(np.radians(2.5))
        assert seen.camera_height == pytest.approx(sample.camera_height, rel=0.05)
        asked, measured = np.isfinite(truth.depth), np.isfinite(seen.depth)
        np.testing.assert_array_equal(truth.depth[asked], sample.depth[asked])
        grown = np.pad(measured, 1)
        near = np.any([grown[i:i + 60, j:j + 80] for i in range(3) for j in range(3)], 0)
        assert not (asked & ~near).any()
        assert not truth.instances[~near].any()
        for thing in truth.things.masks.keys() - truth.cut:
            top, whole = (np.nonzero(one.instances == thing)[0].min() for one in (truth, sample))
            assert top <= whole + 1
        cut += len(truth.cut)
    assert 0.4 < changed / (4 * len(frames)) < 0.9 and cut > 0


def test_robots_are_possible():
    rng = np.random.default_rng(5)
    robots = [sensors.draw_robot(rng) for _ in range(200)]
    assert len(set(robots)) > 50
