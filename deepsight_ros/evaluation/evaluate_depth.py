"""Command ``deepsight evaluate depth``: score embodied depth on a data set."""

from __future__ import annotations

import argparse
from dataclasses import replace
import math
from pathlib import Path
from statistics import median
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from deepsight_ros.evaluation.argument_types import finite
from deepsight_ros.evaluation.argument_types import frame_count
from deepsight_ros.evaluation.argument_types import length
from deepsight_ros.evaluation.crops import CROPS
from deepsight_ros.evaluation.datasets import Dataset
from deepsight_ros.evaluation.datasets import DatasetError
from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.datasets import Frame
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.ground_arguments import add_ground_arguments
from deepsight_ros.evaluation.ground_arguments import ground_options
from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.evaluation.masks import DegradedSegmentation
from deepsight_ros.evaluation.masks import MASKS
from deepsight_ros.evaluation.masks import TrueSegmentation
from deepsight_ros.evaluation.scoring import FrameScorer
from deepsight_ros.evaluation.scoring import summarise
from deepsight_ros.evaluation.tables import score_table
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.perception.embodied_depth import ClassMapper
from deepsight_ros.perception.embodied_depth import EmbodiedDepth
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle

DEFAULT_BUNDLE: Final = 'scene_segmentation_nano'
_CROP_OF: Final = {'kitti-eigen': 'garg', 'nyu': 'nyu'}
"""Crops that belong to a benchmark; the other data sets are scored in full."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight evaluate depth``."""
    parser.add_argument('--dataset', required=True, choices=tuple(DATASETS),
                        help='whose layout the folder has')
    parser.add_argument('--root', required=True, type=Path, help='folder of the data set')
    parser.add_argument('--method', default='embodied', choices=('embodied',),
                        help='what estimates depth (default: %(default)s)')
    parser.add_argument('--bundle', default=DEFAULT_BUNDLE, metavar='DIR',
                        help='segmentation bundle, a folder or a name (default: %(default)s)')
    add_ground_arguments(parser)
    parser.add_argument('--refine-ground', action=argparse.BooleanOptionalAction, default=True,
                        help='correct the ground plane from the picture (default: yes)')
    parser.add_argument('--pitch-error', type=finite, default=0.0, metavar='RAD',
                        help='add this to the pitch of every prior, to see what refinement finds')
    parser.add_argument('--masks', default=MASKS[0], choices=MASKS,
                        help='class maps: the network, ground-truth labels, or the network '
                        'degraded to blocks of 16 pixels (default: %(default)s)')
    parser.add_argument('--frames', type=frame_count, metavar='N',
                        help='only the first N frames')
    parser.add_argument('--crop', choices=tuple(CROPS),
                        help="part of the picture to score (default: the benchmark's)")
    parser.add_argument('--cap', type=length, metavar='M',
                        help="largest true depth to score (default: the benchmark's)")
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the result there')


def run(args: argparse.Namespace) -> int:
    """Score, print a table and write JSON."""
    dataset = open_dataset(args.dataset, args.root, ground_options(args))
    crop = args.crop or _CROP_OF.get(args.dataset, 'none')
    scorer = FrameScorer(args.cap or dataset.max_depth, crop,
                         ground_is_exact=dataset.ground_is_exact)
    summary = {
        'dataset': args.dataset, 'frames': min(len(dataset), args.frames or len(dataset)),
        'method': args.method,
        **evaluate(dataset, scorer, Segmentation.load(find_bundle(args.bundle)),
                   refine_ground=args.refine_ground, masks=args.masks,
                   pitch_error=args.pitch_error, frames=args.frames),
        'settings': {
            'bundle': Path(args.bundle).name, 'masks': args.masks, 'crop': crop,
            'cap': scorer.max_depth, 'refine_ground': args.refine_ground,
            'pitch_error': args.pitch_error},
    }
    print(score_table(summary))
    if args.json:
        write_json(args.json, summary)
    return 0


def evaluate(
    dataset: Dataset,
    scorer: FrameScorer,
    segmentation: Segmentation,
    *,
    refine_ground: bool = True,
    masks: str = MASKS[0],
    pitch_error: float = 0.0,
    frames: int | None = None,
) -> dict[str, Any]:
    """
    Score the first ``frames`` frames; the arguments are those of the command.

    Returns ``scoring.summarise`` and ``seconds_per_frame`` (medians).
    """
    source = _class_maps(segmentation, masks)
    pipeline: EmbodiedDepth | None = None
    scores, seconds = [], []
    for index in tqdm(range(min(len(dataset), frames or len(dataset))), unit='frame'):
        frame = dataset[index]
        if isinstance(source, TrueSegmentation):
            source.labels = _labels_of(frame)
        if pipeline is None or pipeline.camera != frame.camera:
            pipeline = EmbodiedDepth(frame.camera, source, refine_ground=refine_ground)
        elif not dataset.is_sequence:
            pipeline.reset()
        prior = _set_wrong(frame.ground, pitch_error) if pitch_error else frame.ground
        result = pipeline(frame.image, prior, frame.stamp_ns * 1e-9)
        scores.append(scorer(result, frame.truth_points(), frame.ground, frame.labels))
        seconds.append({**result.seconds, 'total': math.fsum(result.seconds.values())})
    return {**summarise(scores), 'seconds_per_frame': {
        stage: median(row[stage] for row in seconds) for stage in seconds[0]}}


def _class_maps(segmentation: Segmentation, masks: str) -> ClassMapper:
    if masks == 'labels':
        return TrueSegmentation()
    return DegradedSegmentation(segmentation) if masks == 'degraded' else segmentation


def _set_wrong(ground: GroundPlane, pitch_error: float) -> GroundPlane:
    """Return the plane with an error of pitch; its sigma admits that there is one."""
    return replace(ground.tilted(pitch_error),
                   mount_sigma=math.hypot(ground.mount_sigma, pitch_error))


def _labels_of(frame: Frame) -> npt.NDArray[np.uint8]:
    if frame.labels is None:
        raise DatasetError(f'{frame.name} has no ground-truth labels; --masks labels works with '
                           'worlds only')
    return frame.labels
