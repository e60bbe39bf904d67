"""KITTI object benchmark (Geiger et al., CVPR 2012): scattered frames, scored by their LiDAR."""

from __future__ import annotations

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

LAYOUT: Final = 'image_2/*.png, velodyne/*.bin and calib/*.txt, there or in training/'
_APART_NS: Final = 10_000_000_000


class KittiObject:
    """Training frames; they are no sequence, so their stamps lie ten seconds apart."""

    max_depth = MAX_DEPTH
    is_sequence = False
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """List the frames below ``root`` (or its folder ``training``)."""
        self._folder = root / 'training' if (root / 'training').is_dir() else root
        self._pictures = sorted_files(self._folder / 'image_2', '*.png', LAYOUT)
        self._ground = ground.fixed('kitti-object', CAMERA_HEIGHT)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pictures)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        name = self._pictures[index].stem
        image = read_picture(self._pictures[index])
        calibration = KittiCalibration.of_object(self._folder / 'calib' / f'{name}.txt')
        camera = calibration.camera(image)
        truth = calibration.truth(self._folder / 'velodyne' / f'{name}.bin', camera)
        return Frame(name, index * _APART_NS, FRAME_ID, image, camera, self._ground, truth)
