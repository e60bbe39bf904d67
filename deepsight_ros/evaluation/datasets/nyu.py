"""NYU Depth v2 (Silberman et al., ECCV 2012) in the layout that depth benchmarks use."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from deepsight_ros.evaluation.datasets.files import read_depth
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.nyu_raw import colour_camera
from deepsight_ros.evaluation.datasets.nyu_raw import read_truth
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole
from deepsight_ros.evaluation.errors import DatasetError

LAYOUT: Final = (
    'rgb_NAME.jpg (or .png) beside sync_depth_NAME.png or depth_NAME.png (mm), or raw recordings '
    'r-STAMP-TICKS.ppm beside d-STAMP-TICKS.pgm, or NAME_color.ppm beside NAME_depth.pgm')
_MATRIX: Final = np.array([
    [518.857901, 0.0, 325.582449],
    [0.0, 519.469611, 253.736166],
    [0.0, 0.0, 1.0]])
"""Colour camera, from the data set's toolbox."""
_APART_NS: Final = 10_000_000_000


class Nyu:
    """
    Pictures with registered depth, or raw recordings; nothing says how the camera was held.

    Raw pictures are rectified, their truth are the points of the depth camera beside.
    """

    max_depth = 10.0
    is_sequence = False
    ground_is_exact = False

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """Find the pairs below ``root``."""
        pictures = sorted([*root.glob('**/rgb_*'), *root.glob('**/*.ppm')])
        self._pairs = [(picture, depth) for picture in pictures
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
        image = read_picture(picture)
        name = picture.relative_to(self._root).with_suffix('').as_posix()
        if depth_file.suffix == '.pgm':
            image = colour_camera().rectify(image)
            camera = replace(colour_camera(), distortion=None)
            truth = read_truth(depth_file, camera)
        else:
            camera, truth = pinhole(_MATRIX, image), read_depth(depth_file, 1 / 1000)
            check_registered(name, image, truth)
        return Frame(name, index * _APART_NS, 'camera', image, camera, self._ground, truth)


def _depth_of(picture: Path) -> Path | None:
    if picture.suffix == '.ppm':
        return _raw_depth_of(picture)
    name = picture.stem.partition('_')[2]
    candidates = (picture.with_name(f'{prefix}_{name}.png') for prefix in ('sync_depth', 'depth'))
    return next((path for path in candidates if path.is_file()), None)


def _raw_depth_of(picture: Path) -> Path | None:
    """Depth recorded last before ``r-STAMP-TICKS.ppm``, or of the same NAME."""
    if not picture.name.startswith('r-'):
        depth = picture.with_name(picture.name.replace('color', 'depth')).with_suffix('.pgm')
        return depth if depth.is_file() else None
    recorded = sorted(picture.parent.glob('d-*.pgm'))
    index = bisect_right([path.name[2:] for path in recorded], picture.name[2:])
    return recorded[index - 1] if index else None
