"""A bundle small enough to build in each test."""

import os
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
import pytest

from deepsight_ros.engines import Manifest
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel answer each write to a new temporary file with 'no space left'."""
    def on_full_device(dir: Path, prefix: str, suffix: str) -> tuple[int, str]:
        path = Path(dir) / f'{prefix}full{suffix}'
        path.symlink_to('/dev/full')
        return os.open(path, os.O_RDWR), str(path)

    monkeypatch.setattr('tempfile.mkstemp', on_full_device)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Bundle whose graph doubles x: float32 [n, 3] -> y."""
    folder = tmp_path / 'doubling'
    folder.mkdir()
    two = onnx.numpy_helper.from_array(np.float32(2), 'two')
    graph = helper.make_graph(
        [helper.make_node('Mul', ['x', 'two'], ['y'])], 'doubling',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['n', 3])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['n', 3])], [two])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, folder / 'model.onnx')
    Manifest(
        name='doubling', task='test', version='1', licence='Apache-2.0',
        variants=(Variant('model.onnx', 'fp32', ('onnxruntime',)),),
        inputs=(TensorSpec('x', 'float32', ('n', 3)),),
        outputs=(TensorSpec('y', 'float32', ('n', 3)),),
        files={'model.onnx': sha256(folder / 'model.onnx')},
    ).write(folder)
    return folder
