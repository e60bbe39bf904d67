"""Direction of gravity from an IMU's accelerometer and gyroscope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.errors import GroundError

Vector = npt.NDArray[np.float64]

TIME_CONSTANT: Final = 2.0
"""Seconds after which the accelerometer outweighs the gyroscope: longer than a braking or a bump,
short enough that a gyroscope's bias of 0.1 degrees per second stays below 0.2 degrees."""
MAX_GAP: Final = 1.0
"""Seconds without a message after which the filter starts again."""
STANDARD_GRAVITY: Final = 9.80665
MAX_EXCESS: Final = 0.15
"""Share by which the force may differ from gravity before only the gyroscope is believed."""


@dataclass(frozen=True)
class Gravity:
    """Direction of gravity at a stamp: unit vector [3] to the ground in the frame of an IMU."""

    down: Vector
    frame: str
    stamp_ns: int


class GravityFilter:
    """
    Complementary filter: turned by the gyroscope, drawn to the accelerometer.

    The message's orientation is not used: many drivers leave it at identity without saying so in
    the covariance, as REP-145 asks. ``latest`` may be read from any thread.
    """

    def __init__(self) -> None:
        """Start without a direction."""
        self.latest: Gravity | None = None

    def update(self, message: Any) -> None:
        """
        Add a ``sensor_msgs/Imu`` (of rclpy or rosbags).

        A stamp that jumps starts the filter again. Raises ``GroundError`` for readings of no IMU.
        """
        stamp_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        force = _vector(message.linear_acceleration)
        rates = _vector(message.angular_velocity)
        magnitude = float(np.linalg.norm(force))
        if not (np.isfinite(magnitude) and np.isfinite(rates).all() and magnitude > 0):
            raise GroundError('imu: linear_acceleration is zero or not finite; the driver must '
                              'publish it in m/s^2, gravity included (REP-145)')
        down = -force / magnitude
        if self.latest is not None:
            elapsed = (stamp_ns - self.latest.stamp_ns) * 1e-9
            if 0 <= elapsed <= MAX_GAP:
                turned = self.latest.down - np.cross(rates, self.latest.down) * elapsed
                steady = abs(magnitude / STANDARD_GRAVITY - 1) < MAX_EXCESS
                share = min(1.0, elapsed / TIME_CONSTANT) if steady else 0.0
                down = turned + share * (down - turned)
                down /= np.linalg.norm(down)
        self.latest = Gravity(down, message.header.frame_id, stamp_ns)


def _vector(field: Any) -> Vector:
    return np.array([field.x, field.y, field.z], np.float64)
