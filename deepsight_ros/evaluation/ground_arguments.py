"""The options by which commands are told where a data set's ground is."""

from __future__ import annotations

import argparse

from deepsight_ros.evaluation.datasets import GroundOptions


def add_ground_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--camera-height``, ``--camera-pitch``, ``--gravity`` and ``--floor``."""
    parser.add_argument('--camera-height', type=float, metavar='M', help='metres above the ground')
    parser.add_argument('--camera-pitch', type=float, metavar='RAD', help='positive: looks down')
    parser.add_argument('--gravity', type=_direction, metavar='X,Y,Z',
                        help='down in the world frame of the poses; --gravity=X,Y,Z if X is '
                        'negative (default: estimated once per sequence from depth and poses)')
    parser.add_argument('--floor', type=float, metavar='M',
                        help="the floor's offset along --gravity (default: estimated)")


def ground_options(args: argparse.Namespace) -> GroundOptions:
    """Return what ``add_ground_arguments`` parsed."""
    return GroundOptions(args.camera_height, args.camera_pitch, args.gravity, args.floor)


def _direction(text: str) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in text.split(','))
    return x, y, z
