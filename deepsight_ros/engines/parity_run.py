"""An engine of a bundle against the graph that it was made from, as the graph stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnxruntime

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import Variant
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.parity import compare
from deepsight_ros.engines.parity import ParityReport
from deepsight_ros.engines.recorded_inputs import random_inputs
from deepsight_ros.engines.recorded_inputs import read_recorded


def run_parity(engine: Engine, bundle: Path, manifest: Manifest, variant: Variant) -> ParityReport:
    """Compare on the bundle's recorded inputs and on random ones; raises ``EngineError``."""
    cases = read_recorded(bundle, manifest) + random_inputs(engine.inputs, manifest)
    with open_reference(bundle, manifest, variant) as reference:
        return compare(engine, reference, cases, variant.parity)


def open_reference(bundle: Path, manifest: Manifest, variant: Variant) -> Engine:
    """Open a variant's graph on the processor, unoptimised; raises ``EngineError``."""
    path = bundle / variant.file
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=['CPUExecutionProvider'])
    except Exception as error:
        raise EngineError(f'{path}: ONNX Runtime {onnxruntime.__version__} cannot load the graph '
                          f'({error}), so that nothing can be compared with it; export a graph '
                          'that it can run') from error
    own = replace(manifest, variants=(variant,))
    return OnnxRuntimeEngine(session, own, 'the reference', bundle)
