"""Where an answer comes from in a depth map, and whether the map agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
import math
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.answers import Answer
from deepsight_ros.language.places import Place

RELATIVE: Final = 0.1
ABSOLUTE: Final = 0.05
"""A distance agrees with the map within a tenth or 5 cm."""
PLACE_SHARE: Final = 1 / 96
"""A place is as large as this share of the picture: the step of the location tokens."""


@dataclass(frozen=True, eq=False)
class DepthFrame:
    """Depth image [H, W] (m), its camera, the ground where it is known, and the robot."""

    depth: npt.NDArray[Any]
    camera: Camera
    ground: GroundPlane | None = None
    robot: Robot = Robot()

    @cached_property
    def points(self) -> FloatImage:
        """Points [H, W, 3] (m, optical frame), NaN where nothing was measured."""
        return organised_points(self.depth, self.camera)


@dataclass(frozen=True)
class Evidence:
    """
    Pixels (column, row) with their depth (m), and what the depth map says of the answer.

    ``point`` (m, the camera's optical frame), ``distance`` (m, straight from the camera) and
    ``bearing`` (rad, left of the optical axis is positive) are those of the first pixel.
    ``agrees`` is None where the answer names nothing that the map could tell.
    """

    pixels: tuple[tuple[int, int], ...] = ()
    depths: tuple[float, ...] = ()
    point: tuple[float, float, float] | None = None
    distance: float | None = None
    bearing: float | None = None
    agrees: bool | None = None


def find_evidence(frame: DepthFrame, answer: Answer, asked: Sequence[Place]) -> Evidence:
    """
    Look at the places that an answer, or else its question, points at.

    A distance is compared with what can be measured there: ahead along the ground where the
    answer says so; between the two places of a question; else straight from the camera, or the
    height above the ground. A choice of letters is compared with the places' distances.
    """
    places = list(answer.places or asked)
    found = [_nearest(frame, place, answer) for place in places]
    seen = [item for item in found if item is not None]
    if not seen:
        return Evidence()
    depths = tuple(float(frame.points[row, column, 2]) for column, row in seen)
    first = frame.points[seen[0][1], seen[0][0]].astype(np.float64)
    x, y, z = (first - np.array(frame.camera.offset)).tolist()
    agrees = _agrees(frame, answer, seen) if len(seen) == len(places) else None
    return Evidence(tuple(seen), depths, (x, y, z), float(np.linalg.norm(first)),
                    math.atan2(-first[0], first[2]), agrees)


def _nearest(frame: DepthFrame, place: Place, answer: Answer) -> tuple[int, int] | None:
    """
    Pixel of a place that fits the answer best, None where nothing was measured.

    A location token is coarser than a pixel: around it, what the answer says may be meant.
    """
    height, width = frame.depth.shape
    column, row = place.pixel(width, height)
    across, down = (max(1, math.ceil(size * PLACE_SHARE)) for size in (width, height))
    left, top = max(0, column - across), max(0, row - down)
    window = frame.points[top:row + down + 1, left:column + across + 1]
    if answer.places and answer.distance is not None:
        cost = np.abs(_distances(frame, window, answer.ahead) - answer.distance)
    else:
        rows, columns = np.indices(window.shape[:2])
        cost = np.hypot(rows + top - row, columns + left - column)
        cost = np.where(np.isfinite(window[..., 2]), cost, np.nan)
    if not np.isfinite(cost).any():
        return None
    down, across = np.unravel_index(int(np.nanargmin(cost)), cost.shape)
    return int(left + across), int(top + down)


def _distances(frame: DepthFrame, points: FloatImage, ahead: bool) -> npt.NDArray[Any]:
    """Distance [...] of points [..., 3]: along the ground or straight."""
    if ahead and frame.ground is not None:
        along: npt.NDArray[Any] = above_ground(points, frame.ground)[..., 0]
        return along
    straight: npt.NDArray[Any] = np.linalg.norm(points, axis=-1)
    return straight


def _agrees(frame: DepthFrame, answer: Answer, pixels: Sequence[tuple[int, int]]) -> bool | None:
    points = np.array([frame.points[row, column] for column, row in pixels])
    if answer.kind == 'choice':
        order = np.argsort(np.linalg.norm(points, axis=1), kind='stable')
        letters = ''.join('ABCD'[i] for i in order[:4])
        return letters.startswith(str(answer.value)) if len(points) > 1 else None
    if answer.distance is None:
        return None
    if answer.places or answer.ahead:
        measured = [float(_distances(frame, points[0], answer.ahead))]
    elif len(points) == 2:
        measured = [float(np.linalg.norm(points[0] - points[1]))]
    elif len(points) == 1:
        measured = [float(np.linalg.norm(points[0]))]
        if frame.ground is not None:
            measured.append(float(above_ground(points[0], frame.ground)[2]))
    else:
        return None
    tolerance = max(ABSOLUTE, RELATIVE * answer.distance)
    return any(abs(value - answer.distance) <= tolerance for value in measured)
