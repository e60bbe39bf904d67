"""Command ``deepsight engine inspect``: what a bundle takes and gives, and its plans."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepsight_ros.engines.bundle_arguments import add_bundle_arguments
from deepsight_ros.engines.bundle_arguments import for_each_bundle
from deepsight_ros.engines.bundle_arguments import Result
from deepsight_ros.engines.cache import cache_folder
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.plan_facts import plan_lines
from deepsight_ros.engines.plan_facts import tensor_line
from deepsight_ros.engines.plans import build_command
from deepsight_ros.engines.plans import PlanManifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``deepsight engine inspect``."""
    add_bundle_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print bundle and plans; nothing is loaded, so that it works on any machine."""
    return for_each_bundle(args, _inspect)


def _inspect(bundle: Path, args: argparse.Namespace) -> Result:
    cache = cache_folder(args.cache)
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    print('\n'.join(_bundle_lines(bundle, manifest)))
    plans, unreadable = _plans(manifest, cache)
    graphs = {manifest.files[variant.file] for variant in manifest.variants}
    print('\nPlans')
    for path, plan in plans:
        print('\n'.join(f'  {line}' for line in plan_lines(path, plan)))
        if plan.key.onnx_sha256 not in graphs:
            print('    from another graph than the bundle has now, not used')
    for text in unreadable:
        print(f'  {text}')
    if not plans:
        print(f'  none in {cache}; on the machine with the GPU: {build_command(bundle, cache)}')
    return 0, {
        'bundle': str(bundle), 'manifest': asdict(manifest),
        'plans': [{'plan': str(path), **asdict(plan)} for path, plan in plans],
        'unreadable': unreadable}


def _bundle_lines(bundle: Path, manifest: Manifest) -> list[str]:
    lines = [f'{manifest.name} {manifest.version}, {manifest.task}, {bundle}',
             f'  licence: {manifest.licence}', '', 'Graphs']
    for variant in manifest.variants:
        size = (bundle / variant.file).stat().st_size / 1e6
        attention = f', attention {variant.attention}' if variant.attention else ''
        lines.append(f'  {variant.file}: {variant.precision}{attention}, {size:.1f} MB, for '
                     f'{" and ".join(variant.backends)}')
    lines += ['', 'Inputs', *(f'  {tensor_line(spec)}' for spec in manifest.inputs)]
    lines += ['', 'Outputs', *(f'  {tensor_line(spec)}' for spec in manifest.outputs)]
    for number, profile in enumerate(manifest.profiles):
        lines += ['', f'Profile {number}']
        lines += [f'  {name}: {list(item.min)} to {list(item.max)}, usually {list(item.opt)}'
                  for name, item in profile.items()]
    return lines


def _plans(manifest: Manifest, cache: Path) -> tuple[list[tuple[Path, PlanManifest]], list[Any]]:
    """Return the bundle's plans, failed ones too, and what is wrong with the others."""
    plans, unreadable = [], []
    for path in sorted((cache / 'plans' / manifest.name).rglob('*.json')):
        try:
            plans.append((path.with_suffix('.plan'), PlanManifest.read(path)))
        except EngineError as error:
            unreadable.append(str(error))
    return plans, unreadable
