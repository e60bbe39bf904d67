"""Answers along a bag as JSON: each of them, and how good they are by question."""

from __future__ import annotations

from collections.abc import Sequence
import math
from statistics import fmean
from statistics import median
from typing import Any

import numpy as np

from deepsight_ros.evaluation.bag_interview import BagAnswer
from deepsight_ros.evaluation.bag_interview import BagInterview
from deepsight_ros.evaluation.qa_scores import mean_relative_accuracy


def summarise_answers(interview: BagInterview, start_ns: int) -> dict[str, Any]:
    """
    Return the part ``questions`` of ``report.json``; times count from ``start_ns``.

    Shares are of the answers that depth can check: with the depth image that was asked about
    (``agrees_with_depth``), and with the true depth where there is some (``right``). ``mra`` is
    VSI-Bench's mean relative accuracy of lengths and ``median_error`` the median of their relative
    errors, both against the true depth. A question that never fell due was asked 0 times.
    """
    answers = interview.answers
    groups: dict[str, list[BagAnswer]] = {question.text: [] for question in interview.questions}
    for answer in answers:
        groups.setdefault(answer.details['question'], []).append(answer)
    return {
        'model': interview.model, 'backend': interview.backend, 'asked': len(answers),
        'all': _scores(answers),
        'by_question': [{'question': text, **_scores(group)} for text, group in groups.items()],
        'answers': [_row(answer, start_ns) for answer in answers]}


def answer_times(answers: Sequence[BagAnswer]) -> dict[str, float]:
    """Return seconds per answer."""
    seconds = [answer.seconds for answer in answers]
    return {'median': median(seconds), 'p95': float(np.percentile(seconds, 95))}


def length_error(answer: BagAnswer) -> float:
    """Relative error of a length against the true depth; NaN where none of them is known."""
    said, truth = answer.details['value'], answer.truth
    if answer.details['kind'] != 'distance' or said is None or truth is None or \
            truth.measured is None or truth.measured <= 0:
        return math.nan
    return abs(float(said) - truth.measured) / truth.measured


def _scores(answers: Sequence[BagAnswer]) -> dict[str, Any]:
    agrees = [answer.details['agrees_with_depth'] for answer in answers]
    right = [answer.truth.agrees for answer in answers if answer.truth is not None]
    errors = [error for error in map(length_error, answers) if not math.isnan(error)]
    return {
        'asked': len(answers),
        'answered': sum(answer.details['status'] == 'ok' for answer in answers),
        'checked_with_depth': _count(agrees), 'agrees_with_depth': _share(agrees),
        'checked_with_truth': _count(right), 'right': _share(right),
        'lengths': len(errors),
        'mra': fmean(mean_relative_accuracy(1 + error, 1.0) for error in errors)
        if errors else math.nan,
        'median_error': median(errors) if errors else math.nan}


def _count(flags: Sequence[bool | None]) -> int:
    return sum(flag is not None for flag in flags)


def _share(flags: Sequence[bool | None]) -> float:
    known = [flag for flag in flags if flag is not None]
    return sum(known) / len(known) if known else math.nan


def _row(answer: BagAnswer, start_ns: int) -> dict[str, Any]:
    truth = answer.truth
    return {
        'time': (answer.stamp_ns - start_ns) / 1e9, **answer.details,
        'true_length_m': truth and truth.measured, 'right': truth and truth.agrees,
        'length_error': length_error(answer)}
