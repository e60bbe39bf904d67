"""
KITTI with the Eigen split: the benchmark of monocular depth.

Ground truth is the improved one of the depth benchmark (Uhrig et al., 2017: 16-bit pictures,
metres * 256) where it is there, else the projected scan as in Eigen et al. (2014).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.files import read_depth
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.kitti_calibration import CAMERA_HEIGHT
from deepsight_ros.evaluation.datasets.kitti_calibration import FRAME_ID
from deepsight_ros.evaluation.datasets.kitti_calibration import KittiCalibration
from deepsight_ros.evaluation.datasets.kitti_calibration import MAX_DEPTH
from deepsight_ros.evaluation.datasets.kitti_raw import calibration_folder
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import Camera

LAYOUT: Final = (
    'DATE/DRIVE/image_02/data/*.png with DATE/calib_*.txt (there or in raw/), optionally '
    'DRIVE/proj_depth/groundtruth/image_02/*.png anywhere below, optionally a list of test '
    'pictures eigen_test_files*.txt')
_APART_NS: Final = 10_000_000_000


class KittiEigen:
    """
    Frames of the list ``eigen_test_files*.txt`` if there is one, else all pictures with truth.

    Pictures of the list without improved ground truth are scored by their scan only if no picture
    has the improved one: the two are different benchmarks (652 and 697 pictures).
    """

    max_depth = MAX_DEPTH
    is_sequence = False
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """List the frames below ``root``."""
        self._raw = root / 'raw' if (root / 'raw').is_dir() else root
        improved = {_key(path.parents[3].name, path): path
                    for path in sorted(root.glob('**/proj_depth/groundtruth/image_02/*.png'))}
        pictures = self._listed(root) or sorted(self._raw.glob('*/*/image_02/data/*.png'))
        if not pictures:
            raise DatasetError(f'no pictures below {self._raw}; expected {LAYOUT}')
        keys = [(path, _key(path.parents[2].name, path)) for path in pictures]
        self._frames: list[tuple[Path, Path | None]]
        if improved:
            self._frames = [(path, improved[key]) for path, key in keys if key in improved]
        else:
            self._frames = [(path, None) for path in pictures if _scan_of(path).is_file()]
        if not self._frames:
            raise DatasetError(f'no ground truth for the pictures in {root}; expected {LAYOUT}')
        self._ground = ground.fixed('kitti-eigen', CAMERA_HEIGHT)

    def __len__(self) -> int:
        """Return the number of pictures with ground truth."""
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        path, improved = self._frames[index]
        image = read_picture(path)
        calibration = KittiCalibration.of_drive(calibration_folder(path.parents[2]))
        camera = calibration.camera(image)
        if improved is None:
            truth = calibration.truth(_scan_of(path), camera, hide=False)
        else:
            truth = _read_improved(improved, camera)
        name = f'{path.parents[2].name}/{path.stem}'
        return Frame(name, index * _APART_NS, FRAME_ID, image, camera, self._ground, truth)

    def _listed(self, root: Path) -> list[Path]:
        lists = sorted(root.glob('eigen_test_files*.txt'))
        if not lists:
            return []
        lines = lists[0].read_text('utf8').splitlines()
        return [self._raw / line.split()[0] for line in lines if line.strip()]


def _key(drive: str, picture: Path) -> tuple[str, str]:
    return drive, picture.stem


def _scan_of(picture: Path) -> Path:
    return picture.parents[2] / 'velodyne_points' / 'data' / f'{picture.stem}.bin'


def _read_improved(path: Path, camera: Camera) -> npt.NDArray[np.float32]:
    depth = read_depth(path, 1 / 256)
    if depth.shape != (camera.height, camera.width):
        raise DatasetError(f'{path} is {depth.shape[1]}x{depth.shape[0]}, the picture '
                           f'{camera.width}x{camera.height}; they do not belong together')
    return depth
