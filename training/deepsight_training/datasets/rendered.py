"""Rendered worlds: pictures ``NNNNNN.jpg|png`` beside ``SceneClass`` ids ``NNNNNN.label.png``."""

from pathlib import Path

import cv2
import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample


def read_rendered(folder: Path) -> list[Sample]:
    """Read a folder of rendered pictures with exact labels."""
    samples = []
    for path in sorted(folder.glob('*.label.png')):
        stem = path.name.removesuffix('.label.png')
        pictures = [folder / f'{stem}.{suffix}' for suffix in ('jpg', 'png')]
        picture = next((p for p in pictures if p.is_file()), None)
        if picture is None:
            raise DatasetError(f'{path} has no picture beside it')
        image = cv2.imread(str(picture), cv2.IMREAD_COLOR)
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None or labels is None or labels.shape != image.shape[:2]:
            raise DatasetError(f'{picture} and its labels differ in size or cannot be read')
        unknown = set(np.unique(labels).tolist()) - {*SceneClass, VOID}
        if unknown:
            raise DatasetError(f'{path} holds ids {sorted(unknown)} that are no SceneClass')
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        samples.append(Sample(rgb, labels, stem, folder.name))
    if not samples:
        raise DatasetError(f'no *.label.png in {folder}: render the worlds first')
    return samples
