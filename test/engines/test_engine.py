"""Engines: loading, calling, and what is refused."""

from dataclasses import replace
import json
import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import onnx
import pytest

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines import ShapeRange
from deepsight_ros.engines import Tolerance
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256


def edit_manifest(bundle: Path, **changes: object) -> None:
    path = bundle / 'manifest.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_runs_named_arrays(bundle: Path) -> None:
    with load_engine(bundle) as engine:
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        np.testing.assert_array_equal(engine({'x': x})['y'], 2 * x)
        assert engine.inputs[0].shape == ('n', 3)
        assert engine.outputs[0].dtype == 'float32'


def test_manifest_round_trip(bundle: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(bundle)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest


def test_manifest_with_everything_round_trip(bundle: Path, tmp_path: Path) -> None:
    whole = replace(
        Manifest.read(bundle),
        variants=(Variant('model.onnx', 'fp16', ('onnxruntime', 'tensorrt'), 'plain',
                          {'float32': Tolerance(0.1, 0.01, 0.99)}),),
        profiles=({'x': ShapeRange((1, 3), (4, 3), (9, 3))},), recorded_inputs='model.onnx',
        metrics=({'name': 'iou', 'value': 0.5, 'dataset': 'x', 'date': '2026-11-20'},))
    whole.write(tmp_path)
    assert Manifest.read(tmp_path) == whole


def test_closed_engine_says_so(bundle: Path) -> None:
    engine = load_engine(bundle)
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        engine({'x': np.zeros((1, 3), np.float32)})


@pytest.mark.parametrize('inputs', [
    {},
    {'x': np.zeros((1, 3), np.float32), 'z': np.zeros(1)},
    {'x': np.zeros((1, 4), np.float32)},
    {'x': np.zeros((3,), np.float32)},
    {'x': np.zeros((1, 3), np.float64)},
])
def test_wrong_inputs_are_named(bundle: Path, inputs: dict) -> None:
    with load_engine(bundle) as engine, pytest.raises(EngineError, match='the graph takes'):
        engine(inputs)


def test_changed_byte(bundle: Path) -> None:
    path = bundle / 'model.onnx'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match='does not match its hash.*reinstall'):
        load_engine(bundle)


def test_missing_file(bundle: Path) -> None:
    (bundle / 'model.onnx').unlink()
    with pytest.raises(EngineError, match='missing'):
        load_engine(bundle)


def test_link_out_of_the_bundle(bundle: Path) -> None:
    outside = bundle.parent / 'outside.onnx'
    (bundle / 'model.onnx').rename(outside)
    (bundle / 'model.onnx').symlink_to(outside)
    with pytest.raises(EngineError, match='links out'):
        load_engine(bundle)


def test_a_bundle_whose_files_are_all_links(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'installed'
    folder.mkdir()
    for path in bundle.iterdir():
        (folder / path.name).symlink_to(path)
    load_engine(folder).close()


@pytest.mark.skipif(os.geteuid() == 0, reason='root reads every file')
def test_a_file_that_may_not_be_read(bundle: Path) -> None:
    (bundle / 'model.onnx').chmod(0)
    with pytest.raises(EngineError, match='cannot be read .*make it readable'):
        load_engine(bundle)


def test_8_bits_are_for_the_cpu(bundle: Path) -> None:
    manifest = Manifest.read(bundle)
    full, = manifest.variants
    small = replace(full, precision='int8')
    both = replace(manifest, variants=(small, full))
    assert both.variant('onnxruntime') is small
    assert both.variant('onnxruntime', quantised=False) is full
    assert replace(manifest, variants=(small,)).variant('onnxruntime', quantised=False) is small


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match='no model bundle'):
        load_engine(tmp_path)


@pytest.mark.parametrize(('changes', 'words'), [
    ({'format': 1}, 'another version'),
    ({'colour': 'red'}, "unknown keys \\['colour'\\]"),
    ({'variants': [{'file': 'model.onnx'}]}, 'malformed'),
    ({'files': {'../model.onnx': 'x'}}, 'leaves the bundle'),
    ({'files': {'/etc/passwd': 'x'}}, 'leaves the bundle'),
    ({'files': {}}, 'no hash'),
    ({'files': []}, 'malformed|no hash'),
    ({'recorded_inputs': '../inputs.npz'}, 'leaves the bundle'),
    ({'recorded_inputs': 'inputs.npz'}, 'inputs.npz has no hash'),
    ({'tokenizer': '/tokenizer.json'}, 'leaves the bundle'),
    ({'name': '../../plans'}, 'leaves the bundle'),
    ({'name': ''}, 'leaves the bundle'),
    ({'name': 3}, 'malformed entry .name is 3, must be text'),
    ({'recorded_inputs': None}, 'recorded_inputs is None, must be text'),
    ({'variants': [{'file': 3, 'precision': 'fp32', 'backends': ['onnxruntime']}]},
     'file of variants is 3, must be text'),
    ({'inputs': [{'name': None, 'dtype': 'float32', 'shape': ['n', 3]}]},
     'name of inputs is None, must be text'),
    ({'profiles': [{'x': {'min': [1, 3]}}]}, 'malformed'),
    ({'profiles': [5]}, 'malformed'),
    ({'profiles': [{}]}, r"a profile is for \[\], free are \['x'\]"),
    ({'profiles': [{'x': {'min': [1], 'opt': [2], 'max': [3]}}]}, "profile of 'x'"),
    ({'profiles': [{'x': {'min': [1, 3], 'opt': [9, 3], 'max': [3, 3]}}]}, "profile of 'x'"),
    ({'variants': [{'file': 'model.onnx', 'precision': 'fp32', 'backends': ['onnxruntime'],
                    'parity': {'float32': {'max': 1}}}]}, 'malformed'),
    ({'variants': []}, 'no variant .* runs on onnxruntime'),
    ({'inputs': [{'name': 'z', 'dtype': 'float32', 'shape': ['n', 3]}]}, 'the graph has'),
    ({'inputs': [{'name': 'x', 'dtype': 'float32', 'shape': ['n', 4]}]}, 'in the graph and .*4'),
    ({'inputs': [{'name': 'x', 'dtype': 'float32', 'shape': [3]}]}, r'in the graph and \[3\]'),
])
def test_bad_manifest(bundle: Path, changes: dict, words: str) -> None:
    edit_manifest(bundle, **changes)
    with pytest.raises(EngineError, match=words):
        load_engine(bundle)


