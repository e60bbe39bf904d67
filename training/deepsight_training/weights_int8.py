"""Weights of a language model's graph in 8 bits, for ONNX Runtime on a CPU.

Activations in 8 bits cost more answers than weights in 8 bits: a few of them are many times the
others, and share one scale with the whole prompt. So an activation is the sum of two: the nearest
of 255 steps, and what is left over in finer steps. Both are multiplied by the same integers, which
makes the product as good as with activations in 16 bits. Two kinds of layers keep their weights:
the last one, which decides between digits, and those that close the MLPs, where most of the
remaining error came from (2 of 100 answers differed with them in 8 bits, 1 of 200 without).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from onnx import numpy_helper
from onnx import TensorProto

from deepsight_training.onnx_graph import clean


def quantise(source: Path, target: Path) -> None:
    """Write a graph with weights in 8 bits, per column; only ONNX Runtime runs it."""
    model = onnx.load(source)
    graph = model.graph
    # The exporter's shapes of inner tensors are those of other nodes then.
    del graph.value_info[:]
    weights = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    # What closes an MLP takes the product of two activations.
    gated = {node.output[0] for node in graph.node
             if node.op_type == 'Mul' and not weights.keys() & set(node.input)}
    written: dict[str, onnx.TensorProto] = {}
    nodes: list[onnx.NodeProto] = []
    split: set[str] = set()
    for node in graph.node:
        # The head is no MatMul, as it takes a single row.
        if (node.op_type != 'MatMul' or node.input[1] not in weights
                or node.input[0] in gated):
            nodes.append(node)
            continue
        activation, name = node.input
        if activation not in split:
            split.add(activation)
            nodes += _two_parts(activation)
        if name not in written:
            written[name], written[f'{name}/scale'] = _integers(name, weights[name])
        nodes += _product(activation, name, node.output[0])
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [item for item in graph.initializer if item.name not in written]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *written.values()])
    onnx.save(clean(model), target)


def _integers(name: str, weights: npt.NDArray[np.float32],
              ) -> tuple[onnx.TensorProto, onnx.TensorProto]:
    """Weights [K, N] in -127..127, and the scale [N] of each column."""
    scale = np.maximum(np.abs(weights).max(0), np.finfo(np.float32).tiny) / np.float32(127)
    integers = np.round(weights / scale).astype(np.int8)
    return (numpy_helper.from_array(integers, name),
            numpy_helper.from_array(scale.astype(np.float32), f'{name}/scale'))


def _two_parts(name: str) -> list[onnx.NodeProto]:
    """Quantise an activation, and what that leaves over."""
    return [
        helper.make_node('DynamicQuantizeLinear', [name], _part(name, 0)),
        helper.make_node('DequantizeLinear', _part(name, 0), [f'{name}/rounded']),
        helper.make_node('Sub', [name, f'{name}/rounded'], [f'{name}/rest']),
        helper.make_node('DynamicQuantizeLinear', [f'{name}/rest'], _part(name, 1))]


def _part(name: str, number: int) -> list[str]:
    """Names of the integers, the scale and the zero point of a part of an activation."""
    return [f'{name}/{number}/{what}' for what in ('integers', 'scale', 'zero')]


def _product(activation: str, weights: str, output: str) -> list[onnx.NodeProto]:
    """Sum of both parts times the weights; ONNX Runtime makes one node of each product."""
    nodes: list[onnx.NodeProto] = []
    summands: Sequence[str] = [f'{output}/{number}' for number in (0, 1)]
    for number, summand in enumerate(summands):
        integers, scale, zero = _part(activation, number)
        nodes += [
            helper.make_node('MatMulInteger', [integers, weights, zero], [f'{summand}/integers']),
            helper.make_node('Cast', [f'{summand}/integers'], [f'{summand}/plain'],
                             to=TensorProto.FLOAT),
            helper.make_node('Mul', [scale, f'{weights}/scale'], [f'{summand}/scale']),
            helper.make_node('Mul', [f'{summand}/plain', f'{summand}/scale'], [summand])]
    return [*nodes, helper.make_node('Add', list(summands), [output])]
