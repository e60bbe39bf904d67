"""Cameras: pinhole intrinsics and poses from position, heading, pitch and roll."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

OPTICAL_TO_BODY: Floats = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Rotation of an optical frame (x right, y down, z forward) into x forward, y left, z up."""
OPTICAL_TO_BODY.setflags(write=False)


@dataclass(frozen=True)
class Pinhole:
    """Ideal camera with square pixels and its principal point in the middle of the picture."""

    width: int
    height: int
    focal: float
    """Focal length [px]."""

    @classmethod
    def from_fov(cls, width: int, height: int, fov: float) -> 'Pinhole':
        """Camera with the horizontal field of view ``fov`` [rad]."""
        return cls(width, height, width / 2 / float(np.tan(fov / 2)))

    @property
    def centre(self) -> tuple[float, float]:
        """Principal point; pixel centres lie at integer coordinates."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    @property
    def vertical_fov(self) -> float:
        """Vertical field of view [rad]."""
        return 2 * float(np.arctan(self.height / 2 / self.focal))

    @property
    def matrix(self) -> Floats:
        """Camera matrix [3, 3]."""
        cx, cy = self.centre
        return np.array([[self.focal, 0.0, cx], [0.0, self.focal, cy], [0.0, 0.0, 1.0]])

    def rays(self) -> Floats:
        """Viewing rays [H, W, 3] through pixel centres, scaled to z = 1."""
        cx, cy = self.centre
        u, v = np.meshgrid(np.arange(self.width), np.arange(self.height))
        return np.stack([(u - cx) / self.focal, (v - cy) / self.focal, np.ones(u.shape)], -1)

    def scaled(self, factor: float) -> 'Pinhole':
        """Same view with ``factor`` times as many pixels along each axis."""
        return Pinhole(round(self.width * factor), round(self.height * factor),
                       self.focal * factor)


def rotation(roll: float, pitch: float, yaw: float) -> Floats:
    """Rotation matrix of the fixed-axis angles x, y, z [rad] (REP-103)."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(a), np.sin(a)) for a in (roll, pitch, yaw))
    return np.array([
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr]])


def camera_pose(position: npt.ArrayLike, yaw: float, pitch: float = 0.0,
                roll: float = 0.0) -> Floats:
    """Optical frame to world [4, 4]; pitch > 0 looks down, roll > 0 lowers the right side."""
    pose = np.eye(4)
    pose[:3, :3] = rotation(roll, pitch, yaw) @ OPTICAL_TO_BODY
    pose[:3, 3] = position
    return pose
