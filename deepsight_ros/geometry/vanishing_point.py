"""How likely each row of a picture is the ground's horizon, by the lines that meet there."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PARALLEL_SIGMA: Final = math.radians(0.8)
"""Lines of one road are parallel to about this: a bend of 1 km radius turns by it in 14 m."""
_PLANE_SIGMA: Final = math.radians(0.12)
"""Roads are planes to about this: 2 cm over 10 m."""
_SAME_DIRECTION: Final = math.radians(3.0)
_SAME_LINE: Final = math.radians(0.5)
"""Lines closer than these are one structure (both edges of a mark, a kerb in pieces)."""
_MAX_LINES: Final = 150
_MAX_PAIRED: Final = 40
_ROWS_PER_CROSSING: Final = 4
_AROUND_CROSSING: Final = np.radians(np.arange(-1.0, 1.1, 0.5))
"""Columns tried about the best crossing in each group of rows."""


@dataclass(frozen=True)
class Lines:
    """
    Lines of a picture in the coordinates of rays, x/z and y/z, the horizon level.

    ``middle`` [N, 2]; unit ``direction`` [N, 2]; 1-sigma ``direction_sigma`` [N] of the latter in
    radians; ``on_ground`` [N], the probability that the line lies on the ground and runs along it.
    """

    middle: Floats
    direction: Floats
    direction_sigma: Floats
    on_ground: Floats

    def __len__(self) -> int:
        return len(self.on_ground)

    def take(self, chosen: npt.NDArray[np.int64]) -> Lines:
        """Return the lines of an index array."""
        return Lines(self.middle[chosen], self.direction[chosen],
                     self.direction_sigma[chosen], self.on_ground[chosen])


def horizon_log_likelihood(lines: Lines, rows: Floats, columns: tuple[float, float]) -> Floats:
    """
    Log likelihood [K] that the ground's horizon lies at ``rows`` [K] (y/z, from low to high).

    It is relative to lines that are all clutter, which has zero. A line is either clutter, of any
    direction, or it passes a vanishing point on the horizon up to the sigmas of its direction, of
    the road's lines being parallel, and of the road being a plane; above the horizon it is
    clutter. Vanishing points are sought within ``columns`` (x/z), near crossings of pairs of
    lines.
    """
    result = np.zeros(len(rows))
    if len(lines) < 2:
        return result
    weight = _weights(lines)
    best_case = weight * np.log1p(_odds(lines) / lines.direction_sigma)
    chosen = np.argsort(-best_case, kind='stable')[:_MAX_LINES]
    lines, weight = lines.take(chosen), weight[chosen]
    points = _crossings(lines.take(np.arange(min(_MAX_PAIRED, len(lines)))))
    nearest = np.round(np.interp(-points[:, 1], -rows, np.arange(len(rows)), -1, -1))
    inside = (nearest >= 0) & (points[:, 0] > columns[0]) & (points[:, 0] < columns[1])
    if not inside.any():
        return result
    points, group = points[inside], nearest[inside].astype(np.int64) // _ROWS_PER_CROSSING
    order = np.lexsort((_log_likelihood(lines, weight, points), group))
    best = order[np.append(np.flatnonzero(np.diff(group[order])), len(order) - 1)]
    row = group[best, None] * _ROWS_PER_CROSSING + np.arange(_ROWS_PER_CROSSING)
    row, column = np.broadcast_arrays(
        np.minimum(row, len(rows) - 1)[:, :, None],
        points[best, 0][:, None, None] + _AROUND_CROSSING)
    tried = np.stack([column.ravel(), rows[row.ravel()]], axis=1)
    likelihood = _log_likelihood(lines, weight, tried).reshape(row.shape)
    top = likelihood.max(axis=2)
    result[row[:, :, 0]] = top + np.log(np.exp(likelihood - top[:, :, None]).mean(axis=2))
    return np.maximum(result, 0.0)


def _odds(lines: Lines) -> Floats:
    """Odds of ground against clutter times the ratio of their densities at a perfect fit."""
    return lines.on_ground / (1 - lines.on_ground) * math.sqrt(math.pi / 2)


def _weights(lines: Lines) -> Floats:
    """Weight [N] of each line so that the lines of one structure together count about once."""
    normal = np.stack([-lines.direction[:, 1], lines.direction[:, 0]], axis=1)
    reach = normal @ lines.middle.T
    apart = np.abs(reach - np.diag(reach)[:, None])
    turned = normal @ lines.direction.T
    likeness = np.exp(-0.5 * ((apart + apart.T) / (2 * _SAME_LINE))**2
                      - 0.5 * (turned / _SAME_DIRECTION)**2)
    precision = lines.direction_sigma ** -(2 / 3)
    # Not a matrix product: BLAS would start threads for it.
    weight: Floats = precision / np.einsum('ij,j->i', likeness, precision)
    return weight


def _crossings(lines: Lines) -> Floats:
    """Points [M, 2] where pairs of the lines cross."""
    one = np.ones((len(lines), 1))
    homogeneous = np.cross(np.hstack([lines.middle, one]),
                           np.hstack([lines.direction, 0 * one]))
    first, second = np.triu_indices(len(lines), 1)
    points = np.cross(homogeneous[first], homogeneous[second])
    points = points[np.abs(points[:, 2]) > 1e-6]
    crossings: Floats = points[:, :2] / points[:, 2:]
    return crossings


def _log_likelihood(lines: Lines, weight: Floats, points: Floats) -> Floats:
    """Log likelihood [M] of the points [M, 2] as vanishing points, relative to clutter alone."""
    x, y = (lines.middle.astype(np.float32)[:, axis, None] for axis in (0, 1))
    dx, dy = (lines.direction.astype(np.float32)[:, axis, None] for axis in (0, 1))
    to_x = points[:, 0].astype(np.float32) - x
    to_y = points[:, 1].astype(np.float32) - y
    squared = to_x * to_x + to_y * to_y
    miss = to_x * dy - to_y * dx
    sigma = lines.direction_sigma.astype(np.float32)[:, None]
    precision = 1 / (sigma * sigma * squared
                     + (_PARALLEL_SIGMA * dy)**2 + (_PLANE_SIGMA * dx)**2)
    odds = np.exp(-0.5 * miss * miss * precision)
    odds *= np.sqrt(squared * precision) * _odds(lines).astype(np.float32)[:, None]
    odds *= to_y < 0
    total: Floats = np.einsum(
        'i,ij->j', weight.astype(np.float32), np.log1p(odds)).astype(np.float64)
    return total
