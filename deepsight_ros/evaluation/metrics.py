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
import math
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


def average(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """
    Mean over pictures of each metric.

    A picture in which a metric is NaN (nothing to score) does not count for it.
    """
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, [])
            if not math.isnan(value):
                columns[name].append(value)
    return {name: math.fsum(values) / len(values) if values else math.nan
            for name, values in columns.items()}


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
        'silog': 100.0 * math.sqrt(max(squared_log - float(np.mean(log_ratio))**2, 0.0)),
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
