"""Things stand along the columns of a level camera's picture: rolled ones are turned first."""

from __future__ import annotations

import math
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.contact import Mask
from deepsight_ros.geometry.contact import standing_inverse_depth
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.scene_classes import OUTSIDE

SMALL: Final = math.radians(2.0)
"""Roll (rad) up to which a column is upright enough: over 100 rows it leans by 3 columns."""


def upright_inverse_depth(
    classes: npt.NDArray[np.uint8], plane: FloatImage, camera: Camera, ground: GroundPlane,
) -> tuple[FloatImage, Mask, Mask]:
    """
    ``standing_inverse_depth`` of a camera with any roll; same arguments, same result.

    The class map is turned about the optical axis, which leaves depths as they are, on a canvas
    that holds all of it; around it the canvas is ``OUTSIDE``.
    """
    if abs(ground.roll) <= SMALL:
        return standing_inverse_depth(classes, plane, camera, ground)
    level = ground.tilted(roll=-ground.roll)
    turn, canvas = _turned(camera, ground.roll)
    turned: Any = cv2.warpAffine(
        classes, turn, canvas.size, flags=cv2.INTER_NEAREST, borderValue=OUTSIDE)
    standing, touching, under = standing_inverse_depth(
        turned, level.slant(canvas) / np.float32(level.height), canvas, level)

    def back(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, turn, camera.size, flags=flags)

    return (back(standing), back(touching.view(np.uint8)).view(np.bool_),
            back(under.view(np.uint8)).view(np.bool_))


def _turned(camera: Camera, roll: float) -> tuple[npt.NDArray[np.float64], Camera]:
    """Return pixels of the camera to those of one without roll [2, 3], and that camera."""
    c, s = math.cos(roll), math.sin(roll)
    turn = np.array([[c, -s * camera.fx / camera.fy], [s * camera.fy / camera.fx, c]])
    right, bottom = camera.width - 1, camera.height - 1
    corners = turn @ (np.array([[0, right, 0, right], [0, 0, bottom, bottom]])
                      - [[camera.cx], [camera.cy]])
    low = corners.min(axis=1)
    width, height = np.ceil(corners.max(axis=1) - low).astype(int) + 1
    shift = -low - turn @ (camera.cx, camera.cy)
    return np.column_stack([turn, shift]), Camera(
        int(width), int(height), camera.fx, camera.fy, float(-low[0]), float(-low[1]))
