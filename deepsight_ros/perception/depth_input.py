"""What the depth encoder of DeepSight takes: a small depth picture and the geometry around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.points import Robot


@dataclass(frozen=True, eq=False)
class DepthInput:
    """
    Input of the depth encoder, all float32.

    ``depth`` [h, w] is metres along the optical axis, 0 where nothing was measured; ``camera`` [4]
    is fx, fy, cx, cy in its pixels; ``ground`` [7] is the unit normal towards the ground, the
    camera's height, and the robot's width, height and lowest obstacle in metres, or all zero.
    """

    depth: FloatImage
    camera: npt.NDArray[np.float32]
    ground: npt.NDArray[np.float32]


def depth_input(
    depth: npt.NDArray[Any], camera: Camera, ground: GroundPlane | None, robot: Robot,
    size: tuple[int, int],
) -> DepthInput:
    """
    Bring a depth image [H, W] (m) to the encoder's ``size`` (width, height).

    Each pixel of the result is one of the image, as means across edges are where nothing is. What
    is not finite or not positive counts as not measured. ``ground`` is None where it is unknown.
    Raises ``CameraError`` if depth and camera differ in size.
    """
    if depth.shape != (camera.height, camera.width):
        raise CameraError(f'depth is {depth.shape[::-1]}, camera_info says {camera.size}; publish '
                          'the camera_info that belongs to the depth image')
    small = np.array(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
    with np.errstate(invalid='ignore'):
        small[~(np.isfinite(small) & (small > 0))] = 0.0
    scaled = camera.scaled(*size)
    around = np.zeros(7, np.float32)
    if ground is not None:
        around[:] = (*ground.normal, ground.height, robot.width, robot.height,
                     robot.min_obstacle_height)
    intrinsics = np.array([scaled.fx, scaled.fy, scaled.cx, scaled.cy], np.float32)
    return DepthInput(small, intrinsics, around)
