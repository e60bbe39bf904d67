"""Straight edges of a picture as line segments, cheap enough for every frame."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIN_LENGTH: Final = 12.0
"""Shorter edges (px) have a direction too vague to point anywhere."""
_WEAK, _STRONG = 30, 60
"""Canny's thresholds: a step of 7 grey levels starts an edge, one of 4 continues it."""
_SECTORS: Final = 8
_MAX_RESIDUAL: Final = 0.8
"""Root mean square distance (px) of a segment's pixels from its line; more is a curve."""
_MIN_FILL: Final = 0.6
"""Edge pixels per pixel of length; fewer are chance alignments."""


@dataclass(frozen=True)
class LineSegments:
    """``middle`` [N, 2] and ``length`` [N] in pixels, unit ``direction`` [N, 2] (sign free)."""

    middle: Floats
    direction: Floats
    length: Floats

    def __len__(self) -> int:
        return len(self.length)

    def take(self, chosen: npt.NDArray[Any]) -> LineSegments:
        """Return the segments of an index or mask array."""
        return LineSegments(self.middle[chosen], self.direction[chosen], self.length[chosen])


def find_line_segments(
    grey: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.uint8] | None = None,
    *,
    min_slope: float = 0.0,
) -> LineSegments:
    """
    Find the straight edges of ``grey`` [H, W] where ``mask`` [H, W] is 255, not 0.

    Edges that rise by less than ``min_slope`` pixels per pixel are left out.

    Edge pixels whose gradients point into the same sector and which touch each other form a
    region, and a line is fitted to each. Two sets of sectors, shifted by half a sector, keep lines
    whole that lie on a border between sectors; each pixel votes for its larger region. Source:
    Burns, Hanson, Riseman, Extracting Straight Lines, PAMI 1986, on Canny's thin edges.
    """
    gradient_x, gradient_y = cv2.spatialGradient(grey)
    edges = cv2.Canny(gradient_x, gradient_y, _WEAK, _STRONG)
    if mask is not None:
        edges = np.bitwise_and(edges, mask)
    pixels = np.flatnonzero(edges > 0)
    across = gradient_x.ravel()[pixels].astype(np.float32)
    along = gradient_y.ravel()[pixels].astype(np.float32)
    steep = np.abs(across) >= min_slope * np.abs(along)
    pixels, across, along = pixels[steep], across[steep], along[steep]
    sector = (np.arctan2(along, across) + math.pi) * (_SECTORS / (2 * math.pi))
    neighbours = _neighbours(pixels, grey.shape[1])
    regions = [_regions(pixels, neighbours, (sector + shift).astype(np.uint8) % _SECTORS)
               for shift in (0.0, 0.5)]
    sizes = [np.bincount(region) for region in regions]
    first_wins = sizes[0][regions[0]] >= sizes[1][regions[1]]
    places = np.divmod(pixels.astype(np.int32), np.int32(grey.shape[1]))
    fits = [_fit(places, regions[0], sizes[0], first_wins),
            _fit(places, regions[1], sizes[1], ~first_wins)]
    return LineSegments(*(np.concatenate(parts) for parts in zip(*fits, strict=True)))


def _neighbours(pixels: Ints, width: int) -> list[tuple[Ints, Ints]]:
    """Pairs of ordinals: an edge pixel and the one above, upper left or upper right of it."""
    ordinal = np.full(pixels[-1] + 1 if pixels.size else 1, -1, np.int32)
    ordinal[pixels] = np.arange(pixels.size, dtype=np.int32)
    neighbours = []
    for step in (width, width + 1, width - 1):
        above = ordinal[np.maximum(pixels - step, 0)]
        below = np.flatnonzero(above >= 0)
        neighbours.append((below, above[below]))
    return neighbours


def _regions(
    pixels: Ints, neighbours: list[tuple[Ints, Ints]], sector: npt.NDArray[np.uint8],
) -> Ints:
    """
    Region number [N] of each edge pixel.

    Thin edges need no general labelling: runs of pixels in a row hang on one run in the row above.
    """
    starts = np.ones(pixels.size, bool)
    starts[1:] = (pixels[1:] != pixels[:-1] + 1) | (sector[1:] != sector[:-1])
    run = np.cumsum(starts) - 1
    parent = np.arange(run[-1] + 1 if run.size else 0)
    for below, above in neighbours:
        joined = np.flatnonzero(sector[below] == sector[above])
        parent[run[below[joined]]] = run[above[joined]]
    while True:
        grandparent = parent[parent]
        if np.array_equal(grandparent, parent):
            break
        parent = grandparent
    region: Ints = parent[run]
    return region


def _fit(
    places: tuple[Ints, Ints], region: Ints, size: Ints, votes: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats, Floats]:
    """
    Middle, direction and length of the regions that are long, straight, dense and voted for.

    ``places`` are the rows and columns of the pixels.
    """
    candidate = (size >= _MIN_FILL * MIN_LENGTH) & (
        np.bincount(region, votes, size.size) >= 0.5 * size)
    chosen = np.flatnonzero(candidate[region])
    number = np.cumsum(candidate) - 1
    index, count = number[region[chosen]], int(candidate.sum())
    rows, columns = places[0][chosen], places[1][chosen]
    total = np.maximum(np.bincount(index, minlength=count), 1)

    def mean(values: npt.NDArray[Any]) -> Floats:
        return np.bincount(index, values, count) / total

    middle = np.stack([mean(columns), mean(rows)], axis=1)
    dx, dy = columns - middle[index, 0], rows - middle[index, 1]
    xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    direction = 0.5 * np.arctan2(2 * xy, xx - yy)
    spread = np.hypot((xx - yy) / 2, xy)
    length = np.sqrt(12 * ((xx + yy) / 2 + spread))
    residual = np.sqrt(np.maximum((xx + yy) / 2 - spread, 0))
    good = (length >= MIN_LENGTH) & (residual < _MAX_RESIDUAL) & (total >= _MIN_FILL * length)
    turned = np.stack([np.cos(direction), np.sin(direction)], axis=1)
    return middle[good], turned[good], length[good]
