"""Curves from the probability of tokens to how likely an answer is right."""

from pathlib import Path

import pytest

from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.confidence import Confidence
from deepsight_ros.language.confidence import Curve
from deepsight_ros.language.confidence import OTHERS
from deepsight_ros.language.errors import LanguageError

LENGTH = parse_answer('2.40 m')


def test_without_curves_it_is_the_probability():
    assert Confidence({})(LENGTH, 0.3) == 0.3


def test_each_form_has_its_curve(tmp_path: Path):
    curves = {'distance': Curve(0.5, 2.0), 'distance at a place': Curve(0.5, 4.0),
              OTHERS: Curve(1.0, 0.0)}
    Confidence(curves).write(tmp_path / 'confidence.json')
    confidence = Confidence.load(tmp_path / 'confidence.json')
    assert confidence(parse_answer('3'), 0.3) == pytest.approx(0.3)
    assert confidence(LENGTH, 0.3) == pytest.approx(0.829, abs=1e-3)
    assert confidence(LENGTH, 0.2) < confidence(LENGTH, 0.3)
    there = parse_answer('2.40 m at <loc:0.5,0.5>')
    assert confidence(there, 0.3) == pytest.approx(0.973, abs=1e-3)


@pytest.mark.parametrize('probability', [0.0, 1.0])
def test_it_stays_a_share(probability: float):
    steep = Confidence({OTHERS: Curve(1e6, 0.0)})
    assert steep(LENGTH, probability) == probability


@pytest.mark.parametrize('content', [
    '', '[]', '{}', '{"others": 1}', '{"others": {"slope": 1}}', '{"others": null}',
    '{"others": {"slope": NaN, "offset": 0}}', '{"distance": {"slope": 1, "offset": 0}}'])
def test_damaged_curves_are_refused(content: str, tmp_path: Path):
    path = tmp_path / 'confidence.json'
    path.write_text(content)
    with pytest.raises(LanguageError, match='reinstall the bundle'):
        Confidence.load(path)
