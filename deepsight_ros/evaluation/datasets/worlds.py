"""This project's own rendered worlds: exact depth, labels, gravity and height."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from deepsight_ros.evaluation.datasets.files import read_depth
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.files import sorted_files
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import GroundPlane

LAYOUT: Final = 'NNNNNN.jpg, NNNNNN.depth.png (metres * 256), NNNNNN.label.png and NNNNNN.json'
_APART_NS: Final = 10_000_000_000


class Worlds:
    """Rendered frames; each knows its gravity and the height of its camera."""

    max_depth = 80.0
    is_sequence = False
    ground_is_exact = True

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """List the frames of a folder."""
        if ground != GroundOptions():
            raise DatasetError('worlds know their cameras; leave out --camera-height, '
                               '--camera-pitch, --gravity and --floor')
        self._pictures = sorted_files(root, '*.jpg', LAYOUT)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pictures)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        path = self._pictures[index]
        image, depth = read_picture(path), read_depth(path.with_suffix('.depth.png'), 1 / 256)
        check_registered(path.stem, image, depth)
        description = path.with_suffix('.json')
        try:
            fields = json.loads(description.read_text('utf8'))
            matrix = np.array(fields['K'], np.float64).reshape(3, 3)
            ground = GroundPlane.from_gravity(
                np.array(fields['gravity'], np.float64), float(fields['camera_height']))
        except (OSError, KeyError, ValueError) as error:
            raise DatasetError(f'{description} is missing or has no K, gravity and '
                               f'camera_height; expected {LAYOUT}') from error
        labels = cv2.imread(str(path.with_suffix('.label.png')), cv2.IMREAD_UNCHANGED)
        return Frame(path.stem, index * _APART_NS, 'camera', image, pinhole(matrix, image), ground,
                     depth, labels=None if labels is None else np.asarray(labels, np.uint8))
