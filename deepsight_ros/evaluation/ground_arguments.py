"""The options by which commands are told where a data set's ground is."""

from __future__ import annotations

import argparse

from deepsight_ros.evaluation.argument_types import direction
from deepsight_ros.evaluation.argument_types import finite
from deepsight_ros.evaluation.argument_types import length
from deepsight_ros.evaluation.argument_types import tilt
from deepsight_ros.evaluation.datasets import GroundOptions


def add_ground_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--camera-height``, ``--camera-pitch``, ``--gravity`` and ``--floor``."""
    parser.add_argument('--camera-height', type=length, metavar='M',
                        help='metres above the ground')
    parser.add_argument('--camera-pitch', type=tilt, metavar='RAD',
                        help='positive: looks down')
    parser.add_argument('--gravity', type=direction, metavar='X,Y,Z',
                        help='down in the world frame of the poses; --gravity=X,Y,Z if X is '
                        'negative (default: estimated once per sequence from depth and poses)')
    parser.add_argument('--floor', type=finite, metavar='M',
                        help="the floor's offset along --gravity (default: estimated)")


def ground_options(args: argparse.Namespace) -> GroundOptions:
    """Return what ``add_ground_arguments`` parsed."""
    return GroundOptions(args.camera_height, args.camera_pitch, args.gravity, args.floor)
