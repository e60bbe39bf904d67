"""Weights of a language model's graph in 8 bits, for ONNX Runtime on a CPU."""

from pathlib import Path
import tempfile

import onnx
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.quantization import QuantType

from deepsight_training.onnx_graph import clean


def quantise(source: Path, target: Path) -> None:
    """Write a graph with weights in 8 bits, per column; only ONNX Runtime runs it."""
    graph = onnx.load(source)
    # The exporter's shapes of inner tensors contradict the quantiser's for transposed weights.
    del graph.graph.value_info[:]
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / source.name
        onnx.save(graph, plain)
        quantize_dynamic(plain, target, weight_type=QuantType.QInt8, per_channel=True)
    onnx.save(clean(onnx.load(target)), target)
