"""Upright things take the depth of the ground they touch."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.ground import MAX_RELATIVE_SIGMA
from deepsight_ros.geometry.hidden import below_border
from deepsight_ros.geometry.hidden import beside_lorry
from deepsight_ros.geometry.hidden import beyond_wall
from deepsight_ros.geometry.hidden import by_size
from deepsight_ros.geometry.hidden import extend
from deepsight_ros.geometry.hidden import USUAL_HEIGHT
from deepsight_ros.geometry.runs import Runs
from deepsight_ros.geometry.runs import SLIVER
from deepsight_ros.geometry.scene_classes import OUTSIDE
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.vehicles import CLEARANCE
from deepsight_ros.geometry.vehicles import shape_vehicles

Mask = npt.NDArray[np.bool_]

WHOLE: Final = (1.2, 2.0)
"""Height (m) of a vehicle that is seen whole: what shows above it stands behind it."""
_STEEPEST: Final = 0.1
_STACKED: Final = 3
"""How many things may hide each other's foot in one column."""


def standing_inverse_depth(
    classes: npt.NDArray[np.uint8], plane: FloatImage, camera: Camera, ground: GroundPlane,
) -> tuple[FloatImage, Mask, Mask]:
    """
    Inverse depth [H, W] of upright things, NaN where nothing tells; where contact was seen [H, W];
    and which pixels of vehicles show ground [H, W]: those below their contact or their bumper.

    ``plane`` [H, W] is the inverse depth of the ground behind each pixel of the class map
    ``classes`` [H, W], negative above the horizon; ``camera`` is the class map's.

    Each run of pixels takes the distance at which its component touches the ground in its column,
    and keeps it upwards as upright things do, however the camera is tilted; faces are fitted to
    vehicles, those that the lower border cuts off right ahead as if they stood there. Without
    visible contact, in this order: cut off by the lower border or above a whole car or person, its
    component is continued from beside (``extend``); what is cut off is at least as near as the
    ground at the border, and goes on as walls and lorries do (``beyond_wall``, ``beside_lorry``)
    or else along the way (``below_border``); a car or person is where its usual height puts it
    (``by_size``); else it is as far as what hides its foot.
    """
    runs = Runs.of(classes)
    ahead = _ahead(camera, ground)
    below = np.minimum(runs.bottom + 1, classes.shape[0] - 1)
    foot = (plane[runs.bottom, runs.column] + plane[below, runs.column]) / 2
    farthest = ground.smallest_slant(camera, MAX_RELATIVE_SIGMA) / np.float32(ground.height)
    seen = runs.on_ground & (foot > farthest[runs.column])
    contact = 2 * foot / (ahead[runs.bottom, runs.column] + ahead[below, runs.column])
    lines, cut = _lines(runs, contact, seen, classes.shape[1])
    border = np.zeros(classes.shape[1], np.float32)
    border[runs.column[runs.cut]] = contact[runs.cut]
    at_border = cut & (border > 0)
    _close(border, cut)
    beside = below_border(border, camera.ray_x, ground.height)
    in_the_way = at_border & (beside <= border)
    end_on = np.zeros(lines.shape, bool)
    stands = (seen | runs.cut) & (runs.scene_class == SceneClass.VEHICLE)
    vehicles = np.unique(runs.component[stands])
    if len(vehicles):
        lines[vehicles], end_on[vehicles] = shape_vehicles(
            np.where(in_the_way, border, lines)[vehicles], (cut & ~in_the_way)[vehicles], camera,
            ground.height)
    touching = ((lines > 0) & ~cut)[runs.component, runs.column]
    tops = plane[runs.top, runs.column] / ahead[runs.top, runs.column]
    sides = _sides(lines, np.where(cut, border, 0), runs, tops, camera, ground.height)
    _continue_hidden(lines, runs, tops, camera, ground.height)
    np.maximum(lines, np.where(cut & (sides <= 0), beside, sides), out=lines)
    value = _ordered(runs, lines[runs.component, runs.column], tops, ground.height, touching)
    inverse = value[runs.index] * ahead
    under = end_on[runs.component, runs.column][runs.index]
    under &= plane > inverse * np.float32(1 - CLEARANCE / ground.height)
    under |= plane > inverse
    np.copyto(inverse, plane, where=under)
    under &= classes == SceneClass.VEHICLE
    return inverse, touching[runs.index], under


def _ahead(camera: Camera, ground: GroundPlane) -> FloatImage:
    """
    Horizontal distance ahead [H, W] per metre of depth: what stays the same up an upright thing.

    It is 1 everywhere for a level camera; one that looks straight down has no ahead.
    """
    nx, ny, nz = ground.normal
    level = math.sqrt(max(1 - nz * nz, 0))
    if level < _STEEPEST:
        return np.ones((camera.height, camera.width), np.float32)
    by_row = np.float32(level) - np.float32(nz * ny / level) * camera.ray_y
    ahead: FloatImage = np.add.outer(by_row, np.float32(-nz * nx / level) * camera.ray_x)
    return np.maximum(ahead, np.float32(_STEEPEST), out=ahead)


