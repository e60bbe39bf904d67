"""Score a bundle: ``python -m deepsight_training.evaluate_segmentation BUNDLE --data DATA``.

CamVid val gives classes and groups. IDD Lite val and the test split of NYU Depth V2, whose labels
are coarser, tell how well ground is told from the rest on streets and in rooms never trained on.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
from deepsight_training.datasets.idd import read_idd
from deepsight_training.datasets.labels import ANY_GROUND
from deepsight_training.datasets.labels import MEMBERS
from deepsight_training.datasets.nyu import read_nyu
from deepsight_training.datasets.sample import Sample

HELD_OUT: Final[dict[str, Callable[[Path], list[Sample]]]] = {
    'IDD Lite val': lambda data: read_idd(data / 'idd20k_lite', 'val'),
    'NYU Depth V2 test': lambda data: read_nyu(data / 'nyuv2', 'test'),
}
"""Pictures that never train anything, by what a model card calls them."""

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


def ground_scores(segmentation: Segmentation, samples: Iterable[Sample]) -> tuple[float, float]:
    """Share of the true ground that is found, and share of the found ground that is true.

    Pixels whose label allows both ground and other things do not count.
    """
    ground = MEMBERS[ANY_GROUND]
    surely = (MEMBERS & ~ground).sum(1) == 0
    possibly = (MEMBERS & ground).any(1)
    hits = true = found_in_all = 0
    for sample in samples:
        height, width = sample.labels.shape
        found = cv2.resize(
            segmentation(sample.image), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
        )
        labels = sample.labels[sample.labels != VOID]
        flat = ground[found[sample.labels != VOID]]
        hits += int((flat & surely[labels]).sum())
        true += int(surely[labels].sum())
        found_in_all += int((flat & (surely | ~possibly)[labels]).sum())
    return hits / max(true, 1), hits / max(found_in_all, 1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('bundle', type=Path)
    parser.add_argument(
        '--data', type=Path, required=True, help='folder that holds camvid/, idd20k_lite/, nyuv2/')
    arguments = parser.parse_args()
    segmentation = Segmentation.load(arguments.bundle)
    samples = read_camvid(arguments.data / 'camvid', 'val')
    scores = score(segmentation, tqdm(samples, unit='picture'))
    for title, table in (('class', scores.classes), ('group', scores.groups)):
        print(f'{title:>16}   IoU')
        for name, value in table.items():
            print(f'{name:>16} {value:.4f}')
    print(f'{"mean of groups":>16} {scores.mean_of_groups:.4f}')
    for title, read in HELD_OUT.items():
        recall, precision = ground_scores(segmentation, tqdm(read(arguments.data)))
        print(f'{title}: ground recall {recall:.4f}, precision {precision:.4f}')


if __name__ == '__main__':
    main()
