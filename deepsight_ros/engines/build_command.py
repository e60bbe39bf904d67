"""Command ``deepsight engine build``: the plan of a bundle for this machine."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deepsight_ros.engines.build import Build
from deepsight_ros.engines.build import Progress
from deepsight_ros.engines.build import STAGES
from deepsight_ros.engines.bundle_arguments import add_bundle_arguments
from deepsight_ros.engines.bundle_arguments import for_each_bundle
from deepsight_ros.engines.bundle_arguments import Result
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.plan_facts import plan_lines
from deepsight_ros.engines.plans import PlanManifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``deepsight engine build``."""
    default = BuildOptions()
    add_bundle_arguments(parser)
    parser.add_argument('--level', type=int, default=default.level, choices=range(6),
                        help='optimisation level; higher builds longer for a faster plan '
                             f'(default {default.level})')
    parser.add_argument('--workspace-mb', type=int, default=default.workspace_mb, metavar='N',
                        help='most GPU memory that a layer may use (default: all)')
    parser.add_argument('--tf32', action='store_true',
                        help='compute float32 as TensorFloat-32: faster, 10 bits of mantissa')
    parser.add_argument('--ampere-plus', action='store_true',
                        help='a plan for every GPU since Ampere: slower, not for Jetson')


def run(args: argparse.Namespace) -> int:
    """Build, compare with the ONNX graph, and say where the plan is."""
    if args.workspace_mb < 0:
        raise EngineError(f'--workspace-mb {args.workspace_mb} is no size; give megabytes, or '
                          'leave it out for all there are')
    return for_each_bundle(args, _build)


def _build(bundle: Path, args: argparse.Namespace) -> Result:
    options = BuildOptions(args.level, args.workspace_mb, args.tf32, args.ampere_plus)
    path = Build(bundle, cache=args.cache, options=options).wait(_Printer())
    manifest = PlanManifest.read(path.with_suffix('.json'))
    print('\n'.join(plan_lines(path, manifest)))
    return 0, {'plan': str(path), **json.loads(manifest.to_json())}


class _Printer:
    """Prints one line for each thing that the builder begins."""

    def __init__(self) -> None:
        self._last = ''

    def __call__(self, progress: Progress) -> None:
        now = f'{progress.stage}: {progress.detail}'
        if now != self._last:
            self._last = now
            steps = f' ({progress.total} steps)' if progress.total else ''
            number = STAGES.index(progress.stage) + 1
            print(f'[{number}/{len(STAGES)}] {now}{steps}', flush=True)
