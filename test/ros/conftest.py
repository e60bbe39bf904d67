"""Real DDS on the loopback: a domain of our own, a small real bundle, and a peer of the node."""

from collections.abc import Iterator
import os
from pathlib import Path
import random
import socket
import sys

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
import pytest
import rclpy

from deepsight_ros.engines import Manifest
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines import Variant
from deepsight_ros.engines.manifest import sha256

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from ros_peer import Peer  # noqa: E402

FIRST_PORT = 47100


def pytest_configure() -> None:
    """Make the processes of this run see each other and nobody else."""
    profile = str(ROOT / 'config' / 'fastdds_shm.xml')
    os.environ.update(
        ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST',
        FASTRTPS_DEFAULT_PROFILES_FILE=profile, FASTDDS_DEFAULT_PROFILES_FILE=profile)


@pytest.fixture(scope='session', autouse=True)
def domain() -> Iterator[int]:
    """Domain that no other run of these tests on this machine uses: a bound port is the lock."""
    lock = socket.socket()
    for number in random.sample(range(1, 101), 100):
        try:
            lock.bind(('127.0.0.1', FIRST_PORT + number))
        except OSError:
            continue
        os.environ['ROS_DOMAIN_ID'] = str(number)
        break
    else:
        pytest.fail('all ROS domains are in use by other test runs')
    yield number
    lock.close()


@pytest.fixture(scope='session')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segmentation whose classes are painted into the picture: red = 32 * class."""
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
        preprocessing={'pixels': 128 * 64, 'multiple': 8},
    ).write(folder)
    return folder


@pytest.fixture
def peer(bundle: Path) -> Iterator[Peer]:
    """Camera and listener in this process; ``peer.start_node`` adds the node under test."""
    rclpy.init()
    peer = Peer(bundle)
    yield peer
    peer.close()
    rclpy.shutdown()
