"""State between calls: resident tensors, outputs written into them, several contexts."""

from pathlib import Path
import threading

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
import pytest

from deepsight_ros.engines import Engine
from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256

CAPACITY = 5


@pytest.fixture
def decoder(tmp_path: Path):
    """Engine whose output new [2, s, 3] is x, and whose sum adds up all of kv [2, 5, 3]."""
    folder = tmp_path / 'decoder'
    folder.mkdir()
    shapes = {'kv': [2, CAPACITY, 3], 'x': [2, 's', 3], 'new': [2, 's', 3], 'sum': []}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
             for name, shape in shapes.items()}
    graph = helper.make_graph(
        [helper.make_node('Identity', ['x'], ['new']),
         helper.make_node('ReduceSum', ['kv'], ['sum'], keepdims=0)], 'decoder',
        [infos['kv'], infos['x']], [infos['new'], infos['sum']])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, folder / 'model.onnx')
    specs = [TensorSpec(name, 'float32', tuple(shape), f'meaning of {name}', 'm')
             for name, shape in shapes.items()]
    Manifest(
        name='decoder', task='test', version='1', licence='Apache-2.0',
        variants=(Variant('model.onnx', 'fp32', ('onnxruntime',)),),
        inputs=tuple(specs[:2]), outputs=tuple(specs[2:]),
        files={'model.onnx': sha256(folder / 'model.onnx')},
    ).write(folder)
    with load_engine(folder) as engine:
        yield engine


def token(value: float, length: int = 1) -> np.ndarray:
    return np.full((2, length, 3), value, np.float32)


def test_an_output_is_written_into_a_resident_input(decoder: Engine) -> None:
    kv = decoder.allocate('kv')
    sums = []
    for step, value in enumerate((1, 10, 100)):
        results = decoder({'kv': kv, 'x': token(value)}, into={'new': kv.slice(1, step)})
        assert results.keys() == {'sum'}, 'what went into the tensor is not returned as well'
        sums.append(float(results['sum']))
    assert sums == [0, 6, 66], 'each call sees what the earlier ones wrote'
    np.testing.assert_array_equal(kv.numpy()[:, :, 0], [[1, 10, 100, 0, 0]] * 2)


def test_several_positions_at_once(decoder: Engine) -> None:
    kv = decoder.allocate('kv')
    decoder({'kv': kv, 'x': token(3, 4)}, into={'new': kv.slice(1, 1)})
    np.testing.assert_array_equal(kv.numpy()[0, :, 0], [0, 3, 3, 3, 3])


def test_a_whole_output_stays_on_the_device(decoder: Engine) -> None:
    target = decoder.allocate('new', (2, 2, 3))
    decoder({'kv': decoder.allocate('kv'), 'x': token(7, 2)}, into={'new': target})
    np.testing.assert_array_equal(target.numpy(), token(7, 2))


def test_content_is_written_and_copied(decoder: Engine) -> None:
    kv = decoder.allocate('kv')
    copy = kv.numpy()
    kv.write(token(1, CAPACITY))
    assert copy.sum() == 0
    assert float(decoder({'kv': kv, 'x': token(0)})['sum']) == 30
    with pytest.raises(EngineError, match='cannot be written into a tensor'):
        kv.write(token(1, CAPACITY).astype(np.float64))
    with pytest.raises(EngineError, match='cannot be written into a tensor'):
        kv.write(token(1))


@pytest.mark.parametrize('place', [
    lambda kv: kv.slice(1, CAPACITY), lambda kv: kv.slice(1, -1), lambda kv: kv.slice(0, 0),
    lambda kv: kv.slice(3, 0), lambda kv: kv])
def test_an_output_that_does_not_fit_changes_nothing(decoder: Engine, place) -> None:
    kv = decoder.allocate('kv')
    with pytest.raises(EngineError, match="output 'new'.*does not fit into"):
        decoder({'kv': kv, 'x': token(1)}, into={'new': place(kv)})
    assert kv.numpy().sum() == 0


def test_into_names_an_output(decoder: Engine) -> None:
    kv = decoder.allocate('kv')
    with pytest.raises(EngineError, match=r"into names \['kv_new'\], the graph gives"):
        decoder({'kv': kv, 'x': token(1)}, into={'kv_new': kv.slice(1, 0)})


def test_allocate_checks_name_and_shape(decoder: Engine) -> None:
    with pytest.raises(EngineError, match="no tensor is called 'z'"):
        decoder.allocate('z')
    with pytest.raises(EngineError, match='give allocate a shape'):
        decoder.allocate('x')
    with pytest.raises(EngineError, match='give allocate a shape'):
        decoder.allocate('kv', (2, CAPACITY + 1, 3))


def test_specs_are_told_by_graph_and_manifest(decoder: Engine) -> None:
    assert decoder.inputs[1] == TensorSpec('x', 'float32', (2, 's', 3), 'meaning of x', 'm')
    assert decoder.outputs[1].shape == ()


def test_contexts_share_tensors_and_nothing_else(decoder: Engine) -> None:
    kv = decoder.allocate('kv')
    with decoder.new_context() as other:
        assert float(other({'kv': kv, 'x': token(1)}, into={'new': kv.slice(1, 0)})['sum']) == 0
        theirs = other.allocate('kv')
        theirs.write(token(1, CAPACITY))
    assert float(decoder({'kv': kv, 'x': token(1)})['sum']) == 6, 'written by the other context'
    with pytest.raises(EngineError, match='closed'):
        theirs.numpy()
    with pytest.raises(EngineError, match='closed'):
        other({'kv': kv, 'x': token(1)})


def test_a_context_outlives_the_engine_it_came_from(decoder: Engine) -> None:
    with decoder.new_context() as other:
        decoder.close()
        assert float(other({'kv': token(1, CAPACITY), 'x': token(1)})['sum']) == 30
    with pytest.raises(EngineError, match='closed'):
        decoder.new_context()


def test_contexts_run_at_the_same_time(decoder: Engine) -> None:
    wrong = []

    def run(value: int) -> None:
        with decoder.new_context() as context:
            for _ in range(200):
                results = context({'kv': token(value, CAPACITY), 'x': token(value)})
                if float(results['sum']) != 30 * value or (results['new'] != value).any():
                    wrong.append(value)

    threads = [threading.Thread(target=run, args=(value,)) for value in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_returned_arrays_are_the_callers(decoder: Engine) -> None:
    kv = token(0, CAPACITY)
    kept = [decoder({'kv': kv, 'x': token(value)})['new'] for value in range(20)]
    assert [array[0, 0, 0] for array in kept] == list(range(20))
    decoder.close()
    assert kept[7][1, 0, 2] == 7


def test_views_that_are_not_contiguous(decoder: Engine) -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3)[:, ::2]
    results = decoder({'kv': token(0, CAPACITY), 'x': x})
    np.testing.assert_array_equal(results['new'], x)


def test_tensors_of_another_backend(decoder: Engine) -> None:
    from deepsight_ros.engines import Tensor

    class Foreign(Tensor):
        def numpy(self) -> np.ndarray:
            return np.zeros(self.shape, self.dtype)

        def write(self, array: np.ndarray) -> None:
            self.check_content(array)

    with pytest.raises(EngineError, match='of another backend'):
        decoder({'kv': Foreign('float32', (2, CAPACITY, 3)), 'x': token(1)})
