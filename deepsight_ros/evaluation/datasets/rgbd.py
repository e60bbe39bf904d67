"""What the readers of RGB-D data sets share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import Camera


def pinhole(matrix: npt.NDArray[Any], image: npt.NDArray[Any]) -> Camera:
    """Return the camera with intrinsics ``matrix`` [3, 3] of an image [H, W, ...]."""
    height, width = image.shape[:2]
    return Camera(width, height, float(matrix[0, 0]), float(matrix[1, 1]),
                  float(matrix[0, 2]), float(matrix[1, 2]))


def check_registered(
    name: str, image: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32],
) -> None:
    """Raise ``DatasetError`` unless depth [H, W] has the size of the picture [H, W, 3]."""
    if depth.shape != image.shape[:2]:
        raise DatasetError(
            f'{name}: depth is {depth.shape[1]}x{depth.shape[0]}, the picture '
            f'{image.shape[1]}x{image.shape[0]}; depth must be registered to the colour camera')
