"""
Metrics of monocular depth, as the KITTI Eigen and NYU Depth v2 benchmarks define them.

Two things are stricter than there, since embodied depth may leave pixels empty: the shares
(``d1`` to ``within_10``) count over all ground-truth points and a point without a finite
prediction is a miss, and ``coverage`` says how many points have one. The errors (``abs_rel`` to
``silog``) are over the points with a finite prediction.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from itertools import repeat
import math
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

METRICS: Final = ('abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10', 'silog',
                  'd1', 'd2', 'd3', 'within_5', 'within_10', 'coverage')
MIN_DEPTH: Final = 1e-3
"""Metres; nearer ground truth is invalid, nearer predictions are moved there."""


def depth_metrics(prediction: Array, truth: Array, max_depth: float) -> dict[str, float]:
    """
    Metrics of one picture.

    ``prediction`` and ``truth`` [N] are depths in metres at the same points. Points whose truth
    is not between 1 mm and ``max_depth`` (m) do not count; finite predictions are clipped to that
    interval, as both benchmarks do. Every key of ``METRICS`` is there: lengths in metres, shares
    as 0..1, ``silog`` times 100; NaN where no point counts.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f'prediction {prediction.shape} and truth {truth.shape} differ in shape')
    with np.errstate(invalid='ignore'):
        valid = (truth > MIN_DEPTH) & (truth < max_depth)
    finite = valid & np.isfinite(prediction)
    d = np.clip(prediction[finite].astype(np.float64), MIN_DEPTH, max_depth)
    g = truth[finite].astype(np.float64)
    total = int(np.count_nonzero(valid))
    result = dict.fromkeys(METRICS, math.nan)
    if total:
        result.update(_hits(d, g, total))
    if d.size:
        result.update(_errors(d, g))
    return result


def metrics_by_range(
    prediction: Array, truth: Array, edges: Sequence[float],
) -> list[dict[str, float]]:
    """
    Metrics of one picture for each interval between ``edges`` (m, growing) of true depth.

    As in ``depth_metrics`` with the last edge as ``max_depth``, but only ``abs_rel``, ``rmse``,
    ``within_5``, ``within_10`` and ``coverage``, and ``points``, the number of points.
    """
    with np.errstate(invalid='ignore'):
        valid = (truth > max(MIN_DEPTH, edges[0])) & (truth < edges[-1])
    d, g = prediction[valid].astype(np.float64), truth[valid].astype(np.float64)
    interval = np.searchsorted(edges, g, side='right') - 1
    finite = np.isfinite(d)
    d = np.clip(np.where(finite, d, g), MIN_DEPTH, edges[-1])
    difference = np.abs(d - g)
    relative = difference / g

    def sums(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(interval, values, len(edges) - 1).astype(np.float64)

    total, found = sums(np.ones_like(g)), sums(finite)
    with np.errstate(invalid='ignore'):
        columns = {
            'points': total,
            'abs_rel': sums(relative) / found,
            'rmse': np.sqrt(sums(difference**2) / found),
            'within_5': sums(finite & (relative <= 0.05)) / total,
            'within_10': sums(finite & (relative <= 0.10)) / total,
            'coverage': found / total,
        }
    return [{name: float(column[index]) for name, column in columns.items()}
            for index in range(len(edges) - 1)]


def average(
    rows: Iterable[Mapping[str, float]], weights: Iterable[float] = repeat(1.0),
) -> dict[str, float]:
    """
    Mean over pictures of each metric, each picture with its weight.

    A picture in which a metric is NaN (nothing to score) does not count for it.
    """
    columns: dict[str, list[tuple[float, float]]] = {}
    for row, weight in zip(rows, weights, strict=False):
        for name, value in row.items():
            columns.setdefault(name, [])
            if not math.isnan(value):
                columns[name].append((weight, weight * value))
    return {name: _ratio(values) for name, values in columns.items()}


def _ratio(weighted: Sequence[tuple[float, float]]) -> float:
    total = math.fsum(weight for weight, _ in weighted)
    return math.fsum(value for _, value in weighted) / total if total else math.nan


def _errors(d: npt.NDArray[np.float64], g: npt.NDArray[np.float64]) -> dict[str, float]:
    difference = d - g
    log_ratio = np.log(d / g)
    squared_log = float(np.mean(log_ratio**2))
    return {
        'abs_rel': float(np.mean(np.abs(difference) / g)),
        'sq_rel': float(np.mean(difference**2 / g)),
        'rmse': math.sqrt(float(np.mean(difference**2))),
        'rmse_log': math.sqrt(squared_log),
        'log10': float(np.mean(np.abs(log_ratio))) / math.log(10.0),
        'silog': 100.0 * float(np.std(log_ratio)),
    }


def _hits(
    d: npt.NDArray[np.float64], g: npt.NDArray[np.float64], total: int,
) -> dict[str, float]:
    ratio = np.maximum(d / g, g / d)
    relative = np.abs(d - g) / g
    hits = {
        'd1': ratio < 1.25, 'd2': ratio < 1.25**2, 'd3': ratio < 1.25**3,
        'within_5': relative <= 0.05, 'within_10': relative <= 0.10,
    }
    shares = {name: int(np.count_nonzero(hit)) / total for name, hit in hits.items()}
    return {**shares, 'coverage': d.size / total}
