"""7-Scenes (Shotton et al., CVPR 2013): RGB-D sequences with poses."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.files import read_matrix
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.files import read_uint16
from deepsight_ros.evaluation.datasets.files import sorted_files
from deepsight_ros.evaluation.datasets.floor import find_floor
from deepsight_ros.evaluation.datasets.floor import Floor
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole

LAYOUT: Final = (
    'frame-NNNNNN.color.jpg (or .png), .depth.png (mm, registered to the colour camera) and '
    '.pose.txt (camera to world), optionally camera-intrinsics-color.txt')
_PERIOD_NS: Final = 33_333_333
_INTRINSICS: Final = ((585.0, 0.0, 320.0), (0.0, 585.0, 240.0), (0.0, 0.0, 1.0))
"""Published with the data set, for sequences without a file of their own."""
_INVALID: Final = 65535


class SevenScenes:
    """One sequence."""

    max_depth = 10.0
    is_sequence = True
    ground_is_exact = True

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """List the frames of a sequence folder."""
        ground.require_no_camera('sevenscenes')
        self._options = ground
        self._pictures = sorted_files(root, 'frame-*.color.*', LAYOUT)
        intrinsics = root / 'camera-intrinsics-color.txt'
        self._matrix = (read_matrix(intrinsics, (3, 3)) if intrinsics.is_file()
                        else np.array(_INTRINSICS))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pictures)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        path = self._pictures[index]
        stem = path.name.partition('.')[0]
        image = read_picture(path)
        pose, depth = self._pose(index), self._depth(index)
        check_registered(stem, image, depth)
        stamp = int(stem.partition('-')[2]) * _PERIOD_NS
        return Frame(stem, stamp, 'camera', image, pinhole(self._matrix, image),
                     self._floor.below(pose), depth, pose=pose)

    def _sibling(self, index: int, suffix: str) -> Path:
        path = self._pictures[index]
        return path.with_name(f'{path.name.partition(".")[0]}.{suffix}')

    def _pose(self, index: int) -> npt.NDArray[np.float64]:
        return read_matrix(self._sibling(index, 'pose.txt'), (4, 4))

    def _depth(self, index: int) -> npt.NDArray[np.float32]:
        stored = read_uint16(self._sibling(index, 'depth.png'))
        invalid = (stored == 0) | (stored == _INVALID)
        depth = stored.astype(np.float32) * np.float32(1e-3)
        depth[invalid] = np.nan
        return depth

    @cached_property
    def _floor(self) -> Floor:
        camera = pinhole(self._matrix, self._depth(0))
        return find_floor(self._options, len(self), camera, self._depth, self._pose)
