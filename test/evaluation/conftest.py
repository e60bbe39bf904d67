"""A flat road under a level camera, and a real bundle that reads the classes off the picture."""

from dataclasses import dataclass
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
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import SceneClass

CAMERA = Camera(192, 64, 100.0, 100.0, 95.5, 15.5)
HEIGHT = 1.65


@dataclass(frozen=True, eq=False)
class Street:
    """Picture [H, W, 3] RGB, true depth [H, W] in metres (NaN for sky), camera and ground."""

    image: np.ndarray
    depth: np.ndarray
    camera: Camera
    ground: GroundPlane

    def points(self) -> np.ndarray:
        """Every true point [N, 3] in the optical frame, in metres."""
        points = self.camera.rays * self.depth[..., None]
        return points[np.isfinite(points).all(axis=-1)]


def make_street(pitch: float = 0.0) -> Street:
    """Road to 40 m; what is above it is sky."""
    ground = GroundPlane.from_height(HEIGHT, pitch)
    depth = ground.depth(CAMERA)
    is_road = np.isfinite(depth) & (depth < 40)
    depth[~is_road] = np.nan
    classes = np.where(is_road, SceneClass.ROAD, SceneClass.SKY)
    image = np.zeros((*depth.shape, 3), np.uint8)
    image[..., 0] = 32 * classes + 16
    return Street(image, depth, CAMERA, ground)


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
                 for name, value in (('red', np.int64(0)), ('step', np.uint8(32)))]
    graph = helper.make_graph(
        [helper.make_node('Gather', ['image', 'red'], ['channel'], axis=3),
         helper.make_node('Div', ['channel', 'step'], ['classes'])], 'painted',
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
