"""Pictures of a painted road on a plane, cast ray by ray."""

import cv2
import numpy as np

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import SceneClass

CAMERA = Camera(800, 300, 460.0, 460.0, 395.0, 140.0)
_FINE = 2


def ground_coordinates(ground, camera, yaw):
    """Metres right of and ahead of the camera [H, W] on the ground; NaN above the horizon."""
    normal = np.array(ground.normal)
    forward = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    forward -= forward @ normal * normal
    forward /= np.linalg.norm(forward)
    slant = camera.rays @ normal.astype(np.float32)
    depth = ground.height / np.where(slant > 1e-3, slant, np.nan)
    right = np.cross(normal, forward)
    return tuple((camera.rays @ axis.astype(np.float32)) * depth for axis in (right, forward))


def paint_road(ground, camera=CAMERA, *, yaw=0.0, travelled=0.0, seed=0):
    """Picture [H, W, 3] and classes [H, W]: three lanes, pavements, grass and a white sky."""
    random = np.random.default_rng(seed)
    fine = camera.scaled(camera.width * _FINE, camera.height * _FINE)
    right, ahead = ground_coordinates(ground, fine, yaw)
    with np.errstate(invalid='ignore'):
        dashes = np.mod(ahead + travelled, 9.0) < 4.0
        grey = np.where(np.abs(right) < 5.4, 95.0, np.where(np.abs(right) < 7.5, 130.0, 75.0))
        for side in (-1.8, 1.8):
            grey[(np.abs(right - side) < 0.08) & dashes] = 220.0
        grey[np.abs(np.abs(right) - 5.2) < 0.08] = 210.0
        classes = np.where(np.abs(right) < 5.4, SceneClass.ROAD, np.where(
            np.abs(right) < 7.5, SceneClass.PAVEMENT, SceneClass.TERRAIN)).astype(np.uint8)
    sky = np.isnan(right)
    grey[sky], classes[sky] = 240.0, SceneClass.SKY
    grey = cv2.resize(grey, camera.size, interpolation=cv2.INTER_AREA)
    grey += random.normal(0.0, 4.0, grey.shape)
    picture = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return picture, classes[_FINE // 2::_FINE, _FINE // 2::_FINE]


def level_camera(pitch_degrees, roll_degrees=0.0, height=1.65):
    """Ground of a camera with angles in degrees."""
    return GroundPlane.from_height(height, np.radians(pitch_degrees), np.radians(roll_degrees))
