"""SUN RGB-D (Song et al., CVPR 2015): single RGB-D pictures of four kinds of cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.files import read_matrix
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.files import read_uint16
from deepsight_ros.evaluation.datasets.files import sorted_files
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import GroundPlane

LAYOUT: Final = (
    'folders with image/*.jpg, depth/*.png, intrinsics.txt and optionally extrinsics/*.txt')
_APART_NS: Final = 10_000_000_000


class SunRgbd:
    """
    All pictures below a folder.

    Gravity is known where there are ``extrinsics``; the height never is.
    """

    max_depth = 10.0
    is_sequence = False
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """Find the frames below ``root``."""
        self._root = root
        self._folders = sorted(path.parent for path in root.glob('**/intrinsics.txt'))
        if not self._folders:
            raise DatasetError(f'no intrinsics.txt below {root}; expected {LAYOUT}')
        self._pitch_given = ground.camera_pitch is not None
        self._ground = ground.fixed('sunrgbd')

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._folders)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        folder = self._folders[index]
        image = read_picture(sorted_files(folder / 'image', '*.*', LAYOUT)[0])
        depth = decode_depth(read_uint16(sorted_files(folder / 'depth', '*.png', LAYOUT)[0]))
        name = folder.relative_to(self._root).as_posix()
        check_registered(name, image, depth)
        matrix = read_matrix(folder / 'intrinsics.txt', (3, 3))
        return Frame(name, index * _APART_NS, 'camera', image, pinhole(matrix, image),
                     self._ground_of(folder), depth)

    def _ground_of(self, folder: Path) -> GroundPlane:
        extrinsics = sorted((folder / 'extrinsics').glob('*.txt'))
        if self._pitch_given or not extrinsics:
            return self._ground
        # The rotation takes the optical frame to one whose y axis is gravity.
        down = read_matrix(extrinsics[-1], (3, 4))[1, :3]
        return GroundPlane.from_gravity(down, self._ground.height)


def decode_depth(stored: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Depth [H, W] in metres; the files hold millimetres rotated left by three bits."""
    millimetres = (stored >> 3) | (stored << 13)
    depth = millimetres.astype(np.float32) * np.float32(1e-3)
    depth[millimetres == 0] = np.nan
    return depth
