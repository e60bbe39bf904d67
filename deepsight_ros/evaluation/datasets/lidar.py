"""LiDAR points as ground truth of a picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera

_HIDING: Final = ((0.02, 0.007, 0.004), (0.08, 0.02, 0.02))
"""
Gap in inverse depth (1/m), and vertical and horizontal angles (rad) within which a point nearer
by that gap hides another one. A scanner 0.3 m from the camera sees a point shifted against its
surroundings by up to 0.3 * gap, and its lines are 0.007 apart: 5 pixels of a camera with 720
pixels of focal length. The ground itself changes by less than these gaps over these angles.
"""


def project_scan(
    points: npt.NDArray[np.floating], camera: Camera, hide: bool = True,
) -> npt.NDArray[np.float32]:
    """
    Ground truth [M, 3] (column, row, depth in metres) of a scan.

    ``points`` [N, 3] are in metres in the frame of the picture's header (``camera.offset`` is
    applied here). What the camera does not see is left out: points outside the picture, and those
    that the scanner sees past the border of a nearer thing. ``hide=False`` leaves out the latter
    only where they share a pixel with a nearer point, as Eigen et al. (2014) did.
    """
    seen = camera.project(points[points[:, 2] > 0.1] + np.array(camera.offset))
    column, row = np.rint(seen[:, 0]), np.rint(seen[:, 1])
    with np.errstate(invalid='ignore'):
        inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    visible: npt.NDArray[np.float32] = seen[inside].astype(np.float32)
    if hide:
        return visible[_unhidden(visible, camera)]
    visible = visible[np.argsort(visible[:, 2], kind='stable')]
    pixels = np.rint(visible[:, 1]) * camera.width + np.rint(visible[:, 0])
    return visible[np.unique(pixels, return_index=True)[1]]


def _unhidden(
    points: npt.NDArray[np.float32], camera: Camera,
) -> npt.NDArray[np.bool_]:
    # Half the resolution is fine enough for this, and four times faster.
    column, row = (np.rint(points[:, axis]).astype(np.int64) // 2 for axis in (0, 1))
    inverse = 1 / points[:, 2]
    nearest = np.zeros((camera.height // 2 + 1, camera.width // 2 + 1), np.float32)
    order = np.argsort(inverse, kind='stable')
    nearest[row[order], column[order]] = inverse[order]
    visible = np.ones(len(points), bool)
    for gap, vertical, horizontal in _HIDING:
        reach = round(vertical * camera.fy / 2), round(horizontal * camera.fx / 2)
        around = cv2.dilate(nearest, np.ones([2 * pixels + 1 for pixels in reach], np.uint8))
        visible &= around[row, column] - inverse < gap
    return visible
