"""KITTI raw drives (Geiger et al., IJRR 2013), scored by their LiDAR."""

from __future__ import annotations

from datetime import datetime
from datetime import timezone
from pathlib import Path
from typing import Final

from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.files import sorted_files
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.kitti_calibration import CAMERA_HEIGHT
from deepsight_ros.evaluation.datasets.kitti_calibration import FRAME_ID
from deepsight_ros.evaluation.datasets.kitti_calibration import KittiCalibration
from deepsight_ros.evaluation.datasets.kitti_calibration import MAX_DEPTH
from deepsight_ros.evaluation.datasets.kitti_oxts import KittiOxts
from deepsight_ros.evaluation.errors import DatasetError

LAYOUT: Final = (
    'a drive: image_02/data/*.png, velodyne_points/data/*.bin, and calib_cam_to_cam.txt and '
    'calib_velo_to_cam.txt beside them or one level up')
_PERIOD_NS: Final = 100_000_000


class KittiRaw:
    """A synchronised, rectified drive; pictures without a scan are left out."""

    max_depth = MAX_DEPTH
    is_sequence = True
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """List the frames below ``root``; ``DatasetError`` when the layout is another."""
        pictures = sorted_files(root / 'image_02' / 'data', '*.png', LAYOUT)
        self._scans = root / 'velodyne_points' / 'data'
        self._pictures = [path for path in pictures if self._scan_of(path).is_file()]
        if not self._pictures:
            raise DatasetError(f'no scans in {self._scans} for the pictures; expected {LAYOUT}')
        folder = calibration_folder(root)
        self._calibration = KittiCalibration.of_drive(folder)
        self._oxts = KittiOxts(root, folder, self._calibration)
        self._ground = ground.fixed('kitti-raw', CAMERA_HEIGHT)
        self._stamps = read_stamps(root / 'image_02' / 'timestamps.txt')

    def __len__(self) -> int:
        """Return the number of pictures with a scan."""
        return len(self._pictures)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        path = self._pictures[index]
        image = read_picture(path)
        camera = self._calibration.camera(image)
        truth = self._calibration.truth(self._scan_of(path), camera)
        number = int(path.stem)
        stamp = self._stamps[number] if number < len(self._stamps) else number * _PERIOD_NS
        return Frame(path.stem, stamp, FRAME_ID, image, camera, self._ground, truth,
                     imu=self._oxts.read(path.stem))

    def _scan_of(self, picture: Path) -> Path:
        return self._scans / f'{picture.stem}.bin'


def calibration_folder(drive: Path) -> Path:
    """Folder with the calibration of a drive: the drive itself, or the day it belongs to."""
    for folder in (drive, drive.resolve().parent):
        if (folder / 'calib_cam_to_cam.txt').is_file():
            return folder
    raise DatasetError(f'calib_cam_to_cam.txt is neither in {drive} nor one level up; '
                       f'expected {LAYOUT}')


def read_stamps(path: Path) -> list[int]:
    """Stamps in nanoseconds (UTC) from ``timestamps.txt``; empty if there is none."""
    if not path.is_file():
        return []
    stamps = []
    for line in path.read_text('utf8').splitlines():
        seconds, _, fraction = line.strip().partition('.')
        if not seconds:
            continue
        try:
            moment = datetime.strptime(seconds, '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)
            stamps.append(int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, '0')[:9]))
        except ValueError as error:
            raise DatasetError(f'{path}: {line!r} is no time stamp; expected '
                               '2011-09-26 13:02:25.964389445') from error
    return stamps
