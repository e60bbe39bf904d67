"""Options that all commands about engines share."""

from __future__ import annotations

import argparse
from pathlib import Path

from deepsight_ros.engines.cache import VARIABLE


def add_bundle_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the bundle, the folder of plans, and the JSON file."""
    parser.add_argument('bundle', metavar='BUNDLE', help='name or folder of the model bundle')
    parser.add_argument('--cache', type=Path, metavar='DIR',
                        help=f'folder that keeps plans (default: ${VARIABLE}, else the cache '
                             'folder of the user)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the result here')
