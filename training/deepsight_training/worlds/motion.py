"""Smooth motion of a robot and what its IMU measures on the way.

Frames (REP-105): odom -> base_footprint (planar) -> base_link (suspension) -> sensors (fixed).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepsight_training.worlds.viewpoint import Floats
from deepsight_training.worlds.viewpoint import rotation

GRAVITY = 9.80665
"""Standard gravity [m/s^2]."""
STEP = 1e-3
"""Time step of the numerical derivatives [s]."""


def transform(position: tuple[float, float, float], roll: float = 0.0, pitch: float = 0.0,
              yaw: float = 0.0) -> Floats:
    """Homogeneous matrix [4, 4] from a position [m] and fixed-axis angles [rad]."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(roll, pitch, yaw)
    matrix[:3, 3] = position
    return matrix


@dataclass(frozen=True)
class Motion:
    """Robot motion as functions of time [s], twice differentiable."""

    plane: Callable[[float], tuple[float, float, float]]
    """x, y [m] and yaw [rad] of base_footprint in odom."""
    suspension: Callable[[float], tuple[float, float, float]]
    """Height [m], roll and pitch [rad] of base_link in base_footprint."""
    camera_mount: Floats
    """Optical frame to base_link [4, 4]."""
    imu_mount: Floats
    """IMU frame to base_link [4, 4]."""

    def footprint(self, time: float) -> Floats:
        """base_footprint to odom [4, 4]."""
        x, y, yaw = self.plane(time)
        return transform((x, y, 0.0), yaw=yaw)

    def body(self, time: float) -> Floats:
        """base_link to base_footprint [4, 4]."""
        z, roll, pitch = self.suspension(time)
        return transform((0.0, 0.0, z), roll, pitch)

    def camera(self, time: float) -> Floats:
        """Optical frame to odom [4, 4]."""
        return np.asarray(self.footprint(time) @ self.body(time) @ self.camera_mount)

    def imu(self, time: float) -> Floats:
        """IMU frame to odom [4, 4]."""
        return np.asarray(self.footprint(time) @ self.body(time) @ self.imu_mount)

    def inertial(self, time: float) -> tuple[Floats, Floats]:
        """Angular velocity [rad/s] and specific force [m/s^2] in the IMU frame, without noise."""
        before, now, after = (self.imu(time + dt) for dt in (-STEP, 0.0, STEP))
        spin = now[:3, :3].T @ (after[:3, :3] - before[:3, :3]) / (2 * STEP)
        rate = np.array([spin[2, 1] - spin[1, 2], spin[0, 2] - spin[2, 0],
                         spin[1, 0] - spin[0, 1]]) / 2
        acceleration = (after[:3, 3] - 2 * now[:3, 3] + before[:3, 3]) / STEP ** 2
        force = now[:3, :3].T @ (acceleration + (0.0, 0.0, GRAVITY))
        return rate, np.asarray(force)


def quaternion(matrix: Floats) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w) of a rotation [3, 3], w >= 0 (Shepperd's method)."""
    m = np.asarray(matrix)[:3, :3]
    square = np.array([1 + m[0, 0] - m[1, 1] - m[2, 2], 1 - m[0, 0] + m[1, 1] - m[2, 2],
                       1 - m[0, 0] - m[1, 1] + m[2, 2], 1 + np.trace(m)])
    i = int(square.argmax())
    rows = np.array([
        [square[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
        [m[0, 1] + m[1, 0], square[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
        [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], square[2], m[1, 0] - m[0, 1]],
        [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], square[3]]])
    x, y, z, w = rows[i] / np.linalg.norm(rows[i]) * (1.0 if rows[i, 3] >= 0 else -1.0)
    return float(x), float(y), float(z), float(w)
