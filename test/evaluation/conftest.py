"""A flat road under a level camera, and a real bundle that reads the classes off the picture."""

from pathlib import Path
import sys

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
import pytest

from deepsight_ros.engines import Manifest
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256

sys.path.insert(0, str(Path(__file__).resolve().parent))

from streets import CAMERA  # noqa: E402
from streets import make_street  # noqa: E402
from streets import Street  # noqa: E402


@pytest.fixture
def street() -> Street:
    """The level street."""
    return make_street()


@pytest.fixture(scope='session')
def painted_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segmentation whose classes are painted into the picture: red / 32."""
    folder = tmp_path_factory.mktemp('bundles') / 'painted'
    folder.mkdir()
    constants = [onnx.numpy_helper.from_array(np.array(value), name)
                 for name, value in (('red', np.int64(0)), ('step', np.int32(32)))]
    graph = helper.make_graph(
        [helper.make_node('Gather', ['image', 'red'], ['channel'], axis=3),
         # Older ONNX Runtimes divide no bytes.
         helper.make_node('Cast', ['channel'], ['number'], to=TensorProto.INT32),
         helper.make_node('Div', ['number', 'step'], ['quotient']),
         helper.make_node('Cast', ['quotient'], ['classes'], to=TensorProto.UINT8)], 'painted',
        [helper.make_tensor_value_info('image', TensorProto.UINT8, [1, 'h', 'w', 3])],
        [helper.make_tensor_value_info('classes', TensorProto.UINT8, [1, 'h', 'w'])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, folder / 'model.onnx')
    Manifest(
        name='painted', task='scene_segmentation', version='1', licence='Apache-2.0',
        variants=(Variant('model.onnx', 'uint8', ('onnxruntime',)),),
        inputs=(TensorSpec('image', 'uint8', (1, 'h', 'w', 3)),),
        outputs=(TensorSpec('classes', 'uint8', (1, 'h', 'w')),),
        files={'model.onnx': sha256(folder / 'model.onnx')},
        preprocessing={'pixels': CAMERA.width * CAMERA.height, 'multiple': 16},
    ).write(folder)
    return folder
