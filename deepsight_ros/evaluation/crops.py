"""The parts of a picture that benchmarks score."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

CROPS: Final = {
    'none': (0.0, 1.0, 0.0, 1.0),
    'garg': (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    'eigen': (0.3324324, 0.91351351, 0.03594771, 0.96405229),
    'nyu': (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
"""First and last row, first and last column, as shares of height and width; last is exclusive."""


def inside_crop(
    points: npt.NDArray[np.float32], crop: str, height: int, width: int,
) -> npt.NDArray[np.bool_]:
    """Which points [N, 3] (column, row, depth) of a picture lie in the crop of this name [N]."""
    top, bottom, left, right = CROPS[crop]
    column, row = np.rint(points[:, 0]), np.rint(points[:, 1])
    # Rounded away first: 45 / 480 * 480 may be a hair below 45.
    first_row, last_row = int(round(top * height, 6)), int(round(bottom * height, 6))
    first_column, last_column = int(round(left * width, 6)), int(round(right * width, 6))
    inside: npt.NDArray[np.bool_] = (
        (row >= first_row) & (row < last_row) & (column >= first_column) & (column < last_column))
    return inside
