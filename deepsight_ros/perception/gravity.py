"""Direction of gravity from an IMU's accelerometer and gyroscope."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
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
_PLAUSIBLE: Final = (3.0, 30.0)
"""Force (m/s^2) of an IMU at work; one that counts in g, or removes gravity, is outside."""
_HISTORY_NS: Final = 1_000_000_000
"""Nanoseconds for which directions are kept: pictures come later than what the IMU felt."""


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
    the covariance, as REP-145 asks. Directions may be read from any thread.
    """

    def __init__(self) -> None:
        """Start without a direction."""
        self._recent: deque[Gravity] = deque()
        self._lock = Lock()

    @property
    def latest(self) -> Gravity | None:
        """Direction of the last message; None before the first."""
        with self._lock:
            return self._recent[-1] if self._recent else None

    def nearest(self, stamp_ns: int) -> Gravity | None:
        """Direction of the message in the last second that is nearest to a stamp."""
        with self._lock:
            return min(self._recent, key=lambda gravity: abs(gravity.stamp_ns - stamp_ns),
                       default=None)

    def update(self, message: Any) -> None:
        """
        Add a ``sensor_msgs/Imu`` (of rclpy or rosbags).

        A stamp that jumps starts the filter again; without a gyroscope the rates are zero. Raises
        ``GroundError`` for readings of no IMU.
        """
        stamp_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        force = _vector(message.linear_acceleration)
        rates = _vector(message.angular_velocity)
        magnitude = float(np.linalg.norm(force))
        if not _PLAUSIBLE[0] <= magnitude <= _PLAUSIBLE[1]:
            raise GroundError(f'imu: linear_acceleration is {magnitude:.3g} m/s^2, which no imu '
                              'at work feels; the driver must publish it in m/s^2, gravity '
                              'included (REP-145): 9.8 at rest')
        if message.angular_velocity_covariance[0] == -1 or not np.isfinite(rates).all():
            rates = np.zeros(3)
        down = -force / magnitude
        last, jumped = self.latest, True
        if last is not None:
            elapsed = (stamp_ns - last.stamp_ns) * 1e-9
            jumped = not 0 <= elapsed <= MAX_GAP
            if not jumped:
                turned = last.down - np.cross(rates, last.down) * elapsed
                steady = abs(magnitude / STANDARD_GRAVITY - 1) < MAX_EXCESS
                share = min(1.0, elapsed / TIME_CONSTANT) if steady else 0.0
                down = turned + share * (down - turned)
                down /= np.linalg.norm(down)
        with self._lock:
            while self._recent and (
                    jumped or stamp_ns - self._recent[0].stamp_ns > _HISTORY_NS):
                self._recent.popleft()
            self._recent.append(Gravity(down, message.header.frame_id, stamp_ns))


def _vector(field: Any) -> Vector:
    return np.array([field.x, field.y, field.z], np.float64)
