"""
How likely an answer is right, from the probability of its tokens.

A model says "2.41 m" with little probability where "2.40 m" would be as good, the more so with a
place behind it, and "yes" with too much where it has learned little: so each form of answer has a
curve of its own, fitted to answers about pictures that were never trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import Final

from deepsight_ros.language.answers import Answer
from deepsight_ros.language.errors import LanguageError

CONFIDENCE: Final = 'confidence.json'
"""File of a bundle: form of answer to slope and offset."""
OTHERS: Final = 'others'
"""Key for all forms of which there were too few answers."""
_LEAST: Final = 1e-6


@dataclass(frozen=True)
class Curve:
    """Confidence is ``sigmoid(slope * logit(probability) + offset)`` (Platt 1999)."""

    slope: float
    offset: float

    def __call__(self, probability: float) -> float:
        """Return the confidence, 0..1."""
        return 0.5 * (1 + math.tanh((self.slope * logit(probability) + self.offset) / 2))


class Confidence:
    """The curves of a bundle, by form of answer."""

    def __init__(self, curves: Mapping[str, Curve]) -> None:
        """Without any, confidence is the probability itself."""
        self._curves = dict(curves)

    @classmethod
    def load(cls, path: Path) -> Confidence:
        """Read ``confidence.json``; raises ``LanguageError``."""
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
            curves = {form: Curve(float(item['slope']), float(item['offset']))
                      for form, item in content.items()}
            finite = all(math.isfinite(curve.slope + curve.offset) for curve in curves.values())
            if OTHERS not in curves or not finite:
                raise ValueError(f'{OTHERS} is missing, or a number is not finite')
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise LanguageError(f'{path} holds no confidence curves ({error}); reinstall the '
                                'bundle') from error
        return cls(curves)

    def write(self, path: Path) -> None:
        """Write ``confidence.json``."""
        content = {form: {'slope': round(curve.slope, 4), 'offset': round(curve.offset, 4)}
                   for form, curve in self._curves.items()}
        path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')

    def __call__(self, answer: Answer, probability: float) -> float:
        """Return the confidence of an answer whose tokens have this probability."""
        if not self._curves:
            return probability
        return self._curves.get(form_of(answer), self._curves[OTHERS])(probability)


def form_of(answer: Answer) -> str:
    """Return what answers with one curve have in common: kind, and whether they name a place."""
    return f'{answer.kind} at a place' if answer.places else answer.kind


def logit(probability: float) -> float:
    """Log of the odds, finite for 0 and 1 too."""
    inside = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(inside / (1 - inside))
