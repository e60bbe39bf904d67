"""Fallbacks for things whose contact with the ground is not in the picture."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.scene_classes import SceneClass

REACH: Final = 5.0
"""How far (m) a surface is continued behind what hides its foot: the length of a car."""
NEARER: Final = 3.0
"""Largest ratio of depths by which a surface is continued towards the camera."""
USUAL_HEIGHT: Final = {SceneClass.VEHICLE: 1.5, SceneClass.PERSON: 1.7}
"""Height (m) of cars and of adults, hats and hair aside; 0.1 m is their standard deviation."""
LEAST_LEVER: Final = 0.5
"""A top tells depth if it is at least this much (m) above or below the camera."""
_TREND: Final = 16


def extend(face: FloatImage, hidden: npt.NDArray[np.intp], ray_x: FloatImage) -> None:
    """
    Continue the inverse depth [W] of a surface, zero where unknown, to ``hidden`` columns [M].

    Works in place and needs a known column. Between two known columns it is interpolated. Beyond
    the last one the surface goes on along the optical axis, at the same distance to the side, if
    it did so before, else across the axis, at the same depth; it ends after ``REACH``.
    """
    known = np.flatnonzero(face > 0)
    value = np.interp(hidden, known, face[known])
    for end, step in ((known[0], -1), (known[-1], 1)):
        before = known[np.abs(known - end) <= len(face) // _TREND][-1 if step < 0 else 0]
        side = ray_x / (ray_x[end] or np.float32(1e-6))
        nearer = face[before] / face[end]
        if abs(math.log(max(side[before], 1e-6) / nearer)) < abs(math.log(nearer)):
            outside = (hidden - end) * step > 0
            value[outside] *= np.clip(side[hidden[outside]], 1 / NEARER, NEARER)
    after = np.searchsorted(known, hidden)
    right, left = known[after.clip(0, len(known) - 1)], known[(after - 1).clip(0)]
    beside = np.minimum(np.abs(ray_x[hidden] - ray_x[left]), np.abs(ray_x[hidden] - ray_x[right]))
    within = beside <= REACH * value
    face[hidden[within]] = value[within]


def below_border(border: FloatImage, ray_x: FloatImage, height: float) -> FloatImage:
    """
    Inverse depth [W] of what the picture's lower border cuts off, zero where it cuts nothing.

    ``border`` [W] is the ground's inverse depth at the border where something stands on it: that
    is at least as near. Where its contact line leaves the picture it is as far as the border;
    from there it goes on along the optical axis, at the same distance to the side, as walls,
    shelves and vehicles beside the way do. ``height`` (m) is the camera's above the ground: what
    is less than half of that to the side stands in the way, not beside it, and is not continued.
    """
    result = border.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], border > 0, [0]]))).tolist()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        ends = [start] * (start > 0) + [stop - 1] * (stop < len(border))
        nearer = [
            ray_x[start:stop] / ray_x[end] for end in ends
            if abs(ray_x[end]) > height / 2 * border[end]]
        if nearer and len(nearer) == len(ends):
            result[start:stop] *= np.clip(np.min(nearer, axis=0), 1, NEARER)
    return result


def by_size(scene_class: int, top: float, height: float) -> float:
    """
    Inverse depth of a car or person whose foot is hidden, from its usual height; 0 if unknown.

    ``top`` is the ground's inverse depth, negative above the horizon, where its top is seen;
    ``height`` (m) is the camera's above the ground.
    """
    lever = height - USUAL_HEIGHT[SceneClass(scene_class)]
    if abs(lever) < LEAST_LEVER or top * lever <= 0:
        return 0.0
    return top * height / lever
