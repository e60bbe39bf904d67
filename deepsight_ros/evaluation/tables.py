"""Scores as text tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import math
from typing import Any
from typing import Final

STEP_TITLES: Final = {
    'road_on_ground': 'road mask, on true ground',
    'road': 'road mask',
    'ground_on_ground': 'ground mask, on true ground',
    'ground': 'ground mask',
    'scene': 'scene',
}
"""What the rows of ``by_step`` are called in tables."""


def score_table(summary: dict[str, Any]) -> str:
    """Return the tables of what ``evaluate depth`` or ``replay`` found as text."""
    metrics = summary['metrics']
    recall = summary['by_step']['ground_recall']
    parts = [
        f'{summary.get("dataset") or summary["bag"]}: {summary["frames"]} frames, '
        f'{summary["method"]}',
        text_table([list(metrics), [number(value) for value in metrics.values()]]),
        text_table([['', 'points', 'within 5 %', 'within 10 %', 'coverage'], *(
            step_row(STEP_TITLES[name], summary['by_step'][name]) for name in STEP_TITLES)]),
        f'true ground that the ground mask finds: {percent(recall)}',
        plane_sentence(summary['ground_plane']),
    ]
    return '\n\n'.join(part for part in parts if part)


def step_row(title: str, scores: dict[str, Any]) -> list[str]:
    """Return title, points and shares of one row."""
    shares = (percent(scores[name]) for name in ('within_5', 'within_10', 'coverage'))
    return [title, str(scores['points']), *shares]


def plane_sentence(plane: dict[str, Any]) -> str:
    """How well the ground plane was known; empty if no frame shows the true one."""
    if not plane['frames']:
        return ''
    pitch, height = plane['pitch_deg'], plane['height']
    return (f'ground plane against the true one in {plane["frames"]} frames: pitch off by '
            f'{pitch["median"]:.3f} deg (median), {pitch["p90"]:.3f} deg (nine in ten), height '
            f'by {height["median"]:.3f} m, {height["p90"]:.3f} m')


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as aligned text, the first column to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join(_line(row, widths) for row in rows)


def number(value: float) -> str:
    """Format a metric; a dash for NaN."""
    return '-' if math.isnan(value) else f'{value:.4f}'


def percent(share: float) -> str:
    """Format a share of 0..1 as percent; a dash for NaN."""
    return '-' if math.isnan(share) else f'{100 * share:.1f} %'


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    return '  '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])
