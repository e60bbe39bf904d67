"""What our engine's checks and names add to a call of ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
import tempfile
from typing import Any
from typing import Final

import numpy as np
import onnxruntime

from deepsight_ros.benchmarks.rows import median_seconds
from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256

IDENTITY_ONNX: Final = (
    b'\x08\t:9\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x10\n\x01x\x12\x0b\n\t\x08\x01\x12\x05'
    b'\n\x03\x12\x01nb\x10\n\x01y\x12\x0b\n\t\x08\x01\x12\x05\n\x03\x12\x01nB\x04\n\x00\x10\x12')
"""Graph of one Identity, x float32 [n] to y; here as bytes because run time has no onnx."""
_INPUT: Final = np.zeros(1 << 18, np.float32)
"""One MiB."""


def engine_row(seconds: float) -> Row:
    """Compare an engine with a session of ONNX Runtime for some ``seconds``."""
    with tempfile.TemporaryDirectory() as folder:
        graph = _write_bundle(Path(folder))
        session: Any = onnxruntime.InferenceSession(
            str(graph), _options(), providers=['CPUExecutionProvider'])
        with load_engine(Path(folder), cache=Path(folder)) as engine:
            times = median_seconds({
                'engine': lambda: engine({'x': _INPUT}),
                'session': lambda: session.run(['y'], {'x': _INPUT})}, seconds, 'engine')
    return Row('engine_overhead_us', 1e6 * (times['engine'] - times['session']), 'us',
               1e6 * times['session'], 'the call of ONNX Runtime itself, with 1 MiB in and out')


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return options


def _write_bundle(folder: Path) -> Path:
    graph = folder / 'identity.onnx'
    graph.write_bytes(IDENTITY_ONNX)
    Manifest(
        name='identity', task='benchmark', version='1', licence='Apache-2.0',
        variants=(Variant(graph.name, 'fp32', ('onnxruntime',)),),
        inputs=(TensorSpec('x', 'float32', ('n',)),),
        outputs=(TensorSpec('y', 'float32', ('n',)),),
        files={graph.name: sha256(graph)}).write(folder)
    return graph
