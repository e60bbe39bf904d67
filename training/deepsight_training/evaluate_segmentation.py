"""Score a bundle on CamVid val: ``python -m deepsight_training.evaluate_segmentation BUNDLE``."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_training.datasets.camvid import read_camvid
from deepsight_training.datasets.sample import Sample

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """Intersection over union per class and per group; NaN for a class that never occurs."""

    classes: dict[str, float]
    groups: dict[str, float]

    @property
    def mean_of_groups(self) -> float:
        """The mean IoU of the four groups that the project is judged by."""
        return float(np.nanmean(list(self.groups.values())))


def confusion(truth: npt.NDArray[np.uint8], found: npt.NDArray[np.uint8], size: int) -> Counts:
    """Pixel counts [size, size]: true id by row, found id by column; void pixels are left out."""
    known = truth != VOID
    pairs = truth[known].astype(np.int64) * size + found[known]
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def intersection_over_union(counts: Counts) -> npt.NDArray[np.float64]:
    """IoU [size] of every id; NaN where it neither occurs nor is found."""
    hit = np.diag(counts).astype(np.float64)
    union = counts.sum(0) + counts.sum(1) - hit
    return np.divide(hit, union, out=np.full(len(hit), np.nan), where=union > 0)


def score(segmentation: Segmentation, samples: Iterable[Sample]) -> Scores:
    """Score class maps, brought to the pictures' own size, against labels."""
    classes = np.zeros((len(SceneClass), len(SceneClass)), np.int64)
    groups = np.zeros((len(SceneGroup), len(SceneGroup)), np.int64)
    for sample in samples:
        height, width = sample.labels.shape
        found = cv2.resize(
            segmentation(sample.image), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
        )
        classes += confusion(sample.labels, found, len(SceneClass))
        groups += confusion(
            GROUP_OF_CLASS[sample.labels], GROUP_OF_CLASS[found], len(SceneGroup)
        )
    by_class, by_group = intersection_over_union(classes), intersection_over_union(groups)
    return Scores(
        {c.name.lower(): float(by_class[c]) for c in SceneClass},
        {g.name.lower(): float(by_group[g]) for g in SceneGroup},
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('bundle', type=Path)
    parser.add_argument('--data', type=Path, required=True, help='folder that holds camvid/')
    arguments = parser.parse_args()
    segmentation = Segmentation.load(arguments.bundle)
    samples = read_camvid(arguments.data / 'camvid', 'val')
    scores = score(segmentation, tqdm(samples, unit='picture'))
    for title, table in (('class', scores.classes), ('group', scores.groups)):
        print(f'{title:>16}   IoU')
        for name, value in table.items():
            print(f'{name:>16} {value:.4f}')
    print(f'{"mean of groups":>16} {scores.mean_of_groups:.4f}')


if __name__ == '__main__':
    main()
