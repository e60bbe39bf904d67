"""Messages in, depth frames with their ground out: what a question is asked about."""

from __future__ import annotations

import math
from typing import Any
from typing import Final

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.pictures import to_depth

MAX_YAW: Final = 30.0
"""Degrees from the robot's front beyond which a camera does not see the way ahead."""


class DepthFrames:
    """
    The chain from a depth Image and its CameraInfo, of rclpy or rosbags, to a ``DepthFrame``.

    Keeps the last one, so that further questions about it find it encoded, and the camera until
    its calibration changes. Not thread safe.
    """

    def __init__(self, extrinsics: Extrinsics | None, robot: Robot, no_ground: str = '') -> None:
        """``no_ground`` says why there are no ``extrinsics``."""
        self._extrinsics = extrinsics
        self._robot = robot
        self._no_ground = no_ground
        self._calibration: tuple[Any, ...] = ()
        self._camera: Camera | None = None
        self._picture: Any = None
        self._info: Any = None
        self._frame: DepthFrame | None = None

    def __call__(self, picture: Any, info: Any) -> DepthFrame:
        """
        Frame of a 32FC1 or 16UC1 Image and its CameraInfo, both rectified.

        Where the ground is not known, the frame says why. Raises ``PictureError`` and
        ``CameraError``.
        """
        if self._frame is None or picture is not self._picture or info is not self._info:
            self._frame = self._create(picture, info)
            self._picture, self._info = picture, info
        return self._frame

    def _create(self, picture: Any, info: Any) -> DepthFrame:
        camera = self._camera_of(info)
        depth = to_depth(picture)
        if depth.shape != (camera.height, camera.width):
            raise CameraError(f'depth is {depth.shape[1]}x{depth.shape[0]}, camera_info says '
                              f'{camera.width}x{camera.height}; publish the camera_info that '
                              'belongs to the depth image')
        ground, no_ground, no_way = None, self._no_ground, ''
        if self._extrinsics is not None:
            stamp = picture.header.stamp
            try:
                found = self._extrinsics.ground(
                    picture.header.frame_id, stamp.sec * 1_000_000_000 + stamp.nanosec)
                ground = found.plane.seen_from(camera.offset)
                turned = abs(math.degrees(found.yaw))
                if turned > MAX_YAW:
                    no_way = (f'the camera looks {turned:.0f} degrees away from the x axis of '
                              'ground_frame, so it does not show the way ahead of the robot; '
                              'ask about a camera that looks forward, or let ground_frame be '
                              'one whose x axis is the front')
            except GroundError as error:
                no_ground = str(error)
        return DepthFrame(depth, camera, ground, self._robot, no_ground, no_way)

    def _camera_of(self, info: Any) -> Camera:
        roi = info.roi
        calibration = (
            info.width, info.height, info.binning_x, info.binning_y, roi.x_offset, roi.y_offset,
            roi.width, roi.height, *(tuple(values) for values in (info.k, info.p)))
        if self._camera is None or calibration != self._calibration:
            self._camera = Camera.from_camera_info(info)
            self._calibration = calibration
        return self._camera
