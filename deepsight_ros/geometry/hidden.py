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
LORRY: Final = 2.0
"""Vehicles higher than this (m) are lorries or buses: their sides hang above the ground."""
GUARD: Final = 0.55
"""Height (m) above the ground that the guards at their sides reach down to (UN R73)."""
LORRY_LENGTH: Final = 12.0
"""Length (m) of the longest lorries in one piece (EU directive 96/53/EC)."""
_TREND: Final = 16
_FEWEST: Final = 8
"""Columns whose contacts show how a wall runs."""
_KINK: Final = 0.12
"""Step of a contact line, as a share of inverse depth, at which another wall begins."""
_QUARTER: Final = 25


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
    for start, stop, ends in _stretches(border > 0):
        nearer = [
            ray_x[start:stop] / ray_x[end] for end, _ in ends
            if abs(ray_x[end]) > height / 2 * border[end]]
        if nearer and len(nearer) == len(ends):
            result[start:stop] *= np.clip(np.min(nearer, axis=0), 1, NEARER)
    return result


def beyond_wall(
    wall: FloatImage, border: FloatImage, ray_x: FloatImage, row: float,
) -> FloatImage:
    """
    Inverse depth [W] of a wall where the lower border cuts it off, zero where nothing tells.

    ``wall`` [W] is its contact line, zero where unknown, ``border`` [W] the ground's inverse depth
    at the border where it is cut off, zero elsewhere; a row of the class map is ``row`` of it.
    The plane through the last contacts that are seen goes on, as far as they lie on one; if they
    agree with a wall along the optical axis, that is the better guess (``below_border``).
    """
    result = np.zeros_like(wall)
    for start, stop, ends in _stretches(border > 0):
        slopes = [_slope(wall, end, step, border[end], ray_x, row) for end, step in ends]
        planes = [
            border[end] + slope * (np.arange(start, stop) - end)
            for (end, _), slope in zip(ends, slopes, strict=True) if slope is not None]
        if planes and len(planes) == len(ends):
            near = border[start:stop]
            result[start:stop] = np.clip(np.min(planes, axis=0), near, NEARER * near)
    return result


def _slope(
    wall: FloatImage, end: int, step: int, border: float, ray_x: FloatImage, row: float,
) -> float | None:
    """Change of inverse depth per column of the plane that a wall shows beyond column ``end``."""
    columns = _seen_from(wall, end, step)[:len(wall) // _TREND]
    contact = wall[columns]
    kinks = np.abs(np.diff(contact)) > np.maximum(_KINK * contact[:-1], 2.5 * row)
    if kinks.any():
        columns = columns[:int(np.argmax(kinks)) + 1]
    if len(columns) < _FEWEST or abs(wall[columns[0]] / border - 1) > 2 * _KINK:
        return None
    contact, ray = wall[columns], ray_x[columns]
    along_axis = float(contact @ ray) / float(ray @ ray) * ray
    if float(np.square(contact - along_axis).mean()) < row**2:
        return None
    arm, rise = columns - columns.mean(), contact - contact.mean()
    slope = float(arm @ rise) / float(arm @ arm)
    is_plane = float(np.square(rise - slope * arm).mean()) < (3 * row)**2
    return slope if is_plane else None


def beside_lorry(
    line: FloatImage, border: FloatImage, top: FloatImage, ray_x: FloatImage, height: float,
) -> FloatImage:
    """
    Inverse depth [W] of the side of lorries that the lower border cuts off, zero elsewhere.

    ``line`` and ``border`` as in ``beyond_wall``, ``top`` [W] the ground's inverse depth behind
    the vehicle's top. Under a lorry one sees through: contact is seen too far to the side but at
    its tyres. So its side runs along the optical axis at the lower quartile of the distances to
    the side at which contact is seen, at most a ``GUARD`` nearer than at the border.
    """
    side = np.zeros_like(line)
    for start, stop, ends in _stretches(border > 0):
        if len(ends) != 1 or abs(ray_x[ends[0][0]]) <= height / 2 * border[ends[0][0]]:
            continue
        end, step = ends[0]
        near = border[start:stop]
        beside = near * np.clip(ray_x[start:stop] / ray_x[end], 1, NEARER)
        if float(np.median(height * (1 - top[start:stop] / beside))) < LORRY:
            continue
        columns = _seen_from(line, end, step)
        columns = columns[1 / line[columns] < 1 / border[end] + LORRY_LENGTH]
        at_border = ray_x[end] / border[end]
        off = ray_x[columns] / line[columns] / at_border
        its_own = off > 1 - GUARD / height
        columns, off = columns[its_own], off[its_own]
        if not len(columns):
            continue
        reach = float(abs(at_border)) * min(float(np.percentile(off, _QUARTER)), 1.0)
        side[columns] = np.abs(ray_x[columns]) / reach
        side[start:stop] = np.clip(np.abs(ray_x[start:stop]) / reach, near, NEARER * near)
    return side


def _stretches(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Stretches of columns: start, stop, and their ends in the picture with the step outwards."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask, [0]]))).tolist()
    return [
        (start, stop, [(start, -1)] * (start > 0) + [(stop - 1, 1)] * (stop < len(mask)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _seen_from(line: FloatImage, end: int, step: int) -> npt.NDArray[np.intp]:
    """Columns from the one beside ``end`` on in which a contact line is seen without a gap."""
    columns = np.arange(end + step, len(line) if step > 0 else -1, step)
    unseen = np.flatnonzero(line[columns] <= 0)
    return columns[:unseen[0]] if len(unseen) else columns


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
