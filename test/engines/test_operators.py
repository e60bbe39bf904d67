"""
Every operator of every graph for TensorRT is one that its ONNX parser takes, with its dtypes.

The list is what NVIDIA publishes, see tensorrt_operators.tsv. It tells what the parser takes, not
that a plan computes the right thing: for that there is the parity gate.
"""

from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

import onnx
import pytest

from deepsight_ros.engines import Manifest

HERE = Path(__file__).resolve().parent
BUNDLES = sorted((HERE.parents[1] / 'models').rglob('manifest.json'))
OPSETS = range(9, 21)
Constants = Mapping[str, onnx.TensorProto]
Check = Callable[[onnx.NodeProto, Constants], bool]
"""Takes a node and the constants by name; whether the node respects the restriction."""
MOST_OF_TOP_K = 3840
NAMES = {'FLOAT': 'FP32', 'FLOAT16': 'FP16', 'BFLOAT16': 'BF16'}


def published() -> dict[str, tuple[set[str], str]]:
    """Return operator to dtypes and restrictions."""
    rows = {}
    for line in (HERE / 'tensorrt_operators.tsv').read_text().splitlines():
        if not line.startswith('#'):
            name, dtypes, restriction = [*line.split('\t'), ''][:3]
            rows[name] = (set(dtypes.split()), restriction)
    return rows


def attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def pools_plainly(node: onnx.NodeProto, constants: Constants) -> bool:
    found = attributes(node)
    return len(found['kernel_shape']) in (2, 3) and set(found.get('dilations', [1])) == {1}


def resizes_plainly(node: onnx.NodeProto, constants: Constants) -> bool:
    found = attributes(node)
    return (found.get('coordinate_transformation_mode', b'half_pixel') in (
                b'half_pixel', b'pytorch_half_pixel', b'tf_half_pixel_for_nn', b'asymmetric',
                b'align_corners')
            and found.get('mode', b'nearest') in (b'nearest', b'linear')
            and found.get('nearest_mode', b'round_prefer_floor') in (
                b'floor', b'ceil', b'round_prefer_floor', b'round_prefer_ceil')
            and found.get('keep_aspect_ratio_policy', b'stretch') == b'stretch'
            and not found.get('antialias') and 'axes' not in found)


def picks_few(node: onnx.NodeProto, constants: Constants) -> bool:
    wanted = constants.get(node.input[1])
    return (attributes(node).get('sorted', 1) == 1 and wanted is not None
            and onnx.numpy_helper.to_array(wanted).item() < MOST_OF_TOP_K)


def has_constant(number: int) -> Check:
    """Return the check that an input is an initializer, or not there."""
    def check(node: onnx.NodeProto, constants: Constants) -> bool:
        return len(node.input) <= number or not node.input[number] or (
            node.input[number] in constants)
    return check


RESTRICTIONS: dict[str, Check] = {
    'AveragePool': pools_plainly,
    'Constant': lambda node, _: not {'sparse_value', 'value_string', 'value_strings'} & {
        item.name for item in node.attribute},
    'CumSum': has_constant(1),
    'LayerNormalization': lambda node, _: len(node.output) == 1,
    'MaxPool': lambda node, constants: len(node.output) == 1 and pools_plainly(node, constants),
    'Pad': has_constant(3),
    'Resize': resizes_plainly,
    'ScatterND': lambda node, _: not node.attribute,
    'Slice': has_constant(3),
    'Squeeze': has_constant(1),
    'TopK': picks_few,
    'Unsqueeze': has_constant(1),
    **{f'Reduce{kind}': has_constant(1) for kind in ('L2', 'Max', 'Mean', 'Min', 'Prod', 'Sum')},
}


def graphs() -> list[Path]:
    found = []
    for path in BUNDLES:
        manifest = Manifest.read(path.parent)
        found += [path.parent / variant.file for variant in manifest.variants
                  if 'tensorrt' in variant.backends]
    return found


def objections(model: onnx.ModelProto) -> list[str]:
    """Return what TensorRT's parser would not take."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    constants = {item.name: item for item in graph.initializer}
    constants |= {node.output[0]: attributes(node).get('value') for node in graph.node
                  if node.op_type == 'Constant'}
    dtypes = {item.name: onnx.TensorProto.DataType.Name(item.data_type)
              for item in graph.initializer}
    dtypes |= {item.name: onnx.TensorProto.DataType.Name(item.type.tensor_type.elem_type)
               for item in [*graph.input, *graph.output, *graph.value_info]}
    outside = {item.name for item in [*graph.input, *graph.output]}
    known = published()
    found = [f'opset {item.version} of {item.domain!r}' for item in model.opset_import
             if item.domain or item.version not in OPSETS]
    found += [f'{name} is uint8 inside' for name, dtype in dtypes.items()
              if dtype == 'UINT8' and name not in outside]
    for node in graph.node:
        if node.domain or node.op_type not in known:
            found.append(f'{node.domain}.{node.op_type} is not listed')
            continue
        allowed, restriction = known[node.op_type]
        data = node.input[1 if node.op_type == 'Where' else 0] if node.input else node.output[0]
        dtype = dtypes[data]
        if NAMES.get(dtype, dtype) not in allowed:
            found.append(f'{node.op_type} of {dtype}')
        if restriction and (node.op_type not in RESTRICTIONS
                            or not RESTRICTIONS[node.op_type](node, constants)):
            found.append(f'{node.op_type}: {restriction}')
    return found


@pytest.mark.parametrize('path', graphs(), ids=lambda path: path.parent.name)
def test_tensorrt_takes_every_operator(path: Path) -> None:
    assert objections(onnx.load(path)) == []


def test_there_are_graphs_for_tensorrt() -> None:
    assert graphs()


@pytest.mark.parametrize(('node', 'dtype', 'words'), [
    (('Unique', {}), 'FLOAT', 'not listed'),
    (('ArgMax', {}), 'DOUBLE', 'ArgMax of DOUBLE'),
    (('Relu', {}), 'UINT8', 'uint8 inside'),
    (('AveragePool', {'kernel_shape': [2, 2], 'dilations': [2, 2]}), 'FLOAT', 'dilations'),
    (('GridSample', {}), 'FLOAT', 'GridSample: Input must be 4D'),  # its check is not written
])
def test_what_tensorrt_does_not_take_is_found(node: tuple[str, dict], dtype: str,
                                              words: str) -> None:
    operator, options = node
    number = onnx.TensorProto.DataType.Value(dtype)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node('Identity', ['x'], ['inner']),
         onnx.helper.make_node(operator, ['inner'], ['y'], **options)], 'bad',
        [onnx.helper.make_tensor_value_info('x', number, [1, 1, 4, 4])],
        [onnx.helper.make_empty_tensor_value_info('y')],
        value_info=[onnx.helper.make_tensor_value_info('inner', number, [1, 1, 4, 4])])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 19)])
    assert words in '\n'.join(objections(model))
