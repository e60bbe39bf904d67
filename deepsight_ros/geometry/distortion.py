"""Lens distortion of raw pictures: the three models of CameraInfo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.errors import CameraError

_LENGTHS: Final = {
    'plumb_bob': (0, 4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}


@dataclass(frozen=True, eq=False)
class Distortion:
    """Raw picture's intrinsics ``matrix`` [3, 3], rotation to the rectified frame, and lens."""

    model: str
    coefficients: npt.NDArray[np.float64]
    matrix: npt.NDArray[np.float64]
    rotation: npt.NDArray[np.float64]

    @classmethod
    def from_fields(
        cls,
        model: str,
        coefficients: npt.NDArray[np.float64],
        matrix: npt.NDArray[np.float64],
        rotation: npt.NDArray[np.float64],
    ) -> Distortion:
        """
        Check the fields of a CameraInfo.

        An empty model with empty or zero coefficients is a lens without distortion, and an R of
        zeros is no rotation: drivers publish both.
        """
        if not model and not coefficients.any():
            model, coefficients = 'plumb_bob', np.zeros(5)
        if model not in _LENGTHS:
            raise CameraError(f'camera_info: distortion_model {model!r} is unknown, known are '
                              f'{", ".join(_LENGTHS)}; rectify the pictures with image_proc and '
                              'set rectified: true')
        if coefficients.size not in _LENGTHS[model]:
            raise CameraError(f'camera_info: D has {coefficients.size} numbers, {model} needs '
                              f'{" or ".join(map(str, _LENGTHS[model]))}; fix the calibration')
        if not np.isfinite(coefficients).all():
            raise CameraError('camera_info: D contains NaN or infinity; calibrate the camera')
        if not rotation.any():
            rotation = np.eye(3)
        return cls(model, coefficients, matrix, rotation)

    def cropped(self, x: int, y: int) -> Distortion:
        """Return the distortion of the picture without its first ``x`` columns and ``y`` rows."""
        shift = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], np.float64)
        return Distortion(self.model, self.coefficients, shift @ self.matrix, self.rotation)

    def scaled(self, sx: float, sy: float) -> Distortion:
        """Return the distortion of the picture resized by ``sx`` and ``sy``."""
        scale = np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1]], np.float64)
        return Distortion(self.model, self.coefficients, scale @ self.matrix, self.rotation)

    def maps(
        self, target: npt.NDArray[np.float64], size: tuple[int, int],
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return maps for ``cv2.remap`` from raw to a rectified picture with K = ``target``."""
        if self.model == 'equidistant':
            first, second = cv2.fisheye.initUndistortRectifyMap(
                self.matrix, self.coefficients, self.rotation, target, size, cv2.CV_16SC2)
        else:
            first, second = cv2.initUndistortRectifyMap(
                self.matrix, self.coefficients, self.rotation, target, size, cv2.CV_16SC2)
        return first, second
