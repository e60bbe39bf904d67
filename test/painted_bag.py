"""A bag like the sample bags, but short, and with the classes painted into its pictures."""

from pathlib import Path

import cv2
import numpy as np

from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import SceneClass

CAMERA = Camera(128, 64, 100.0, 100.0, 63.5, 31.5)
HEIGHT = 1.5
FRAMES = 12
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000
LEVEL = np.array([[0.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, HEIGHT],
                  [0.0, 0.0, 0.0, 1.0]])
"""From the optical frame of a level camera to the ground."""


class _Writer(BagWriter):
    def compressed_image(self, topic, stamp_ns, frame, picture):
        """Write an RGB picture as PNG, which keeps the painted classes."""
        encoded = cv2.imencode('.png', picture[..., ::-1])[1]
        self._write(topic, COMPRESSED_IMAGE, stamp_ns, {
            'header': self._header(stamp_ns, frame), 'format': 'rgb8; png compressed bgr8',
            'data': encoded.reshape(-1)})


def painted_classes() -> np.ndarray:
    """Sky, road below, a pavement at the left, and a wall that stands on the road."""
    classes = np.full((CAMERA.height, CAMERA.width), SceneClass.SKY, np.uint8)
    classes[34:] = SceneClass.ROAD
    classes[34:, :20] = SceneClass.PAVEMENT
    classes[16:48, 96:120] = SceneClass.STRUCTURE
    return classes


def true_depth() -> np.ndarray:
    """Depth in metres of ground and wall, NaN for the sky."""
    classes = painted_classes()
    rows = np.arange(CAMERA.height)[:, None]
    below = np.maximum(rows - CAMERA.cy, 0.1)
    depth = np.broadcast_to(HEIGHT * CAMERA.fy / below, classes.shape).astype(np.float32).copy()
    depth[classes == SceneClass.STRUCTURE] = HEIGHT * CAMERA.fy / (47.5 - CAMERA.cy)
    depth[classes == SceneClass.SKY] = np.nan
    return depth


def write_painted_bag(path: Path, *, compressed: bool) -> None:
    """Write pictures as Image or CompressedImage, their true depth, camera_info and TF."""
    picture = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
    picture[..., 0] = painted_classes() * 32 + 16
    with _Writer(path) as bag:
        bag.transform(START_NS, 'base_link', 'camera', LEVEL, static=True)
        for index in range(FRAMES):
            stamp = START_NS + index * PERIOD_NS
            bag.transform(stamp, 'base_footprint', 'base_link', np.eye(4))
            bag.camera_info('/camera/camera_info', stamp, 'camera', CAMERA)
            if compressed:
                bag.compressed_image('/camera/image/compressed', stamp, 'camera', picture)
            else:
                bag.image('/camera/image', stamp, 'camera', picture)
            bag.camera_info('/depth/camera_info', stamp, 'camera', CAMERA)
            bag.image('/depth/image', stamp, 'camera', true_depth())