def test_manifest_that_is_no_json(bundle: Path) -> None:
    (bundle / 'manifest.json').write_text('{')
    with pytest.raises(EngineError, match='cannot be read'):
        load_engine(bundle)


def test_graph_that_is_no_protobuf(bundle: Path) -> None:
    (bundle / 'model.onnx').write_bytes(b'no protobuf')
    manifest = Manifest.read(bundle)
    manifest.files['model.onnx'] = sha256(bundle / 'model.onnx')
    manifest.write(bundle)
    with pytest.raises(EngineError, match='cannot load the graph'):
        load_engine(bundle)


def replace_graph(bundle: Path, *nodes: onnx.NodeProto, x: int, y: int) -> None:
    """Write another graph from x [n, 3] to y [n, 3] into the bundle."""
    graph = onnx.helper.make_graph(
        list(nodes), 'other', [onnx.helper.make_tensor_value_info('x', x, ['n', 3])],
        [onnx.helper.make_tensor_value_info('y', y, ['n', 3])])
    opsets = [onnx.helper.make_opsetid('', 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9),
              bundle / 'model.onnx')
    manifest = Manifest.read(bundle)
    manifest.files['model.onnx'] = sha256(bundle / 'model.onnx')
    manifest.write(bundle)


def test_tensors_that_numpy_has_no_type_for(bundle: Path) -> None:
    string = onnx.TensorProto.STRING
    replace_graph(bundle, onnx.helper.make_node('Identity', ['x'], ['y']), x=string, y=string)
    with pytest.raises(EngineError, match=r"'x' is a tensor\(string\); export a graph"):
        load_engine(bundle)


def test_a_graph_that_fails_in_a_call(bundle: Path) -> None:
    number = onnx.TensorProto.FLOAT
    square = onnx.helper.make_node('MatMul', ['x', 'x'], ['y'])  # takes n = 3 alone
    replace_graph(bundle, square, x=number, y=number)
    with load_engine(bundle) as engine:
        with pytest.raises(EngineError, match=r"failed on \{'x': \[2, 3\]\} .*; give shapes"):
            engine({'x': np.ones((2, 3), np.float32)})
        assert engine({'x': np.ones((3, 3), np.float32)})['y'].sum() == 27


def test_providers(bundle: Path) -> None:
    x = np.ones((1, 3), np.float32)
    for providers in (['CPUExecutionProvider'],
                      [('CPUExecutionProvider', {'arena_extend_strategy': 'kSameAsRequested'})]):
        with load_engine(bundle, providers=providers, threads=2) as engine:
            assert engine.backend == 'onnxruntime CPU'
            assert engine({'x': x})['y'].sum() == 6
    with pytest.raises(EngineError, match="'NoSuchProvider' is not in this .*CPUExecutionProvid"):
        load_engine(bundle, providers=['NoSuchProvider', 'CPUExecutionProvider'])


@pytest.mark.parametrize('content', [
    '__version__ = "8.5.2"', 'raise ImportError("libnvinfer.so.10: cannot open shared object")'])
def test_a_tensorrt_that_cannot_be_used(bundle: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / 'tensorrt.py').write_text(content)
    code = ('import pathlib, sys; from deepsight_ros.engines import load_engine; '
            'engine = load_engine(pathlib.Path(sys.argv[1])); '
            'print(engine.backend, engine.reason)')
    done = subprocess.run(
        [sys.executable, '-c', code, str(bundle)], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(tmp_path), *sys.path])})
    assert done.stdout.startswith('onnxruntime CPU TensorRT cannot be used: '), done.stderr


def test_the_backend_reports_to_nobody(bundle: Path, tmp_path: Path) -> None:
    code = ('import pathlib, sys; from deepsight_ros.engines import load_engine; '
            'load_engine(pathlib.Path(sys.argv[1])).close()')
    environment = {name: value for name, value in os.environ.items() if 'TELEMETRY' not in name}
    subprocess.run([sys.executable, '-c', code, str(bundle)], check=True,
                   env={**environment, 'HOME': str(tmp_path / 'home'),
                        'XDG_CACHE_HOME': str(tmp_path / 'cache')})
    assert not [path for path in tmp_path.rglob('*') if 'onnxruntime' in path.name]


def test_import_loads_no_backend() -> None:
    code = ('import sys, deepsight_ros.engines; '
            'sys.exit(any(m in sys.modules for m in ("onnxruntime", "tensorrt", "cuda")))')
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
