"""Lines of a picture that may lie on the ground along the road, and how likely they do."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.line_segments import find_line_segments
from deepsight_ros.geometry.line_segments import LineSegments
from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup
from deepsight_ros.geometry.vanishing_point import Lines

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.uint8]

_ON_GROUND: Final[Floats] = np.zeros(256)
"""
Probability that an edge of a class lies on the ground and runs along the road. Walls have level
edges, which on a slope meet at another horizon, but their feet border on ground and count as it.
"""
_ON_GROUND[[SceneClass.ROAD, SceneClass.PAVEMENT]] = 0.3
_ON_GROUND[SceneClass.TERRAIN] = 0.2
_ON_GROUND[SceneClass.VEHICLE] = 0.1
_ON_GROUND_UNKNOWN: Final = 0.15
_POSSIBLE: Final = np.where(_ON_GROUND > 0, np.uint8(255), np.uint8(0))
_IS_GROUND: Final = GROUP_OF_CLASS <= SceneGroup.OTHER_GROUND
_MIN_SLOPE: Final = 0.2
"""Edges flatter than this lie more than 5 camera heights aside, or across the road."""
_SIDE: Final = 6.0
"""Pixels to either side of an edge where its classes are read."""
_EDGE_SIGMA: Final = 0.6
"""Scatter (px) of edge pixels about a straight edge: quantisation 0.3, neighbours alike."""
_BEND: Final = 0.15
"""Bend (px) of a straight edge by lens, sampling and wear."""
_FAR: Final = 5.0
"""Distance in camera heights up to which ground must be seen ..."""
_MIN_FAR_SHARE: Final = 0.05
"""... and its share of the picture from there to the horizon."""


def ground_reaches_far(ground: GroundPlane, camera: Camera, classes: Classes | None) -> bool:
    """
    Tell whether the horizon is in the picture and, if ``classes`` say so, ground goes towards it.

    The floor of a room ends at its walls, and then nothing near the horizon lies on the ground.
    """
    horizon = camera.cy - camera.fy * math.tan(ground.pitch)
    if not 0 <= horizon < camera.height:
        return False
    if classes is None:
        return True
    far = camera.cy + camera.fy * math.tan(math.atan(1 / _FAR) - ground.pitch)
    scale = classes.shape[0] / camera.height
    band = classes[int(horizon * scale):math.ceil(far * scale)]
    return band.size > 0 and float(np.mean(_IS_GROUND[band])) >= _MIN_FAR_SHARE


def find_ground_lines(
    grey: npt.NDArray[np.uint8], top: int, camera: Camera, classes: Classes | None, roll: float,
) -> Lines:
    """
    Find the lines in ``grey`` [H - top, W], the picture of ``camera`` from row ``top`` downwards.

    ``classes`` are the ``SceneClass`` ids of the whole picture at any resolution. The lines are
    those that a camera without ``roll`` (rad) would see.
    """
    mask = None
    if classes is not None:
        possible = cv2.dilate(_POSSIBLE[classes], np.ones((3, 3), np.uint8))
        whole = cv2.resize(possible, camera.size, interpolation=cv2.INTER_NEAREST)
        mask = whole[top:].astype(np.uint8, copy=False)
    segments = find_line_segments(grey, mask, min_slope=_MIN_SLOPE)
    segments = LineSegments(segments.middle + (0.0, top), segments.direction, segments.length)
    on_ground = _on_ground(segments, camera, classes)
    focal = np.array([camera.fx, camera.fy])
    turn = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    direction = segments.direction / focal @ turn
    lines = Lines(
        middle=(segments.middle - (camera.cx, camera.cy)) / focal @ turn,
        direction=direction / np.linalg.norm(direction, axis=1, keepdims=True),
        direction_sigma=np.hypot(_EDGE_SIGMA * math.sqrt(12) * segments.length**-1.5,
                                 _BEND / segments.length),
        on_ground=on_ground)
    return lines.take(np.flatnonzero(on_ground))


def _on_ground(segments: LineSegments, camera: Camera, classes: Classes | None) -> Floats:
    """Probability [N] of each segment by the likeliest class on it or beside it."""
    if classes is None:
        return np.full(len(segments), _ON_GROUND_UNKNOWN)
    normal = np.stack([-segments.direction[:, 1], segments.direction[:, 0]], axis=1)
    places = np.stack([segments.middle + side * normal for side in (-_SIDE, 0.0, _SIDE)])
    rows, columns = classes.shape
    cells = (places + 0.5) * (columns / camera.width, rows / camera.height)
    column = np.clip(cells[..., 0].astype(np.int64), 0, columns - 1)
    row = np.clip(cells[..., 1].astype(np.int64), 0, rows - 1)
    probability: Floats = _ON_GROUND[classes[row, column]].max(axis=0)
    return probability
