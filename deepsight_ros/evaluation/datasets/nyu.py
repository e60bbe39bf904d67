"""NYU Depth v2 (Silberman et al., ECCV 2012) in the layout that depth benchmarks use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from deepsight_ros.evaluation.datasets.files import read_depth
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole
from deepsight_ros.evaluation.errors import DatasetError

LAYOUT: Final = (
    'rgb_NAME.jpg (or .png) beside sync_depth_NAME.png or depth_NAME.png (mm), in any folders')
_MATRIX: Final = np.array([
    [518.857901, 0.0, 325.582449],
    [0.0, 519.469611, 253.736166],
    [0.0, 0.0, 1.0]])
"""Colour camera, from the data set's toolbox."""
_APART_NS: Final = 10_000_000_000


class Nyu:
    """Test pictures with registered depth; nothing says how the camera was held."""

    max_depth = 10.0
    is_sequence = False
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """Find the pairs below ``root``."""
        self._pairs = [(picture, depth) for picture in sorted(root.glob('**/rgb_*'))
                       if (depth := _depth_of(picture)) is not None]
        if not self._pairs:
            raise DatasetError(f'no pictures with depth below {root}; expected {LAYOUT}')
        self._root = root
        self._ground = ground.fixed('nyu')

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        picture, depth_file = self._pairs[index]
        image, depth = read_picture(picture), read_depth(depth_file, 1 / 1000)
        name = picture.relative_to(self._root).with_suffix('').as_posix()
        check_registered(name, image, depth)
        return Frame(name, index * _APART_NS, 'camera', image, pinhole(_MATRIX, image),
                     self._ground, depth)


def _depth_of(picture: Path) -> Path | None:
    name = picture.stem.partition('_')[2]
    candidates = (picture.with_name(f'{prefix}_{name}.png') for prefix in ('sync_depth', 'depth'))
    return next((path for path in candidates if path.is_file()), None)
