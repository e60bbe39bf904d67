"""What all commands about engines share: their arguments, and one result for each bundle."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

from deepsight_ros.engines.cache import VARIABLE
from deepsight_ros.engines.manifest import MANIFEST
from deepsight_ros.resources import find_bundle

Result = tuple[int, dict[str, Any]]
"""Exit status, and what goes into the JSON file."""


def add_bundle_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the bundle, the folder of plans, and the JSON file."""
    parser.add_argument('bundle', metavar='BUNDLE', help='name or folder of the model bundle; '
                        'those in folders inside it are meant as well')
    parser.add_argument('--cache', type=Path, metavar='DIR',
                        help=f'folder that keeps plans (default: ${VARIABLE}, else the cache '
                             'folder of the user)')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='also write a list with the result of each bundle here')


def for_each_bundle(
    args: argparse.Namespace, command: Callable[[Path, argparse.Namespace], Result],
) -> int:
    """Run a command on the bundle and on those inside it; return the worst exit status."""
    folder = find_bundle(args.bundle)
    inner = sorted(path.parent for path in folder.glob(f'*/{MANIFEST}'))
    results: list[Result] = []
    for bundle in (folder, *inner):
        if results:
            print()
        results.append(command(bundle, args))
    if args.json:
        content = [result for _, result in results]
        args.json.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    return max(status for status, _ in results)
