"""Command line: ``python -m deepsight_training.worlds render|sample-bags``."""

import argparse
from collections.abc import Callable
from pathlib import Path
import sys


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split('x'))
    except ValueError:
        message = f'{text!r} is not WIDTHxHEIGHT, such as 640x384'
        raise argparse.ArgumentTypeError(message) from None
    if not (32 <= width <= 1280 and 32 <= height <= 800):
        raise argparse.ArgumentTypeError(f'{text}: width must be 32..1280, height 32..800')
    return width, height


def _at_least(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f'{value} is less than {least}')
        return value
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m deepsight_training.worlds',
                                     description='Render scenes with exact depth and labels.')
    commands = parser.add_subparsers(dest='command', required=True)
    render = commands.add_parser('render', help='write frames with labels, depth and boxes')
    render.add_argument('--kind', required=True, choices=('street', 'room', 'corridor'))
    render.add_argument('--frames', type=_at_least(1), default=100, help='default: 100')
    render.add_argument('--seed', type=_at_least(0), default=0,
                        help='seed of the first layout; 1000000 and up are held out of training')
    render.add_argument('--size', type=_size, default=(640, 384), metavar='WIDTHxHEIGHT',
                        help='pixels (default: 640x384)')
    render.add_argument('--out', type=Path, required=True, help='folder of the frames')
    render.add_argument('--jobs', type=_at_least(1), default=1, help='processes (default: 1)')
    render.add_argument('--geometry-only', action='store_true',
                        help='depth, labels and boxes by ray casting; needs no OpenGL')
    bags = commands.add_parser('sample-bags', help='write the bags that ship with the package')
    bags.add_argument('--out', type=Path, required=True,
                      help='folder that gets street/ and room/')
    return parser


def main() -> int:
    """Run the command line; returns the exit status."""
    arguments = _parser().parse_args()
    from deepsight_training.worlds.scene import WorldError
    try:
        if arguments.command == 'render':
            from deepsight_training.worlds.generate import write_frames
            write_frames(arguments.kind, arguments.frames, arguments.seed, arguments.size,
                         arguments.out, arguments.jobs, not arguments.geometry_only)
        else:
            from deepsight_training.worlds.sample_bag import write_sample_bags
            write_sample_bags(arguments.out)
    except WorldError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
