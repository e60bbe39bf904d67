"""Embodied scene depth as the paper can be written down: everything at full size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import GROUP_OF_CLASS
from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry import SceneGroup

_UPRIGHT = [scene_class for scene_class in SceneClass
            if GROUP_OF_CLASS[scene_class] == SceneGroup.VERTICAL]
_RADIUS = 3

Floats = npt.NDArray[np.floating]


def plain_embodied_depth(
    classes: npt.NDArray[np.uint8], camera: Camera, ground: GroundPlane, max_range: float,
) -> Floats:
    """
    Depth [H, W] in metres of the picture whose ``SceneClass`` ids are ``classes`` [h, w].

    Per pixel z = h / (n . K^-1 (u, v, 1)) on the ground; per component and column the depth of
    the ground below on what is upright; ``cv2.inpaint`` (Telea) for the rest; +Inf for the sky.
    """
    classes = np.asarray(
        cv2.resize(classes, camera.size, interpolation=cv2.INTER_NEAREST), np.uint8)
    plane = _plane_depth(camera, ground)
    group = GROUP_OF_CLASS[classes]
    flat = (group == SceneGroup.ROAD) | (group == SceneGroup.OTHER_GROUND)
    depth = np.where(flat, plane, np.nan)
    for scene_class in _UPRIGHT:
        _add_upright(depth, classes == scene_class, np.where(flat, plane, np.nan))
    sky = group == SceneGroup.SKY
    holes = np.isnan(depth) & ~sky
    known = np.nan_to_num(depth).astype(np.float32)
    filled: Any = cv2.inpaint(known, holes.astype(np.uint8), _RADIUS, cv2.INPAINT_TELEA)
    filled[sky | (filled > max_range)] = np.inf
    result: Floats = filled
    return result


def _plane_depth(camera: Camera, ground: GroundPlane) -> Floats:
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1)
    slant = pixels @ np.linalg.inv(camera.matrix).T @ np.array(ground.normal)
    with np.errstate(divide='ignore'):
        return np.where(slant > 0, ground.height / slant, np.nan)


def _add_upright(depth: Floats, mask: npt.NDArray[np.bool_], contact: Floats) -> None:
    count, components, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    for component in range(1, count):
        x, y, width, height = (int(value) for value in boxes[component, :4])
        inside = components[y:y + height, x:x + width] == component
        bottom = y + height - 1 - np.argmax(inside[::-1], axis=0)
        below = np.minimum(bottom + 1, len(depth) - 1)
        touched = contact[below, np.arange(x, x + width)]
        depth[y:y + height, x:x + width][inside] = np.broadcast_to(touched, inside.shape)[inside]
