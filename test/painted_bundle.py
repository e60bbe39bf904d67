"""A real segmentation bundle that reads the classes off the picture: red = 32 * class."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto

from deepsight_ros.engines import Manifest
from deepsight_ros.engines import ShapeRange
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256


def write_painted_bundle(folder: Path, *, pixels: int, multiple: int) -> Path:
    """Write the bundle into the new ``folder``, for a network input of this size."""
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
        preprocessing={'pixels': pixels, 'multiple': multiple},
        profiles=({'image': ShapeRange((1, 8, 8, 3), (1, 64, 128, 3), (1, 256, 256, 3))},),
    ).write(folder)
    return folder
