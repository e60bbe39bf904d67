"""Fast hole filling: Telea's inpainting at a reduced size, in inverse depth."""

from __future__ import annotations

from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import FloatImage

MAX_WIDTH: Final = 110
"""Largest width (pixels) at which holes are inpainted: Telea's cost grows with their area."""
RADIUS: Final = 3
"""Neighbourhood of Telea's weighted mean, in pixels of the reduced picture."""
_LEVELS: Final = 1e6


def fill(
    values: FloatImage, holes: npt.NDArray[Any], *, max_width: int = MAX_WIDTH,
) -> FloatImage:
    """
    Return ``values`` [H, W] with its ``holes`` [H, W] (bool or uint8) filled from their borders.

    Known pixels are returned exactly as they came. Fill inverse depth rather than depth: that of
    a plane is affine in the pixel, so a hole in a plane is continued correctly, and far pixels do
    not outweigh near ones. The picture is reduced to at most ``max_width`` columns, each reduced
    pixel being the mean of its known pixels, and scaled so that the largest value is 10^6:
    OpenCV's Telea adds up to +-1.5 grey levels along the gradient whatever the type, which made
    for 8 bits would swamp an inverse depth of 0.1/m. Without any known pixel holes become NaN.
    """
    holes = np.asarray(holes, bool)
    if not holes.any():
        return values
    if holes.all():
        return np.full_like(values, np.nan)
    height, width = values.shape
    factor = -(-width // max_width)
    size = -(-width // factor), -(-height // factor)
    known = (~holes).astype(np.float32)
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(np.where(holes, np.float32(0), values), size, interpolation=cv2.INTER_AREA)
    np.divide(small, weight, out=small, where=weight > 0)
    empty = weight == 0
    low, high = float(small[~empty].min()), float(small[~empty].max())
    scale = np.float32(_LEVELS / max(abs(low), abs(high), 1e-12))
    small = cv2.inpaint(small * scale, empty.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA) / scale
    np.clip(small, low, high, out=small)
    filled = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    result: FloatImage = np.where(holes, filled, values)
    return result
