"""The parity gate: what it measures, and that it catches engines that compute something else."""

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
import pytest

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines import ShapeRange
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Tolerance
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.parity import compare
from deepsight_ros.engines.parity import parity_inputs
from deepsight_ros.engines.recorded_inputs import random_inputs
from deepsight_ros.engines.recorded_inputs import read_recorded
from deepsight_ros.engines.recorded_inputs import write_recorded

PROFILE = {'x': ShapeRange((1, 8), (4, 8), (16, 8))}


def write_network(folder: Path, weights: np.ndarray) -> Path:
    """Write a bundle that gives x @ weights as y, and the largest column as best."""
    folder.mkdir()
    graph = helper.make_graph(
        [helper.make_node('MatMul', ['x', 'w'], ['y']),
         helper.make_node('ArgMax', ['y'], ['best'], axis=1, keepdims=0)], 'network',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['n', 8])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['n', 4]),
         helper.make_tensor_value_info('best', TensorProto.INT64, ['n'])],
        [onnx.numpy_helper.from_array(weights, 'w')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, folder / 'model.onnx')
    write_recorded(folder / 'inputs.npz', [{'x': np.full((2, 8), 0.5, np.float32)}])
    Manifest(
        name='network', task='test', version='1', licence='Apache-2.0',
        variants=(Variant('model.onnx', 'fp32', ('onnxruntime',)),),
        inputs=(TensorSpec('x', 'float32', ('n', 8)),),
        outputs=(TensorSpec('y', 'float32', ('n', 4)), TensorSpec('best', 'int64', ('n',))),
        files={name: sha256(folder / name) for name in ('inputs.npz', 'model.onnx')},
        profiles=(PROFILE,), recorded_inputs='inputs.npz',
    ).write(folder)
    return folder


@pytest.fixture
def weights() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((8, 4)).astype(np.float32)


@pytest.fixture
def network(tmp_path: Path, weights: np.ndarray) -> Path:
    return write_network(tmp_path / 'network', weights)


def compare_bundles(one: Path, other: Path, tolerances: dict | None = None):
    with load_engine(one) as engine, load_engine(other) as reference:
        manifest = reference.manifest
        cases = [*read_recorded(other, manifest), *random_inputs(reference.inputs, manifest)]
        return compare(engine, reference, cases, tolerances)


def test_the_same_graph_passes(network: Path) -> None:
    report = compare_bundles(network, network)
    assert report.passed
    assert report.cases == 4
    assert [output.max_relative for output in report.outputs] == [0, 0]
    assert [output.cosine for output in report.outputs] == pytest.approx([1, 1])
    assert json.loads(json.dumps(report.to_json(), allow_nan=False))['passed'] is True


def test_a_damaged_graph_is_caught(
        tmp_path: Path, network: Path, weights: np.ndarray) -> None:
    weights[3, 2] += 0.5
    report = compare_bundles(write_network(tmp_path / 'damaged', weights), network)
    assert not report.passed
    output = report.outputs[0]
    assert output.name == 'y' and not output.passed
    assert output.worst.index[1] == 2, 'the damaged column'
    assert abs(output.worst.found - output.worst.expected) > 0.1
    assert 'FAILED y' in str(report)


def test_a_small_error_passes_and_is_reported(
        tmp_path: Path, network: Path, weights: np.ndarray) -> None:
    other = write_network(tmp_path / 'close', weights * np.float32(1.0005))
    report = compare_bundles(other, network)
    y = report.outputs[0]
    assert y.passed
    assert y.max_relative == pytest.approx(5e-4, rel=1e-2)
    assert y.mean_relative == pytest.approx(5e-4, rel=1e-2)
    strict = compare_bundles(other, network, {'float32': Tolerance(1e-4, 1e-4, 0.9)})
    assert not strict.outputs[0].passed


def test_recorded_numbers_take_the_precision_of_the_graph(network: Path) -> None:
    with load_engine(network) as engine:
        report = compare(engine, engine, [{'x': np.ones((1, 8), np.float16)}])
        assert report.passed
        with pytest.raises(EngineError, match='graph takes'):
            compare(engine, engine, [{'x': np.ones((1, 8), np.int64)}])


def test_indices_must_be_equal(tmp_path: Path, network: Path, weights: np.ndarray) -> None:
    report = compare_bundles(write_network(tmp_path / 'other', weights[:, ::-1].copy()), network)
    assert not report.outputs[1].passed


def test_nan_where_a_number_is_expected(
        tmp_path: Path, network: Path, weights: np.ndarray) -> None:
    weights[0, 1] = np.nan
    report = compare_bundles(write_network(tmp_path / 'nan', weights), network)
    y = report.outputs[0]
    assert (y.passed, y.max_relative, y.worst.found) == (False, None, None)
    same = compare_bundles(tmp_path / 'nan', tmp_path / 'nan')
    assert same.outputs[0].passed, 'NaN is right where NaN is expected'


def test_nothing_to_compare_with(network: Path) -> None:
    manifest = replace(Manifest.read(network), recorded_inputs='', profiles=())
    with pytest.raises(EngineError, match='no inputs to compare.*export the bundle with recorded'):
        parity_inputs(network, manifest)
    with load_engine(network) as engine:
        assert not compare(engine, engine, []).passed


def test_other_outputs(bundle: Path, network: Path) -> None:
    with (load_engine(bundle) as engine, load_engine(network) as reference,
          pytest.raises(EngineError, match='build the engine again')):
        compare(engine, reference, read_recorded(network, reference.manifest))


def test_random_inputs_have_the_shapes_of_the_profiles(network: Path) -> None:
    manifest = Manifest.read(network)
    cases = random_inputs(manifest.inputs, manifest)
    assert [case['x'].shape for case in cases] == [(1, 8), (4, 8), (16, 8)]
    assert len({case['x'].std() for case in cases}) == 3
    indices = (TensorSpec('token', 'int64', (1,)),)
    assert random_inputs(indices, manifest) == [], 'a random index would be out of range'


@pytest.mark.parametrize('content', [b'', b'no archive', b'PK\x03\x04cut off'])
def test_recorded_inputs_that_are_no_archive(network: Path, content: bytes) -> None:
    (network / 'inputs.npz').write_bytes(content)
    with pytest.raises(EngineError, match='no archive of recorded inputs'):
        read_recorded(network, Manifest.read(network))


def test_recorded_inputs_are_never_unpickled(network: Path) -> None:
    np.savez(network / 'inputs.npz', **{'0.x': np.array([print], dtype=object)})
    with pytest.raises(EngineError, match='no archive of recorded inputs'):
        read_recorded(network, Manifest.read(network))
