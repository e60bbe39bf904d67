"""IDD Lite (Varma et al. 2019): Indian streets with seven coarse classes."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import ANY_BACKGROUND
from deepsight_training.datasets.labels import BACKGROUND_OR_GRASS
from deepsight_training.datasets.labels import DRIVABLE
from deepsight_training.datasets.labels import ROADSIDE
from deepsight_training.datasets.labels import SIDE_GROUND
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

_LABEL_OF_ID: Final = {
    0: DRIVABLE,
    1: SIDE_GROUND,
    2: SceneClass.PERSON,  # living things: people, riders, animals
    3: SceneClass.VEHICLE,
    4: ROADSIDE,  # roadside objects: walls, fences, poles, signs, kerbs
    5: ANY_BACKGROUND,  # far objects: buildings, trees, bushes, grass
    6: SceneClass.SKY,
}


def read_idd(root: Path, split: str) -> list[Sample]:
    """Read ``root/leftImg8bit/{split}/*`` and ``root/gtFine/{split}/*``; split: train or val."""
    table = np.full(256, VOID, np.uint8)
    table[list(_LABEL_OF_ID)] = list(_LABEL_OF_ID.values())
    samples = []
    for path in sorted((root / 'leftImg8bit' / split).glob('*/*_image.jpg')):
        name = path.name.removesuffix('_image.jpg')
        labelled = root / 'gtFine' / split / path.parent.name / f'{name}_label.png'
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        ids = cv2.imread(str(labelled), cv2.IMREAD_UNCHANGED)
        if image is None or ids is None or ids.shape != image.shape[:2]:
            raise DatasetError(f'{path} lacks a label picture of its size in {labelled}')
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        labels = cv2.LUT(ids, table)
        lower = labels[len(labels) // 2:]  # the camera looks level: no grass is above that
        lower[lower == ANY_BACKGROUND] = BACKGROUND_OR_GRASS
        samples.append(Sample(rgb, labels, f'{path.parent.name}_{name}', 'idd'))
    if not samples:
        raise DatasetError(f'no pictures in {root / "leftImg8bit" / split}')
    return samples
