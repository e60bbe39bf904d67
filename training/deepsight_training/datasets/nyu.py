"""NYU Depth V2 (Silberman et al. 2012) with the forty classes of Gupta et al. 2013."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

_FLOOR: Final = (2, 20)
"""Floor and floor mat."""
_PERSON: Final = 31
_MAY_LIE_ON_THE_FLOOR: Final = (0, 21, 26, 27)
"""Unlabelled; clothes, paper and towels, which do not stand up."""


def read_nyu(root: Path, split: str) -> list[Sample]:
    """Read the frames that ``root/{split}.txt`` lists by number, from 0.

    Frame N of ``nyu_depth_v2_labeled.mat`` is ``images/N.jpg``, its classes (0 unlabelled, 1 to
    40) are ``labels40/N.png``.
    """
    table = np.full(256, VOID, np.uint8)
    table[1:41] = SceneClass.STRUCTURE
    table[list(_FLOOR)] = SceneClass.TERRAIN
    table[_PERSON] = SceneClass.PERSON
    table[list(_MAY_LIE_ON_THE_FLOOR)] = VOID
    listed = root / f'{split}.txt'
    if not listed.is_file():
        raise DatasetError(f'{listed} is missing: it lists the numbers of the frames')
    samples = []
    for name in listed.read_text().split():
        image = cv2.imread(str(root / 'images' / f'{name}.jpg'), cv2.IMREAD_COLOR)
        ids = cv2.imread(str(root / 'labels40' / f'{name}.png'), cv2.IMREAD_UNCHANGED)
        if image is None or ids is None or ids.shape != image.shape[:2]:
            raise DatasetError(f'frame {name} of {root} lacks a picture or labels of its size')
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        samples.append(Sample(rgb, cv2.LUT(ids, table), name, 'nyu'))
    return samples
