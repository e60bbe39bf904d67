"""Depth in colours, for people to look at."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

NEAREST: Final = 0.5
"""Depth in metres of the warmest colour, at most a fortieth of the range."""
_FARTHEST, _UNKNOWN = 254, 255


def depth_preview(depth: npt.NDArray[np.float32], max_range: float) -> npt.NDArray[np.uint8]:
    """
    RGB picture [H, W, 3] of depth [H, W] in metres: red near, blue at ``max_range``.

    The colour changes with the logarithm of depth. Sky and beyond range (+Inf) are white, unknown
    (NaN) is black.
    """
    nearest = min(NEAREST, max_range / 40)
    span = np.log(np.float32(max_range / nearest))
    with np.errstate(invalid='ignore', divide='ignore'):
        index = np.log(depth * np.float32(1 / nearest)) * np.float32((_FARTHEST - 1) / span)
    np.clip(index, 0, _FARTHEST - 1, out=index)
    index[np.isposinf(depth)] = _FARTHEST
    index[np.isnan(depth)] = _UNKNOWN
    picture: Any = cv2.LUT(cv2.merge([index.astype(np.uint8)] * 3), _table())
    return picture  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    ramp = np.linspace(255, 0, _FARTHEST).astype(np.uint8)
    table: Any = np.zeros((1, 256, 3), np.uint8)
    table[0, :_FARTHEST] = cv2.applyColorMap(ramp[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    table[0, _FARTHEST] = 255
    return table  # type: ignore[no-any-return]
