"""Answers along a bag as text and as parts of a page."""

from __future__ import annotations

from collections.abc import Iterator
import math
from typing import Any
from typing import Final

from deepsight_ros.evaluation.html_page import section
from deepsight_ros.evaluation.html_page import table
from deepsight_ros.evaluation.plots import COLOURS
from deepsight_ros.evaluation.plots import line_plot
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.evaluation.tables import text_table
from deepsight_ros.language.answers import metres

_HEAD: Final = ('', 'asked', 'answered', 'depth agrees', 'right', 'lengths', 'MRA',
                'median error')
_NOTE: Final = (
    'Depth agrees: the depth image that was asked about confirms the answer; right: the true '
    'depth does; both are shares of what depth can check. MRA and median error compare lengths '
    'with the true depth.')
_CHECKED: Final = {True: 'yes', False: 'NO', None: '-'}


def answers_text(summary: dict[str, Any]) -> str:
    """Return the scores of answers, and how long they took, as text."""
    questions = summary['questions']
    if not questions['asked']:
        return 'No question fell due.'
    seconds = summary['timings']['answer']
    return (f'{text_table([_HEAD, *_rows(questions)])}\n\n'
            f'{questions["model"]} on {questions["backend"]}: {1e3 * seconds["median"]:.0f} ms an '
            f'answer (median), {1e3 * seconds["p95"]:.0f} ms (19 of 20)')


def answer_sections(summary: dict[str, Any]) -> str:
    """Return scores by question, errors over time, and every answer as HTML."""
    questions = summary['questions']
    if not questions['asked']:
        return section('Questions', '<p>No question fell due.</p>')
    scores = f'<p>{_NOTE}</p><div class="texts">{table(_HEAD, _rows(questions))}</div>'
    answers = ('time', 'question', 'answer', 'true length', 'depth agrees', 'right')
    return (section('Questions', scores) + _error_plot(questions)
            + section('Answers', '<div class="texts">'
                      f'{table(answers, map(_answer, questions["answers"]))}</div>'))


def _rows(questions: dict[str, Any]) -> Iterator[list[str]]:
    for number, row in enumerate(questions['by_question'], 1):
        due = '' if row['asked'] else ' (never fell due)'
        yield [f'{number}. {row["question"]}{due}', *_scores(row)]
    yield ['all', *_scores(questions['all'])]


def _scores(row: dict[str, Any]) -> Iterator[str]:
    yield str(row['asked'])
    yield str(row['answered'])
    yield from (percent(row[name]) for name in ('agrees_with_depth', 'right'))
    yield str(row['lengths'])
    yield from (percent(row[name]) for name in ('mra', 'median_error'))


def _answer(row: dict[str, Any]) -> list[str]:
    text = row['text'] if row['status'] == 'ok' else f'{row["status"]}: {row["error"]}'
    true = row['true_length_m']
    return [f'{row["time"]:.1f} s', row['question'], text, '-' if true is None else metres(true),
            _CHECKED[row['agrees_with_depth']], _CHECKED[row['right']]]


def _error_plot(questions: dict[str, Any]) -> str:
    """Relative errors of lengths over time, of as many questions as there are colours."""
    # Where the bag has no true depth, a line would only be broken.
    times = sorted({row['time'] for row in questions['answers']
                    if not math.isnan(row['length_error'])})
    series: dict[str, list[float]] = {}
    for number, question in enumerate(questions['by_question'], 1):
        if question['lengths'] and len(series) < len(COLOURS):
            errors = {row['time']: 100 * row['length_error'] for row in questions['answers']
                      if row['question'] == question['question']
                      and not math.isnan(row['length_error'])}
            series[f'question {number}'] = [errors.get(time, math.nan) for time in times]
    if not series:
        return ''
    plot = line_plot(times, series, 'time (s)', '% of the true length')
    # Alone in its row, it would fill the page.
    return section('Error of lengths over time', f'<div style="max-width: 640px">{plot}</div>')
