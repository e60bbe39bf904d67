"""Curves of confidence: found again from answers that follow one, and honest without any."""

from pathlib import Path
import shutil

from deepsight_training.calibrate_deepsight import calibrate
from deepsight_training.calibrate_deepsight import calibration_error
from deepsight_training.calibrate_deepsight import fit_curve
from deepsight_training.calibrate_deepsight import fit_curves
from deepsight_training.calibrate_deepsight import is_right
from deepsight_training.calibrate_deepsight import Outcome
from deepsight_training.instructions.questions import QuestionItem
from deepsight_training.instructions.sample import FrameSample
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.confidence import CONFIDENCE
from deepsight_ros.language.confidence import Confidence
from deepsight_ros.language.confidence import Curve
from deepsight_ros.language.confidence import OTHERS


def drawn(curve: Curve, count: int, text: str = '2.00 m') -> list[Outcome]:
    """Answers that are right as often as a curve says."""
    rng = np.random.default_rng(0)
    probabilities = rng.uniform(0.02, 0.98, count).tolist()
    return [Outcome(parse_answer(text), value, bool(rng.random() < curve(value)))
            for value in probabilities]


def test_a_curve_is_found_again():
    found = fit_curve(drawn(Curve(0.6, 1.5), 4000))
    assert found.slope == pytest.approx(0.6, abs=0.1)
    assert found.offset == pytest.approx(1.5, abs=0.1)


def test_answers_that_are_right_more_often_than_they_are_likely():
    """Lengths: each of several digits would do, so that every one of them is unlikely."""
    rng = np.random.default_rng(0)
    curve = fit_curve([Outcome(parse_answer('2.00 m'), value, bool(rng.random() < 0.95))
                       for value in rng.uniform(1e-3, 0.1, 300).tolist()])
    assert curve(0.01) == pytest.approx(0.95, abs=0.03)
    assert 0 <= curve.slope < 5


def test_confidence_never_falls_with_the_probability():
    found = fit_curve(drawn(Curve(-1.0, 0.5), 1000))
    assert found.slope == 0
    assert found(0.1) == found(0.9) == pytest.approx(0.6, abs=0.1)


@pytest.mark.parametrize('is_right', [False, True])
def test_answers_that_are_all_alike_are_no_certainty(is_right: bool):
    curve = fit_curve([Outcome(parse_answer('chair'), 0.9, is_right)] * 100)
    assert 0 < curve(0.9) < 1
    assert curve(0.9) == pytest.approx(float(is_right), abs=0.02)


def test_rare_forms_share_a_curve():
    curve = Curve(1.0, 1.0)
    outcomes = [*drawn(curve, 100), *drawn(curve, 90, '2.00 m at <loc:0.5,0.5>'),
                *drawn(curve, 10, '3')]
    assert fit_curves(outcomes).keys() == {'distance', 'distance at a place', OTHERS}


def test_calibration_error():
    right = np.repeat([0.0, 1.0], 50)
    assert calibration_error(np.full(100, 0.5), right) == 0
    assert calibration_error(np.full(100, 0.9), right) == pytest.approx(0.4)
    assert calibration_error(right, right) == 0


@pytest.mark.parametrize(('said', 'wanted', 'value', 'expected'), [
    ('2.05 m', '2.00 m', 2.0, True), ('2.30 m', '2.00 m', 2.0, False),
    ('nothing ahead', '2.00 m', 2.0, False), ('nothing ahead', 'nothing ahead', None, True),
    ('yes', 'yes', None, True), ('no, 1.00 m ahead', 'yes', None, False),
    ('BA', 'AB', None, False),
    ('3', '3', 3.0, True), ('4', '3', 3.0, False),
    ('cannot tell from depth', 'cannot tell from depth', None, True), ('chair', '2', 2.0, False)])
def test_what_counts_as_right(said: str, wanted: str, value: float | None, expected: bool):
    item = QuestionItem('', '', parse_answer(wanted).kind, '', wanted, value, '', (), (), 'seen',
                        '')
    assert is_right(item, parse_answer(said)) == expected


def test_a_bundle_is_calibrated(spatial_language_bundle: Path, tmp_path: Path):
    rng = np.random.default_rng(0)
    frames = [FrameSample.unlabelled(
        str(i), rng.uniform(0.5, 6.0, (48, 64)).astype(np.float32),
        Camera(64, 48, 50.0, 50.0, 31.5, 23.5), GroundPlane.from_height(1.0)) for i in range(6)]
    copy = shutil.copytree(spatial_language_bundle, tmp_path / 'copy')
    metrics = {item['name']: item['value'] for item in calibrate(copy, frames, 'noise', 12)}
    assert metrics.keys() == {
        'right_answers', 'confidence_error_of_probabilities', 'confidence_error'}
    assert Confidence.load(copy / CONFIDENCE)(parse_answer('2.00 m'), 0.5) < 0.9
