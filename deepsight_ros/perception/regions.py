"""
Boxes around things that stand out in depth, whatever they are; for encoders that take boxes.

Where one surface ends in front of another, depth jumps. On a plane, inverse depth changes evenly
from pixel to pixel, however slanted the plane is; so a jump is a change that nothing beside it
shares. The jumps around a thing form a line, and the line's bounding box is the thing's,
also where it stands on the floor without a jump. Training and run time both take boxes from here.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

REGIONS: Final = 16
"""Boxes of a picture: the largest ones, and empty ones where there are fewer."""
JUMP: Final = 0.06
"""Least share of inverse depth by which a surface stands out; cameras' noise is 1 to 3 %."""
JUMP_AT_HOLE: Final = 0.12
"""The same beside a hole, across which a slant changes, too."""
_ALIKE: Final = 1.2
"""Along the line around one thing, neighbouring depths differ by less than this factor."""
_LEAST: Final = 0.003
"""Share of the picture below which a box is noise, or too small to ask about."""
_MOST: Final = 0.8
"""Share beyond which a box tells nothing."""
_HOLE: Final = np.ones((7, 7), np.uint8)
"""Holes up to this wide, such as shadows of a projector, count as what lies behind them."""
_NEAR: Final = np.ones((3, 3), np.uint8)
_MISSING: Final = np.float32(1e6)
"""Inverse depth (1/m) of what was not measured; no surface is that near."""


def find_regions(depth: Floats) -> Floats:
    """
    Return boxes [REGIONS, 4] (x0, y0, x1, y1 in shares of width and height), the largest first.

    ``depth`` [H, W] is metres, 0 where nothing was measured. Empty boxes are all zero.
    """
    height, width = depth.shape
    measured = depth > 0
    inverse = np.full(depth.shape, _MISSING)
    np.divide(np.float32(1.0), depth, out=inverse, where=measured)
    inverse = np.where(measured, inverse, cv2.erode(inverse, _HOLE))
    least = np.where(measured, np.float32(JUMP), np.float32(JUMP_AT_HOLE))
    lines = np.zeros(depth.shape, bool)
    _mark(inverse, least, lines)
    _mark(inverse.T, least.T, lines.T)
    # Where lines of two things meet, the nearness of what they bound changes.
    on_line = np.where(lines, inverse, np.float32(0))
    nearest = cv2.dilate(on_line, _NEAR)
    farthest = cv2.erode(np.where(lines, inverse, _MISSING), _NEAR)
    lines &= nearest < _ALIKE * farthest
    _, _, found, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    return _largest(found[1:, :4].astype(np.float32), width, height)


def _mark(inverse: Floats, least: Floats, lines: npt.NDArray[np.bool_]) -> None:
    """Mark pixels [H, W] behind whose border, in their row, depth jumps away."""
    one, other = inverse[:, :-1], inverse[:, 1:]
    change = other - one
    needed = np.maximum(least[:, :-1], least[:, 1:]) * np.minimum(one, other)
    known = np.maximum(one, other) < _MISSING
    lines[:, 1:] |= known & _jumps(change, needed)
    lines[:, :-1] |= known & _jumps(-change, needed)


def _jumps(rise: Floats, needed: Floats) -> npt.NDArray[np.bool_]:
    """Tell where inverse depth rises by what is needed, and by more than a slant nearby does."""
    # Not the next one: a jump may take two pixels. But two: enlarged pictures repeat pixels.
    around = np.pad(rise, ((0, 0), (3, 3)))
    slant = np.zeros_like(rise)
    for start in (0, 1, 5, 6):
        np.maximum(slant, around[:, start:start + rise.shape[1]], out=slant)
    return rise > needed + 2 * slant


def _largest(found: Floats, width: int, height: int) -> Floats:
    """Keep boxes [N, 4] (x, y, width, height in pixels) of useful size, the largest first."""
    share = found[:, 2] * found[:, 3] / (width * height)
    kept = np.argsort(-share, kind='stable')
    kept = kept[(share[kept] >= _LEAST) & (share[kept] <= _MOST)][:REGIONS]
    boxes = np.zeros((REGIONS, 4), np.float32)
    boxes[:len(kept), :2] = found[kept, :2]
    boxes[:len(kept), 2:] = found[kept, :2] + found[kept, 2:]
    boxes /= np.array((width, height, width, height), np.float32)
    return boxes
