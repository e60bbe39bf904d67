"""
The builder's child process: ``python -m deepsight_ros.engines.build_child PIPE REQUEST``.

``PIPE`` is the number of an open file to which it writes one JSON object a line: progress
``{"stage", "detail", "done", "total"}``, and at the end ``{"plan"}`` or ``{"error"}``. ``REQUEST``
is JSON too. Anything else, such as a crash, is for the parent to find out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from datetime import timezone
import hashlib
from importlib import import_module
import json
import os
from pathlib import Path
import sys
import time
from typing import Any
from typing import Final

from deepsight_ros.engines.cache import locked
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.compiler import Compiler
from deepsight_ros.engines.compiler import Request
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.parity import parity_inputs
from deepsight_ros.engines.parity import run_parity
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.plans import plan_path
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.plans import PlanManifest
from deepsight_ros.engines.plans import read_plan
from deepsight_ros.engines.plans import save_plan

NICE: Final = 10
"""Whoever answers questions meanwhile goes first."""

LONGEST_DETAIL: Final = 200
"""Characters; a line has to fit into a pipe in one piece, since several threads write."""

StageReport = Callable[[str, str, int, int], None]
"""Takes the stage, what is being done, steps done, and all steps (0: unknown)."""


def build(request: Request, report: StageReport) -> Path:
    """Build, compare and keep the plan of a bundle; ``EngineError`` if it must not be used."""
    bundle, cache = Path(request.bundle), Path(request.cache)
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    compiler = load_compiler(request.compiler)
    key = compiler.key(manifest, request.options)
    timings = cache / 'timings' / f'{_file_name(key.tensorrt, key.gpu)}.cache'
    report('wait', 'until no other process builds a plan', 0, 0)
    with locked(plan_path(key, cache)):
        if (there := _already_there(key, cache)) is not None:
            return there
        # One build at a time: two would share the memory, and time each other instead of the GPU.
        with locked(timings):
            return _build(bundle, cache, manifest, compiler, key, request.options, timings, report)


def load_compiler(name: str) -> Compiler:
    """Return an instance of the class called ``module:name``."""
    module, _, attribute = name.partition(':')
    compiler: Compiler = getattr(import_module(module), attribute)()
    return compiler


def _already_there(key: PlanKey, cache: Path) -> Path | None:
    """Return the plan with this key; ``EngineError`` if it was built and must not be used."""
    path, failed = plan_path(key, cache), plan_path(key, cache, failed=True)
    if _has_key(failed, key):
        raise EngineError(f'the plan of {key.bundle!r} was built before and does not compute what '
                          f'its ONNX graph computes; use the backend onnxruntime, update '
                          f'TensorRT, or delete {failed.with_suffix(".json")} to build it again')
    if _has_key(path, key):
        with suppress(EngineError):  # damaged: it is built again
            return read_plan(path, PlanManifest.read(path.with_suffix('.json'))).path
    return None


def _has_key(path: Path, key: PlanKey) -> bool:
    with suppress(EngineError):
        return PlanManifest.read(path.with_suffix('.json')).key == key
    return False


def _build(
    bundle: Path, cache: Path, manifest: Manifest, compiler: Compiler, key: PlanKey,
    options: BuildOptions, timings: Path, report: StageReport,
) -> Path:
    variant = next(item for item in manifest.variants
                   if manifest.files[item.file] == key.onnx_sha256)
    cases = parity_inputs(bundle, manifest)  # before minutes are spent
    start = time.monotonic()
    content = compiler.compile(
        bundle / variant.file, manifest, options, timings,
        lambda detail, done, total: report('build', detail, done, total))
    seconds = time.monotonic() - start
    cuda, driver = compiler.versions()
    made = PlanManifest(
        key=key, sha256=hashlib.sha256(content).hexdigest(), cuda=cuda, driver=driver,
        precision=variant.precision, tensors=(), layer_dtypes={}, parity={}, passed=False,
        build_seconds=round(seconds, 1),
        built=datetime.now(timezone.utc).isoformat(timespec='seconds'))
    report('parity', 'comparing with the ONNX graph', 0, 0)
    plan = Plan(plan_path(key, cache), made, content)
    with compiler.open(plan, manifest, bundle) as engine:
        tensors, layer_dtypes = compiler.read_back(engine)
        parity = run_parity(engine, cases, bundle, manifest, variant)
    report('save', 'writing the plan', 0, 0)
    made = replace(made, tensors=tensors, layer_dtypes=layer_dtypes, parity=parity.to_json(),
                   passed=parity.passed)
    path = save_plan(content, made, cache)
    if not parity.passed:
        raise EngineError(
            f'the plan of {manifest.name!r} does not compute what its ONNX graph computes, and is '
            f'kept aside in {path}:\n{parity}\nUse the backend onnxruntime, update TensorRT, or '
            'export the bundle with plain attention or in a higher precision')
    return path


def _file_name(*parts: str) -> str:
    return '-'.join(''.join(sign if sign.isalnum() or sign == '.' else '_' for sign in part)
                    for part in parts)


def main() -> None:
    """Build what the arguments say."""
    pipe = int(sys.argv[1])

    def send(**content: Any) -> None:
        os.write(pipe, (json.dumps(content) + '\n').encode())

    def report(stage: str, detail: str, done: int, total: int) -> None:
        send(stage=stage, detail=detail[:LONGEST_DETAIL], done=done, total=total)

    os.nice(NICE)
    with suppress(OSError):  # where memory runs out, it is the builder that ends
        Path('/proc/self/oom_score_adj').write_text('1000', encoding='ascii')
    try:
        send(plan=str(build(Request.from_json(sys.argv[2]), report)))
    except EngineError as error:
        send(error=str(error))
    except MemoryError:
        send(error='the builder ran out of memory; close other programs, or build on a machine '
                   'with the same GPU and more memory')


if __name__ == '__main__':
    main()
