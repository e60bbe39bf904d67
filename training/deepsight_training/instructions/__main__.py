"""Command line: ``python -m deepsight_training.instructions COMMAND``."""

import argparse
from itertools import islice
from pathlib import Path
import sys
from typing import Final

from tqdm import tqdm

from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.errors import DatasetError as EvaluationError
from deepsight_ros.evaluation.ground_arguments import add_ground_arguments
from deepsight_ros.evaluation.ground_arguments import ground_options
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.benchmark import as_measured
from deepsight_training.instructions.benchmark import build
from deepsight_training.instructions.measured import measured_frames
from deepsight_training.instructions.shards import read_frames
from deepsight_training.instructions.shards import write_shard
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.splits import TRAINED

FRAMES_PER_SHARD: Final = 200


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m deepsight_training.instructions',
                                     description='Depth frames and questions about them.')
    commands = parser.add_subparsers(dest='command', required=True)
    frames = commands.add_parser('frames', help='cast depth frames of the worlds into shards; '
                                 'the same command again goes on where it was interrupted')
    frames.add_argument('--split', required=True, choices=tuple(SPLITS))
    frames.add_argument('--shards', type=int, required=True, help='of about 144 frames each')
    frames.add_argument('--first-shard', type=int, default=0,
                        help='to go on from, where others write those before it (default: 0)')
    frames.add_argument('--out', type=Path, required=True, help='folder of the shards')
    frames.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    measured = commands.add_parser('measured', help='put the depth images of a real data set into '
                                   'shards, to train on; nothing of them is labelled')
    measured.add_argument('--source', required=True, choices=tuple(DATASETS))
    measured.add_argument('--data', type=Path, required=True, help='folder of the data set')
    measured.add_argument('--out', type=Path, required=True, help='folder of the shards')
    add_ground_arguments(measured)
    benchmark = commands.add_parser('benchmark', help='write a benchmark for `deepsight evaluate '
                                    'qa`: JSON lines and the depth images they are about')
    held_out = [name for name in SPLITS if name not in TRAINED]
    benchmark.add_argument('--source', required=True, choices=(*held_out, *DATASETS),
                           help='a held-out split of the worlds, or a data set')
    benchmark.add_argument('--data', type=Path, required=True,
                           help='folder of the shards, or of the data set')
    benchmark.add_argument('--out', type=Path, required=True)
    benchmark.add_argument('--questions', type=int, default=100,
                           help='of each type at most (default: 100)')
    benchmark.add_argument('--wordings', choices=('seen', 'unseen'), default='seen')
    benchmark.add_argument('--frames', type=int, default=600, help='at most (default: 600)')
    benchmark.add_argument('--embodied', metavar='BUNDLE', help='let the model see embodied depth '
                           'made with this segmentation bundle instead of the true depth')
    add_ground_arguments(benchmark)
    pictures = commands.add_parser('pictures', help='pipeline of the paper: estimate the '
                                   'depth of pictures annotated as COCO is, write and check '
                                   'instructions; the same command again goes on')
    pictures.add_argument('--images', type=Path, required=True, help='folder of the pictures')
    pictures.add_argument('--instances', type=Path, required=True, help='instances_*.json')
    pictures.add_argument('--captions', type=Path, help='captions_*.json')
    pictures.add_argument('--depth-model', required=True, metavar='NAME',
                          help='metric depth model of transformers, a folder or a name of the hub')
    pictures.add_argument('--writer', default='grammar', metavar='NAME',
                          help='model behind the OpenAI-compatible endpoint of OPENAI_BASE_URL '
                          '(key: OPENAI_API_KEY), or our grammar (default: %(default)s)')
    pictures.add_argument('--checker', metavar='NAME', help='vision-language model of '
                          'transformers that judges what was written (default: depth alone does)')
    pictures.add_argument('--first-shard', type=int, default=0,
                          help='to go on from, where others write those before it (default: 0)')
    pictures.add_argument('--shards', type=int, help='of 500 pictures each (default: to the end)')
    pictures.add_argument('--out', type=Path, required=True, help='folder of the shards')
    return parser


def _write_measured(args: argparse.Namespace) -> None:
    dataset = open_dataset(args.source, args.data, ground_options(args))
    args.out.mkdir(parents=True, exist_ok=True)
    for shard, first in enumerate(range(0, len(dataset), FRAMES_PER_SHARD)):
        indices = tqdm(range(first, min(first + FRAMES_PER_SHARD, len(dataset))), unit='frame')
        write_shard(args.out / f'{args.source}-{shard:05d}.tar', (
            frame.sample for frame in measured_frames(args.source, dataset, indices)))


def _write_pictures(args: argparse.Namespace) -> None:
    # These bring torch and transformers, which the other commands do without.
    from deepsight_training.datasets.coco import Coco
    from deepsight_training.instructions.pictures.build import write_pictures
    from deepsight_training.instructions.pictures.checks import PictureChecker
    from deepsight_training.instructions.pictures.depth import DepthEstimator
    from deepsight_training.instructions.pictures.writers import Endpoint
    from deepsight_training.instructions.pictures.writers import grammar
    pictures = Coco(args.images, args.instances, args.captions)
    writer = grammar if args.writer == 'grammar' else Endpoint(args.writer)
    checker = PictureChecker(args.checker) if args.checker else None
    verdicts = write_pictures(pictures, 'coco', args.out, DepthEstimator(args.depth_model),
                              writer, checker, args.first_shard, args.shards)
    for verdict, number in verdicts.most_common():
        print(f'{number:8d}  {verdict}')


def _build(args: argparse.Namespace) -> None:
    if args.source in SPLITS:
        name, frames = args.source, as_measured(read_frames(args.data, args.source))
    else:
        dataset = open_dataset(args.source, args.data, ground_options(args))
        seen = Segmentation.load(find_bundle(args.embodied)) if args.embodied else None
        name = f'{args.source}-embodied' if args.embodied else args.source
        step = max(len(dataset) // args.frames, 1)
        frames = measured_frames(args.source, dataset, range(0, len(dataset), step), seen)
    if args.wordings == 'unseen':
        name = f'{name}-unseen'
    written = build(islice(frames, args.frames), name, args.out, args.questions, args.wordings)
    print(f'{args.out / name}.jsonl: {written} questions')


def main() -> int:
    """Run the command line; returns the exit status."""
    args = _parser().parse_args()
    try:
        if args.command == 'frames':
            # MuJoCo's graphics library and torch do not bear with each other in one process.
            from deepsight_training.instructions.shard_writer import write_frames
            write_frames(args.split, args.shards, args.out, args.jobs, args.first_shard)
        elif args.command == 'measured':
            _write_measured(args)
        elif args.command == 'pictures':
            _write_pictures(args)
        else:
            _build(args)
    except (DatasetError, EvaluationError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
