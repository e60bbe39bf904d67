"""Command line: ``python -m deepsight_training.instructions frames``."""

import argparse
from pathlib import Path
import sys

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.worlds.scene import WorldError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m deepsight_training.instructions',
                                     description='Depth frames and questions about them.')
    commands = parser.add_subparsers(dest='command', required=True)
    frames = commands.add_parser('frames', help='cast depth frames of the worlds into shards; '
                                 'the same command again goes on where it was interrupted')
    frames.add_argument('--split', required=True, help='train, held_out_seeds, held_out_layouts, '
                        'held_out_views or held_out_heights')
    frames.add_argument('--shards', type=int, required=True, help='of about 144 frames each')
    frames.add_argument('--out', type=Path, required=True, help='folder of the shards')
    frames.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    return parser


def main() -> int:
    """Run the command line; returns the exit status."""
    arguments = _parser().parse_args()
    try:
        from deepsight_training.instructions.shards import write_frames
        write_frames(arguments.split, arguments.shards, arguments.out, arguments.jobs)
    except (DatasetError, WorldError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
