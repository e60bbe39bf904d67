"""A flat road under a level camera; the classes are painted into the picture."""

from dataclasses import dataclass

import numpy as np

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
    """Road with two lane markings to 40 m; what is above it is sky."""
    ground = GroundPlane.from_height(HEIGHT, pitch)
    depth = ground.depth(CAMERA)
    is_road = np.isfinite(depth) & (depth < 40)
    depth[~is_road] = np.nan
    classes = np.where(is_road, SceneClass.ROAD, SceneClass.SKY)
    image = np.zeros((*depth.shape, 3), np.uint8)
    image[..., 0] = 32 * classes + 16
    lateral = np.abs(CAMERA.ray_x * depth)
    is_marking = np.abs(lateral - 1.8) < np.maximum(0.08, depth / 200)
    image[is_marking, 1:] = 60
    return Street(image, depth, CAMERA, ground)
