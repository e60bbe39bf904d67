"""CamVid (Brostow et al. 2009) with the eleven classes of the SegNet split."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import LOW_VEGETATION
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

_CLASS_OF_ID: Final = {
    0: SceneClass.SKY,
    1: SceneClass.STRUCTURE,  # building
    2: SceneClass.VEGETATION,  # pole
    3: SceneClass.ROAD,
    4: SceneClass.PAVEMENT,
    5: SceneClass.VEGETATION,  # tree
    6: SceneClass.VEGETATION,  # sign
    7: SceneClass.STRUCTURE,  # fence
    8: SceneClass.VEHICLE,
    9: SceneClass.PERSON,  # pedestrian
    10: SceneClass.PERSON,  # bicyclist
}


def read_camvid(root: Path, split: str) -> list[Sample]:
    """Read ``root/{split}`` and ``root/{split}annot``; the split is train or val."""
    table = np.full(256, VOID, np.uint8)
    table[list(_CLASS_OF_ID)] = list(_CLASS_OF_ID.values())
    pictures = sorted((root / split).glob('*.jpg'))
    if not pictures:
        raise DatasetError(f'no pictures in {root / split}: give the folder that holds {split}/')
    samples = []
    for path in pictures:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        ids = cv2.imread(str(root / f'{split}annot' / f'{path.stem}.png'), cv2.IMREAD_UNCHANGED)
        if image is None or ids is None or ids.ndim != 2 or ids.shape != image.shape[:2]:
            raise DatasetError(f'{path.name} of {root / split} lacks a label picture of its size')
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        samples.append(Sample(rgb, cv2.LUT(ids, table), path.stem, f'camvid_{split}'))
    return samples


def admit_grass(sample: Sample) -> Sample:
    """Let trees in the lower half of the picture be grass instead.

    The split counts grass as trees, which would teach that a lawn stands up. The camera looks
    level: what is in the upper half is above it.
    """
    labels = sample.labels.copy()
    lower = labels[len(labels) // 2:]
    lower[lower == SceneClass.VEGETATION] = LOW_VEGETATION
    return replace(sample, labels=labels)