def _lines(runs: Runs, contact: FloatImage, seen: Mask, width: int) -> tuple[FloatImage, Mask]:
    """Contact lines [components + 1, W], zero where none is seen, and where the border cuts."""
    shape = runs.components + 1, width
    lines, cut = np.zeros(shape, np.float32), np.zeros(shape, bool)
    # A column's runs come from top to bottom, so the lowest contact is written last.
    lines[runs.component[seen], runs.column[seen]] = contact[seen]
    cut[runs.component[runs.cut], runs.column[runs.cut]] = True
    # Ground that is seen above a part that the border cuts off, or for a moment between two such
    # parts, is seen through a hole, not at a foot. What the picture's side cuts off goes on.
    margin = math.ceil(SLIVER * width) | 1  # OpenCV shifts what it closes with an even kernel
    padded = cv2.copyMakeBorder(
        cut.view(np.uint8), 0, 0, margin, margin, cv2.BORDER_CONSTANT, value=1)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((1, margin), np.uint8))
    cut = closed[:, margin:margin + width].view(np.bool_)
    lines[cut] = 0
    return lines, cut


def _close(border: FloatImage, cut: Mask) -> None:
    """Interpolate the inverse depth [W] at the border where ground is seen through a hole."""
    known = np.flatnonzero(border)
    holes = np.flatnonzero(cut.any(axis=0) & (border <= 0))
    if len(known):
        border[holes] = np.interp(holes, known, border[known])


def _sides(
    lines: FloatImage, border: FloatImage, runs: Runs, tops: FloatImage, camera: Camera,
    height: float,
) -> FloatImage:
    """Inverse depth [components + 1, W] of walls and lorries that the border cuts off, or zero."""
    sides = np.zeros_like(lines)
    row = 1 / (camera.fy * height)
    for component in np.unique(runs.component[runs.cut]):
        members = np.flatnonzero(runs.component == component)
        kind = runs.scene_class[members[-1]]
        if kind == SceneClass.STRUCTURE:
            sides[component] = beyond_wall(
                lines[component], border[component], camera.ray_x, row)
        elif kind == SceneClass.VEHICLE:
            top = np.full(lines.shape[1], np.inf, np.float32)
            np.minimum.at(top, runs.column[members], tops[members])
            sides[component] = beside_lorry(
                lines[component], border[component], top, camera.ray_x, height)
    return sides


def _continue_hidden(
    lines: FloatImage, runs: Runs, tops: FloatImage, camera: Camera, height: float,
) -> None:
    """Write what ``extend`` and ``by_size`` tell to ``lines`` where no contact was seen."""
    absent = np.zeros(lines.shape, bool)
    absent[runs.component, runs.column] = True
    absent[0] = False
    absent &= lines <= 0
    stands = (lines > 0).any(axis=1)
    for component in np.flatnonzero(absent.any(axis=1) & stands):
        extend(lines[component], np.flatnonzero(absent[component]), camera.ray_x)
    sized = np.zeros(len(lines), bool)
    sized[runs.component[np.isin(runs.scene_class, list(USUAL_HEIGHT))]] = True
    for component in np.flatnonzero(absent.any(axis=1) & ~stands & sized):
        members = np.flatnonzero(runs.component == component)
        highest = members[np.argmin(runs.top[members])]
        if runs.top[highest] > 0 and runs.scene_class[highest - 1] != OUTSIDE:
            size = by_size(int(runs.scene_class[highest]), float(tops[highest]), height)
            lines[component, absent[component]] = size


def _ordered(
    runs: Runs, value: FloatImage, tops: FloatImage, height: float, touching: Mask,
) -> FloatImage:
    """Inverse depth [N] of runs, none nearer than what hides its foot; NaN where unknown."""
    value = np.where(value > 0, value, np.float32(np.nan))
    top = height * (1 - tops / value)
    whole = (runs.scene_class == SceneClass.VEHICLE) & (top > WHOLE[0]) & (top < WHOLE[1])
    whole |= runs.scene_class == SceneClass.PERSON
    over_whole = np.append(whole[1:], False)
    hidden = runs.behind & ~touching
    stands = np.zeros(runs.components + 1, bool)
    stands[runs.component[touching]] = True
    value[hidden & stands[runs.component] & ~over_whole] = np.nan
    for _ in range(_STACKED):
        occluder = np.append(value[1:], np.float32(np.nan))
        value = np.where(hidden, np.fmin(value, occluder), value)
    return value
