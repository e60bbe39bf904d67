"""
Does contact at the class map's own size cost accuracy? The same maps finer, frame by frame.

``python -m deepsight_ros.evaluation.contact_scale --dataset NAME --root DIR`` scores each frame
twice, with the network's map and with that map enlarged to at least the picture's size, and says
by how much the shares differ, with an interval from resampling the frames.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
import sys
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from deepsight_ros.evaluation.datasets import Dataset
from deepsight_ros.evaluation.datasets import DatasetError
from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.evaluate_depth import DEFAULT_BUNDLE
from deepsight_ros.evaluation.ground_arguments import add_ground_arguments
from deepsight_ros.evaluation.ground_arguments import ground_options
from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.scoring import sample
from deepsight_ros.geometry import EmbodiedSceneDepth
from deepsight_ros.perception.embodied_depth import EmbodiedDepth
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle

_SHARES: Final = ('within_5', 'within_10')
_RESAMPLED: Final = 2000

ClassMap = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def changes(dataset: Dataset, segmentation: Segmentation) -> Iterator[tuple[Floats, int]]:
    """
    Yield per frame what the map's own size adds to the shares [2], and the points they are of.

    Both depths rest on the same refined ground.
    """
    pipeline: EmbodiedDepth | None = None
    for index in tqdm(range(len(dataset)), unit='frame'):
        frame = dataset[index]
        if pipeline is None or pipeline.camera != frame.camera:
            pipeline = EmbodiedDepth(frame.camera, segmentation)
            geometry = EmbodiedSceneDepth(frame.camera)
        elif not dataset.is_sequence:
            pipeline.reset()
        result = pipeline(frame.image, frame.ground, frame.stamp_ns * 1e-9)
        finer = enlarged(result.classes, -(-frame.camera.width // result.classes.shape[1]))
        truth = frame.truth_points()
        truth = truth[truth[:, 2] < dataset.max_depth]
        own, full = (
            depth_metrics(sample(depth, truth), truth[:, 2], dataset.max_depth)
            for depth in (result.scene.depth, geometry(finer, result.ground).depth))
        if len(truth):
            yield np.array([own[name] - full[name] for name in _SHARES]), len(truth)


def enlarged(classes: ClassMap, factor: int) -> ClassMap:
    """
    Class map [h, w] at a whole multiple of its size, the borders as fine as its pixels.

    Each pixel gets the class that weighs most there by bilinear interpolation: repeated pixels
    would have steps of ``factor`` rows, which no mask of a full-size network has.
    """
    height, width = classes.shape
    kinds = np.unique(classes)
    weights = [
        cv2.resize((classes == kind).astype(np.float32), (width * factor, height * factor),
                   interpolation=cv2.INTER_LINEAR) for kind in kinds]
    finer: ClassMap = kinds[np.argmax(weights, axis=0)]
    return finer


def interval(change: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """
    Change of the shares of all points [2], and the ends [2] of its 95 % interval.

    ``change`` [N, 2] are those of the frames, ``points`` [N] their weights. The interval is that
    of resampled frames; frames that follow each other are more alike than it assumes.
    """
    chosen = np.random.default_rng(0).integers(0, len(points), (_RESAMPLED, len(points)))
    weights = points[chosen]
    means = np.einsum('rn,rnk->rk', weights, change[chosen]) / weights.sum(axis=1)[:, None]
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return points @ change / points.sum(), low, high


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='What contact at a reduced size changes.')
    parser.add_argument('--dataset', required=True, choices=tuple(DATASETS))
    parser.add_argument('--root', required=True, type=Path, help='folder of the data set')
    parser.add_argument('--bundle', default=DEFAULT_BUNDLE, help='(default: %(default)s)')
    add_ground_arguments(parser)
    args = parser.parse_args()
    try:
        dataset = open_dataset(args.dataset, args.root, ground_options(args))
        rows = list(changes(dataset, Segmentation.load(find_bundle(args.bundle))))
    except DatasetError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    change, points = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    for name, *values in zip(_SHARES, *(100 * part for part in interval(change, points)),
                             strict=True):
        mean, low, high = values
        print(f'{name}: {mean:+.2f} points (95 %: {low:+.2f} to {high:+.2f}), '
              f'{len(points)} frames')
    return 0


if __name__ == '__main__':
    sys.exit(main())
