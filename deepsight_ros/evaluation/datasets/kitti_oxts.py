"""Inertial measurements of KITTI raw drives (``oxts``), in the camera's frame."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.kitti_calibration import KittiCalibration
from deepsight_ros.evaluation.datasets.kitti_calibration import Table
from deepsight_ros.evaluation.errors import DatasetError

_FORCE: Final = slice(11, 14)
"""ax, ay, az (m/s^2, gravity included) in the vehicle's frame."""
_RATES: Final = slice(17, 20)
"""wx, wy, wz (rad/s)."""

Imu = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


class KittiOxts:
    """Reads the packets of a drive; those without packets or calibration have no IMU."""

    def __init__(self, drive: Path, calibration_folder: Path, cameras: KittiCalibration) -> None:
        """Look for ``oxts/data`` and ``calib_imu_to_velo.txt``."""
        self._packets = drive / 'oxts' / 'data'
        file = calibration_folder / 'calib_imu_to_velo.txt'
        self._rotation: npt.NDArray[np.float64] | None = None
        if file.is_file() and self._packets.is_dir():
            scanner_from_imu = Table(file).matrix('R', 3, 3)
            self._rotation = cameras.camera_from_scanner[:3, :3] @ scanner_from_imu

    def read(self, name: str) -> Imu | None:
        """Specific force and angular rates [3] in the reference camera's frame, if recorded."""
        path = self._packets / f'{name}.txt'
        if self._rotation is None or not path.is_file():
            return None
        try:
            values = np.array(path.read_text('utf8').split()[:20], np.float64)
            return self._rotation @ values[_FORCE], self._rotation @ values[_RATES]
        except ValueError as error:
            raise DatasetError(f'{path} is no oxts packet; copy it again') from error
