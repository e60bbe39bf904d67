"""
Scores of answers as VSI-Bench counts them, and what blind guessing reaches.

Numbers count by mean relative accuracy, everything else is right or wrong. A count must be exact.
Scores are averaged within each question type, types are averaged to a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
import math
import re
from statistics import fmean
from statistics import median
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.qa_items import QaItem
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import LETTERS

THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
"""VSI-Bench's confidence levels."""
COUNTING: Final = 'counting'
"""Category that ``macro_accuracy`` leaves out: it has a row of its own."""
OUT_OF_SCOPE: Final = 'out_of_scope'
"""Category whose right answer is a refusal; it has rows of its own as well."""
_REFUSAL: Final = re.compile(
    r"\s*(?:(?:i )?can(?:not|'t) tell\b|none in view\.?\s*$)", re.IGNORECASE)
"""Text that says nothing, or what nobody can read, refuses nothing."""


@dataclass(frozen=True)
class Reply:
    """What a model said, and how long it took (s); times are NaN where nobody measured."""

    text: str
    first_token: float = math.nan
    total: float = math.nan
    tokens: int = 0


def mean_relative_accuracy(prediction: float, truth: float) -> float:
    """
    Share of the ten levels t in 0.50, 0.55, ..., 0.95 with ``|p - g| / g <= 1 - t``.

    VSI-Bench's official code; ``truth`` must be positive, a NaN prediction scores 0.
    """
    if not truth > 0:
        raise ValueError(f'truth is {truth:g}, must be positive')
    return float(np.mean(abs(prediction - truth) / truth <= 1 - THRESHOLDS))


def score(item: QaItem, text: str) -> float:
    """Score 0..1 of an answer's text."""
    if item.kind == 'unknown' or _REFUSAL.match(text):
        return float(item.kind == 'unknown' and _REFUSAL.match(text) is not None)
    answer = parse_answer(text)
    if item.kind == 'distance':
        value = _plain_number(text) if answer.distance is None else answer.distance
        return mean_relative_accuracy(value, float(item.ground_truth))
    said = text.strip(' .\n') if answer.value is None else answer.value
    return float(str(said).lower() == item.ground_truth.lower())


def _plain_number(text: str) -> float:
    """Read the first word as VSI-Bench does; NaN if it is no number."""
    try:
        return float((text.split() or [''])[0].rstrip('.'))
    except ValueError:
        return math.nan


def summarise(items: Sequence[QaItem], replies: Sequence[Reply]) -> dict[str, Any]:
    """
    Scores in the form of ``deepsight evaluate qa --json``, without the model's name.

    ``categories`` are question types; ``groups`` average them by category (the paper's four and
    ours). ``refused`` is over questions out of scope, ``false_refused`` over all others.
    """
    scores = [score(item, reply.text) for item, reply in zip(items, replies, strict=True)]
    categories = {name: _row(items, scores, name) for name in _types(items)}
    refused = [_REFUSAL.match(reply.text) is not None for reply in replies]
    in_scope = [item.kind != 'unknown' for item in items]
    return {
        'items': len(items), 'categories': categories,
        'macro_accuracy': _macro(items, categories, 'accuracy'),
        'macro_mra': _macro(items, categories, 'mra'),
        'groups': _groups(items, categories),
        'refused': _share(r for r, inside in zip(refused, in_scope, strict=True) if not inside),
        'false_refused': _share(r for r, inside in zip(refused, in_scope, strict=True) if inside),
        'latency_ms': _latency(replies), 'tokens_per_second': _speed(replies),
        'blind': blind_scores(items)}


def blind_scores(items: Sequence[QaItem]) -> dict[str, dict[str, float]]:
    """
    Score what needs no picture: the best constant answer of each type, and the lower place.

    The constant is chosen on these very items, so it is an upper bound of constants. "The lower
    place in the picture is nearer" is given where places are compared by distance.
    """
    result = {}
    for name in _types(items):
        group = [item for item in items if item.question_type == name]
        if group[0].kind == 'distance':
            truths = np.array([float(item.ground_truth) for item in group])
            constant = max(_mra_of_constant(value, truths) for value in np.unique(truths))
        else:
            constant = Counter(item.ground_truth for item in group).most_common(1)[0][1] / len(
                group)
        result[name] = {'best_constant': constant}
        if group[0].kind == 'choice' and all(item.places for item in group):
            result[name]['lower_is_nearer'] = fmean(
                score(item, lower_is_nearer(item)) for item in group)
    return result


def lower_is_nearer(item: QaItem) -> str:
    """Answer a comparison of places A, B, ... by their rows alone."""
    ranking = sorted(range(len(item.places)), key=lambda index: -item.places[index][1])
    return ''.join(LETTERS[index] for index in ranking)[:len(item.ground_truth)]


def _mra_of_constant(value: float, truths: npt.NDArray[np.float64]) -> float:
    errors = np.abs(value - truths) / truths
    return float(np.mean(errors[:, None] <= 1 - THRESHOLDS))


def _types(items: Iterable[QaItem]) -> list[str]:
    return list(dict.fromkeys(item.question_type for item in items))


def _row(items: Sequence[QaItem], scores: Sequence[float], name: str) -> dict[str, float]:
    chosen = [(item, value) for item, value in zip(items, scores, strict=True)
              if item.question_type == name]
    metric = 'mra' if chosen[0][0].kind == 'distance' else 'accuracy'
    return {'n': len(chosen), metric: fmean(value for _, value in chosen)}


def _macro(items: Sequence[QaItem], categories: dict[str, dict[str, float]],
           metric: str) -> float:
    apart = {item.question_type for item in items if item.category in (COUNTING, OUT_OF_SCOPE)}
    values = [row[metric] for name, row in categories.items()
              if metric in row and (metric == 'mra' or name not in apart)]
    return fmean(values) if values else math.nan


def _groups(items: Sequence[QaItem],
            categories: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    group_of = {item.question_type: item.category for item in items}
    result = {}
    for group in dict.fromkeys(group_of.values()):
        rows = [row for name, row in categories.items() if group_of[name] == group]
        result[group] = {
            'n': sum(row['n'] for row in rows),
            'score': fmean(row.get('mra', row.get('accuracy', math.nan)) for row in rows)}
    return result


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return sum(listed) / len(listed) if listed else math.nan


def _latency(replies: Sequence[Reply]) -> dict[str, float]:
    total = [1e3 * reply.total for reply in replies if math.isfinite(reply.total)]
    first = [1e3 * reply.first_token for reply in replies if math.isfinite(reply.first_token)]
    return {'first_token': _or_nan(median, first), 'median': _or_nan(median, total),
            'p95': _or_nan(lambda values: float(np.percentile(values, 95)), total)}


def _or_nan(statistic: Callable[[list[float]], float], values: list[float]) -> float:
    return statistic(values) if values else math.nan


def _speed(replies: Sequence[Reply]) -> float:
    """Tokens per second behind the prompt: each costs one step, the last one the end's."""
    timed = [reply for reply in replies
             if reply.tokens and math.isfinite(reply.total - reply.first_token)]
    seconds = math.fsum(reply.total - reply.first_token for reply in timed)
    return sum(reply.tokens for reply in timed) / seconds if seconds else math.nan
