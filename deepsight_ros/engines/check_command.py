"""Command ``deepsight engine check``: does each backend compute what the ONNX graph says?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from typing import Final

from deepsight_ros.engines.bundle_arguments import add_bundle_arguments
from deepsight_ros.engines.bundle_arguments import for_each_bundle
from deepsight_ros.engines.bundle_arguments import Result
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.parity import parity_inputs
from deepsight_ros.engines.parity import run_parity

CHECKED: Final = ('onnxruntime', 'tensorrt')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``deepsight engine check``."""
    add_bundle_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compare every backend that works here with the unoptimised graph; 1 if one is off."""
    return for_each_bundle(args, _check)


def _check(bundle: Path, args: argparse.Namespace) -> Result:
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    cases = parity_inputs(bundle, manifest)
    results: dict[str, Any] = {}
    for backend in CHECKED:
        try:
            with load_engine(bundle, backend, cache=args.cache) as engine:
                report = run_parity(engine, cases, bundle, manifest, manifest.variant(backend))
        except EngineError as error:
            print(f'{backend}: not compared: {error}')
            results[backend] = {'error': str(error)}
            continue
        verdict = 'passed' if report.passed else 'FAILED'
        print(f'{report.engine}: {verdict} on {report.cases} inputs\n{report}')
        results[backend] = report.to_json()
    compared = [result['passed'] for result in results.values() if 'passed' in result]
    if not compared:
        raise EngineError(f'{bundle}: no backend works here, so that nothing was compared; see '
                          'above')
    return 0 if all(compared) else 1, {'bundle': str(bundle), 'backends': results}
