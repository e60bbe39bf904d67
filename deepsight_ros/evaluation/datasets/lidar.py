"""LiDAR points as ground truth of a picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera

_NEIGHBOURHOOD: Final = (5, 3)
"""Rows and columns within which a nearer point hides a farther one: a 64-layer scanner's lines
are about 5 pixels apart in a picture of 720 px focal length."""
_INVERSE_GAP: Final = 0.02
"""1/m. A scanner some 0.1 m beside a camera of 700 px sees a point shifted by 0.1 * 700 * gap
pixels against its surroundings: with smaller gaps it is seen by both. The ground itself changes
by less over the neighbourhood."""


def project_scan(
    points: npt.NDArray[np.floating], camera: Camera,
) -> npt.NDArray[np.float32]:
    """
    Ground truth [M, 3] (column, row, depth in metres) of a scan.

    ``points`` [N, 3] are in metres in the frame of the picture's header (``camera.offset`` is
    applied here). What the camera does not see is left out: points outside the picture, and those
    that the scanner sees past the border of a nearer thing.
    """
    seen = camera.project(points[points[:, 2] > 0.1] + np.array(camera.offset))
    column, row = np.rint(seen[:, 0]), np.rint(seen[:, 1])
    with np.errstate(invalid='ignore'):
        inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    visible: npt.NDArray[np.float32] = seen[inside].astype(np.float32)
    return visible[_unhidden(visible, camera)]


def _unhidden(
    points: npt.NDArray[np.float32], camera: Camera,
) -> npt.NDArray[np.bool_]:
    column, row = (np.rint(points[:, axis]).astype(np.int64) for axis in (0, 1))
    inverse = 1 / points[:, 2]
    nearest = np.zeros((camera.height, camera.width), np.float32)
    order = np.argsort(inverse, kind='stable')
    nearest[row[order], column[order]] = inverse[order]
    rows, columns = _NEIGHBOURHOOD
    kernel = np.ones((2 * rows + 1, 2 * columns + 1), np.uint8)
    around = cv2.dilate(nearest, kernel)
    result: npt.NDArray[np.bool_] = around[row, column] - inverse < _INVERSE_GAP
    return result
