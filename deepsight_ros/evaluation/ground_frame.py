"""The frame on the ground below a camera: x forward, y left, z up (REP-105 base_footprint)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import GroundPlane


def ground_from_camera(ground: GroundPlane) -> npt.NDArray[np.float64]:
    """
    Matrix [4, 4] that takes points of the optical frame to the frame on the ground below it.

    Forward is where the camera looks, or where its upper side points if it looks straight down;
    ``GroundPlane.from_transform`` is the inverse.
    """
    up = -np.array(ground.normal)
    along = np.array([0.0, 0.0, 1.0])
    if abs(up[2]) > 0.999:
        along = np.array([0.0, -1.0, 0.0])
    left = np.cross(up, along)
    left /= np.linalg.norm(left)
    matrix = np.eye(4)
    matrix[:3, :3] = np.cross(left, up), left, up
    matrix[2, 3] = ground.height
    return matrix
