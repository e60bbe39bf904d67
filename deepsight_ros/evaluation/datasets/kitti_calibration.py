"""Calibration files of KITTI: lines of ``name: numbers``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.lidar import project_scan
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import Camera

Matrix = npt.NDArray[np.float64]

CAMERA_HEIGHT = 1.65
"""Metres, from the sensor set-up page of the data set."""
MAX_DEPTH = 80.0
"""Metres, the benchmarks' cap."""
FRAME_ID = 'camera_rect_00'
"""The rectified reference camera: what ``P_rect_02`` (and ``P2``) project from."""


@dataclass(frozen=True, eq=False)
class KittiCalibration:
    """
    Left colour camera and scanner.

    ``projection`` [3, 4] takes points of the rectified reference camera to the picture,
    ``camera_from_scanner`` [4, 4] takes points of the scanner to the reference camera.
    """

    projection: Matrix
    camera_from_scanner: Matrix

    @classmethod
    def of_drive(cls, folder: Path) -> KittiCalibration:
        """Calibration of a raw recording day: ``calib_cam_to_cam`` and ``calib_velo_to_cam``."""
        camera = Table(folder / 'calib_cam_to_cam.txt')
        scanner = Table(folder / 'calib_velo_to_cam.txt')
        rectify = _rigid(camera.matrix('R_rect_00', 3, 3), np.zeros(3))
        to_camera = _rigid(scanner.matrix('R', 3, 3), scanner.matrix('T', 1, 3)[0])
        return cls(camera.matrix('P_rect_02', 3, 4), rectify @ to_camera)

    @classmethod
    def of_object(cls, path: Path) -> KittiCalibration:
        """Calibration of one frame of the object benchmark."""
        table = Table(path)
        rectify = _rigid(table.matrix('R0_rect', 3, 3), np.zeros(3))
        scanner = table.matrix('Tr_velo_to_cam', 3, 4)
        return cls(table.matrix('P2', 3, 4), rectify @ _rigid(scanner[:, :3], scanner[:, 3]))

    def camera(self, image: npt.NDArray[np.uint8]) -> Camera:
        """Return the camera of a picture [H, W, 3]."""
        height, width = image.shape[:2]
        return Camera.from_fields(
            width=width, height=height, k=self.projection[:, :3], p=self.projection)

    def read_scan(self, path: Path) -> npt.NDArray[np.float32]:
        """Points [N, 3] (m) of a ``.bin`` file in the reference camera's frame."""
        if not path.is_file():
            raise DatasetError(f'{path} is missing; the data set is incomplete')
        scan = np.fromfile(path, np.float32)
        if scan.size % 4:
            raise DatasetError(f'{path} is cut off: its length is no multiple of 16 bytes')
        transform = self.camera_from_scanner.astype(np.float32)
        points: npt.NDArray[np.float32] = (
            scan.reshape(-1, 4)[:, :3] @ transform[:3, :3].T + transform[:3, 3])
        return points

    def truth(self, scan: Path, camera: Camera, hide: bool = True) -> npt.NDArray[np.float32]:
        """Ground truth [N, 3] (column, row, depth in metres) from a scan."""
        return project_scan(self.read_scan(scan), camera, hide)


class Table:
    """The lines of a calibration file."""

    def __init__(self, path: Path) -> None:
        """Read a file; ``DatasetError`` if it is missing."""
        if not path.is_file():
            raise DatasetError(f'{path} is missing; KITTI ships it with the calibration')
        self._path = path
        lines = (line.partition(':') for line in path.read_text('utf8').splitlines())
        self._values = {name.strip(): value.split() for name, _, value in lines}

    def matrix(self, name: str, rows: int, columns: int) -> Matrix:
        """Matrix [rows, columns] of this name; ``DatasetError`` if it is not there."""
        try:
            return np.array(self._values[name], np.float64).reshape(rows, columns)
        except (KeyError, ValueError) as error:
            raise DatasetError(
                f'{self._path} has no {name} of {rows * columns} numbers') from error


def _rigid(rotation: Matrix, translation: Matrix) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix
