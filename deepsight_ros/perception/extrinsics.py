"""Where the ground is below a camera: from a transform, an IMU or given numbers."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any
from typing import Final
from typing import Literal
from typing import Protocol

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.errors import TransformError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.points import STEEPEST
from deepsight_ros.perception.gravity import Gravity
from deepsight_ros.perception.gravity import GravityFilter

MAX_GRAVITY_AGE: Final = 0.5
"""Seconds between an IMU message and the picture beyond which gravity is not used."""
_CLEARLY: Final = 0.5
"""Share of gravity along the picture's columns that tells an upright camera from a hanging one."""
_FIXED_TO_THE_WORLD: Final = ('earth', 'map', 'odom', 'world')
"""Frames, most of REP 105, whose x axis is no robot's front."""

Source = Literal['transform', 'gravity', 'parameters']


class TransformLookup(Protocol):
    """What ``geometry.TransformBuffer`` and the tf2 of the nodes have in common."""

    def lookup(self, target: str, source: str, stamp_ns: int) -> npt.NDArray[np.float64]:
        """4x4 matrix that takes points of ``source`` to ``target``; ``TransformError`` if none."""


@dataclass(frozen=True)
class GroundEstimate:
    """Ground plane in the picture's frame and where it is known from."""

    plane: GroundPlane
    source: Source
    notice: str
    """Why a better source was passed over; empty if none was."""
    yaw: float = 0.0
    """Where a transform has the optical axis, in rad from the robot's front (x) to the left."""


class Extrinsics:
    """
    The ground plane of each picture, by the best source there is.

    In order of preference: the transform to ``ground_frame`` at the picture's stamp; gravity of
    the IMU and ``height``; ``height``, ``pitch`` and ``roll``. Once the transform has served,
    nothing worse takes its place until ``restart``. ``add_imu`` may be called from another thread
    than ``ground``.
    """

    def __init__(
        self,
        *,
        height: float = 0.0,
        pitch: float = 0.0,
        roll: float = 0.0,
        ground_frame: str = 'base_footprint',
        transforms: TransformLookup | None = None,
    ) -> None:
        """
        Take what is known beforehand: metres and radians as in ``GroundPlane.from_height``.

        A ``height`` of 0 means unknown; then only the transform helps. Raises ``GroundError`` for
        a negative height, and when nothing can ever be known.
        """
        if height < 0 or (height == 0 and transforms is None):
            raise GroundError(
                f'camera_height is {height:g} m and transforms are not available; set '
                'camera_height to the height of the lens above the ground in metres')
        self._given = GroundPlane.from_height(height, pitch, roll) if height > 0 else None
        self._ground_frame = ground_frame
        self._transforms = transforms
        self._filter = GravityFilter()
        self._transform_served = False

    def restart(self) -> None:
        """Forget which sources have served, as when a node is activated again."""
        self._transform_served = False

    def add_imu(self, message: Any) -> None:
        """Take a ``sensor_msgs/Imu`` (of rclpy or rosbags); raises ``GroundError``."""
        self._filter.update(message)

    def ground(self, frame: str, stamp_ns: int) -> GroundEstimate:
        """
        Ground below the optical frame ``frame`` at a stamp.

        Raises ``GroundError`` when no source knows it, when the transform that served before is
        missing, and when gravity points up.
        """
        notices = []
        if self._transforms is not None:
            try:
                matrix = self._transforms.lookup(self._ground_frame, frame, stamp_ns)
                plane = GroundPlane.from_transform(matrix)
                self._transform_served = True
                x, y, z = matrix[:3, 2].tolist()
                turns = abs(z) < STEEPEST and (
                    self._ground_frame.rpartition('/')[2] not in _FIXED_TO_THE_WORLD)
                yaw = math.atan2(y, x) if turns else 0.0
                return GroundEstimate(plane, 'transform', '', yaw)
            except TransformError as error:
                if self._transform_served:
                    raise GroundError(f'the ground came from transforms until now: {error}; it is '
                                      'not replaced by something worse') from error
                notices.append(str(error))
        if self._given is None:
            raise GroundError(f'{notices[0]}; or set camera_height')
        gravity = self._filter.nearest(stamp_ns)
        if gravity is not None:
            try:
                down = self._camera_from_imu(gravity, frame, stamp_ns) @ gravity.down
                plane = GroundPlane.from_gravity(down, self._given.height)
                if plane.normal[1] < -_CLEARLY < self._given.normal[1]:
                    raise GroundError('gravity of the imu points up in the picture: REP-145 has '
                                      '+g upwards on the z axis of a level imu; fix the driver, '
                                      'or set camera_roll to 3.14 if the camera hangs')
                return GroundEstimate(plane, 'gravity', '; '.join(notices))
            except TransformError as error:
                notices.append(str(error))
        return GroundEstimate(self._given, 'parameters', '; '.join(notices))

    def _camera_from_imu(
        self, gravity: Gravity, frame: str, stamp_ns: int,
    ) -> npt.NDArray[np.float64]:
        """Rotation [3, 3] from the IMU to the camera."""
        age = (stamp_ns - gravity.stamp_ns) * 1e-9
        if abs(age) > MAX_GRAVITY_AGE:
            raise TransformError(f'the nearest imu message is {abs(age):.2f} s '
                                 f'{"older" if age > 0 else "newer"} than the picture; check the '
                                 'driver and the clocks')
        if gravity.frame == frame:
            return np.eye(3)
        if self._transforms is None:
            raise TransformError(f'imu is in frame {gravity.frame!r}, the picture in {frame!r}, '
                                 'and transforms are not available; set camera_pitch and '
                                 'camera_roll')
        return self._transforms.lookup(frame, gravity.frame, stamp_ns)[:3, :3]
