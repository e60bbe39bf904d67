"""Where an answer comes from in a depth map, and whether the map agrees."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
import math
import re
from typing import Any
from typing import Final
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import bearings
from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.geometry.points import free_ways
from deepsight_ros.geometry.points import nearest_pixel
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.geometry.points import Robot
from deepsight_ros.geometry.points import way_is_seen
from deepsight_ros.language.answers import Answer
from deepsight_ros.language.lengths import lengths_in
from deepsight_ros.language.places import find_places
from deepsight_ros.language.places import LETTERS
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place
from deepsight_ros.language.questions import asks_for_height
from deepsight_ros.language.questions import asks_for_the_way
from deepsight_ros.language.tokenizer import BINS

RELATIVE: Final = 0.1
ABSOLUTE: Final = 0.05
"""A length agrees with the map within a tenth or 5 cm, whichever is more."""
ENOUGH: Final = 320 * 240
"""Pixels that show the first obstacle as well as all; every nth is taken of larger pictures."""
ALIKE: Final = 0.02
"""Places whose distances differ by less than this share are equally near."""
_REFERENCE: Final = re.compile(
    r'\b(?:from|than|against|relative|compar\w+|respect|with|take[ns]?|given|beginning|starting|'
    r'coming|going|leaving|reference)\b[\w\s]*$', re.IGNORECASE)
"""What stands before the place that another one is compared with."""
_TURNED: Final = re.compile(r'\b(?:is|lies|(?<!than )for) $', re.IGNORECASE)
"""What stands between the two where the first one is but named: "from <A> on, is <B> higher"."""
_SIDES: Final = re.compile(
    r'\b((?:to|on) the (?:left|right)|(?:more|farther|further) (?:left|right)|leftmost|rightmost|'
    r'left of|right of|wider|widest|bigger|biggest|larger|largest)\b', re.IGNORECASE)

Pixel = tuple[int, int]
"""Column, row."""


@dataclass(frozen=True, eq=False)
class DepthFrame:
    """
    Depth image [H, W] (m), its camera, the ground where it is known, and the robot.

    ``no_ground`` says why the ground is not known, ``no_way`` why nothing is to be said of the way
    ahead of the robot.
    """

    depth: npt.NDArray[Any]
    camera: Camera
    ground: GroundPlane | None = None
    robot: Robot = Robot()
    no_ground: str = ''
    no_way: str = ''

    @cached_property
    def is_empty(self) -> bool:
        """Whether nothing at all was measured."""
        return not bool(((self.depth > 0) & (self.depth < np.inf)).any())

    @cached_property
    def points(self) -> FloatImage:
        """Points [H, W, 3] (m, optical frame), NaN where nothing was measured."""
        return organised_points(self.depth, self.camera)


@dataclass(frozen=True)
class Evidence:
    """
    Pixels with their depth (m along the optical axis), and what the depth map says there.

    ``point`` (m) is where the first pixel lies in the frame of the picture's header,
    ``distance`` (m) how far it is: along the ground from below the camera where the answer counts
    so ("ahead"), else straight. ``bearing`` (rad) is its direction, left of the optical axis is
    positive. ``agrees`` tells whether the map confirms what the answer says; None where it cannot
    tell. ``measured`` (m) is what the map has for the length that the answer says, be that a
    distance, a height or a gap.
    """

    pixels: tuple[Pixel, ...] = ()
    depths: tuple[float, ...] = ()
    point: tuple[float, float, float] | None = None
    distance: float | None = None
    bearing: float | None = None
    agrees: bool | None = None
    measured: float | None = None


class _Check(NamedTuple):
    agrees: bool | None = None
    measured: float | None = None
    pixel: Pixel | None = None
    """Where the map has what the answer says."""


def find_evidence(frame: DepthFrame, question: str, answer: Answer) -> Evidence:
    """
    Look at the places that an answer, or else its question, points at.

    What the answer says is compared with what can be measured: a way ahead with the first obstacle
    in the robot's swept volume, a direction with the other ways; a length with that between the
    two places of the question, the height of its place if it asks for one, else the distance of
    the place; a choice of letters with the places' distances; higher and lower with their heights.
    """
    places = answer.places or find_places(question)
    found = [_pixel_of(frame, place, answer) for place in places]
    pixels = [pixel for pixel in found if pixel is not None]
    points = np.array([frame.points[row, column] for column, row in pixels], np.float64)
    if answer.ahead:
        check = _check_way(frame, question, answer)
    elif answer.places and answer.text[:1].isdigit():
        check = _check_nearest_surface(frame, answer)
    elif _names_a_way(question, answer):
        check = _Check(_direction_agrees(frame, str(answer.value)))
    else:
        check = (_check_places(frame, question, answer, points) if len(pixels) == len(places)
                 else _Check())
    if check.pixel is not None and not (pixels and answer.distance is not None and close(
            answer.distance, float(_distances(frame, points[0], answer.ahead)))):
        # Models point beside what they measure well, where an edge is a pixel wide.
        pixels = [check.pixel]
        points = np.array([frame.points[check.pixel[1], check.pixel[0]]], np.float64)
    if not pixels:
        return Evidence(agrees=check.agrees, measured=check.measured)
    main = _main_place(answer)
    if main is not None and main < len(pixels) == len(places):
        pixels.insert(0, pixels.pop(main))
        points = np.insert(np.delete(points, main, 0), 0, points[main], 0)
    point = points[0] - np.array(frame.camera.offset)
    return Evidence(
        tuple(pixels), tuple(float(frame.points[row, column, 2]) for column, row in pixels),
        (float(point[0]), float(point[1]), float(point[2])),
        float(_distances(frame, points[0], answer.ahead)), _bearing(frame, points[0]),
        check.agrees, check.measured)


def is_blind(frame: DepthFrame, question: str, answer: Answer) -> bool:
    """Tell whether an answer calls a way free of which the depth map does not show the ground."""
    if frame.ground is None:
        return False
    direction, length = 'ahead', 0.0
    if _names_a_way(question, answer):
        direction = str(answer.value)
    elif not answer.ahead or not (answer.value == 'yes' or answer.distance is None):
        return False
    elif answer.value == 'yes':
        length = max(lengths_in(question), default=0.0)
    return not way_is_seen(np.isfinite(frame.points[..., 2]), frame.camera, frame.ground,
                           frame.robot, length, bearings(frame.camera)[direction], _step(frame))


def _names_a_way(question: str, answer: Answer) -> bool:
    """Whether an answer says which way is free, rather than how two things lie."""
    return answer.value in ('left', 'ahead', 'right') and not answer.places and (
        asks_for_the_way(question))


def _main_place(answer: Answer) -> int | None:
    """Return which place of the question a choice points at first."""
    return LETTERS.index(str(answer.value)[0]) if answer.kind == 'choice' else None


def _pixel_of(frame: DepthFrame, place: Place, answer: Answer) -> Pixel | None:
    """
    Pixel of a place that fits the answer best, None where nothing was measured.

    A location token stands for more than a pixel: all around it may be meant.
    """
    height, width = frame.depth.shape
    column, row = place.pixel(width, height)
    # The nearest obstacle is often an edge that is a pixel wide: models point beside it, too.
    bins = 3 if answer.ahead else 1
    across, down = (bins * math.ceil(size / (2 * BINS)) for size in (width, height))
    left, top = max(0, column - across), max(0, row - down)
    window = frame.points[top:row + down + 1, left:column + across + 1]
    rows, columns = np.indices(window.shape[:2])
    cost = np.hypot(rows + top - row, columns + left - column)
    cost[np.isnan(window[..., 2])] = np.nan
    if len(answer.places) == 1 and answer.distance is not None:
        # Of pixels that fit alike the nearest one.
        cost = 1e-3 * cost + np.abs(_distances(frame, window, answer.ahead) - answer.distance)
    if np.isnan(cost).all():
        return None
    down, across = np.unravel_index(int(np.nanargmin(cost)), cost.shape)
    return int(left + across), int(top + down)


def _distances(frame: DepthFrame, points: npt.NDArray[Any], ahead: bool) -> npt.NDArray[Any]:
    """Distance [...] of points [..., 3]: along the ground or straight."""
    if ahead and frame.ground is not None:
        along: npt.NDArray[Any] = above_ground(points, frame.ground)[..., 0]
        return along
    straight: npt.NDArray[Any] = np.linalg.norm(points, axis=-1)
    return straight


def _bearing(frame: DepthFrame, point: npt.NDArray[np.float64]) -> float:
    """Direction of a point [3] along the ground; from the optical axis where that says nothing."""
    if frame.ground is not None:
        with suppress(GroundError):  # the camera looks straight down
            forward, left, _ = above_ground(point, frame.ground).tolist()
            return math.atan2(left, forward)
    return math.atan2(-point[0], point[2])


def _check_places(
    frame: DepthFrame, question: str, answer: Answer, points: npt.NDArray[np.float64],
) -> _Check:
    """Compare lengths, orders and heights with points [N, 3], all that were pointed at."""
    if len(points) > 1 and answer.kind == 'choice':
        return _Check(
            _order_agrees(question, str(answer.value), np.linalg.norm(points, axis=1)))
    if len(points) == 2 and answer.value in ('higher', 'lower'):
        if frame.ground is None or answer.places or not asks_for_height(question):
            return _Check()
        first, second = frame.ground.height_of(points)
        before, _, _, _, between, *_ = PLACE.split(question)
        if _TURNED.search(between) or (
                _REFERENCE.search(before) and not between.endswith('than ')):
            first, second = second, first
        return _Check(bool((first > second) == (answer.value == 'higher')))
    if answer.distance is None or len(points) == 0:
        return _Check()
    if len(points) == 2:
        measured = float(np.linalg.norm(points[0] - points[1]))
    elif answer.places or not asks_for_height(question):
        measured = float(np.linalg.norm(points[0]))
    elif frame.ground is None:
        return _Check()
    else:
        measured = float(frame.ground.height_of(points[0]))
    return _Check(close(answer.distance, measured), measured)


def _order_agrees(
    question: str, letters: str, distances: npt.NDArray[np.float64],
) -> bool | None:
    """
    Tell whether letters follow each other from near to far, the first one nearest of all.

    None where the question asks for another order.
    """
    if asks_for_height(question) or _SIDES.search(question):
        return None
    ranks = [LETTERS.index(letter) for letter in letters]
    if max(ranks) >= len(distances):
        return False
    chosen = distances[ranks]
    slack = ALIKE * chosen
    return bool(chosen[0] <= distances.min() + slack[0]
                and (chosen[:-1] <= chosen[1:] + slack[:-1]).all())


def _check_nearest_surface(frame: DepthFrame, answer: Answer) -> _Check:
    """Compare a length with the nearest of all pixels: no question asks for it otherwise."""
    step = _step(frame)
    ranges = np.linalg.norm(frame.points[::step, ::step], axis=-1)
    found = nearest_pixel(ranges, np.isfinite(ranges))
    if found is None or answer.distance is None:
        return _Check()
    measured, (column, row) = found
    return _Check(close(answer.distance, measured), measured, (column * step, row * step))


def _check_way(frame: DepthFrame, question: str, answer: Answer) -> _Check:
    """Compare what is said of the way ahead with the first obstacle on it."""
    if frame.ground is None:
        return _Check()
    obstacle = first_obstacle(_ground_points(frame, frame.ground), frame.robot)
    if obstacle is None:
        return _Check(answer.distance is None and answer.value != 'no')
    if answer.distance is None or not close(answer.distance, obstacle.distance):
        return _Check(False, obstacle.distance)
    agrees = (move_agrees(question, answer, obstacle.distance) if answer.kind == 'yes_no'
              else True)
    step = _step(frame)
    column, row = obstacle.pixel
    return _Check(agrees, obstacle.distance, (column * step, row * step))


def move_agrees(question: str, answer: Answer, free: float) -> bool | None:
    """
    Tell whether yes or no fits the length that the question names and the free way (m).

    None where it names none, or several.
    """
    lengths = lengths_in(question)
    if len(lengths) != 1:
        return None
    if math.isfinite(free) and close(lengths[0], free):
        return True
    return (lengths[0] < free) == (answer.value == 'yes')


def _direction_agrees(frame: DepthFrame, direction: str) -> bool | None:
    """Tell whether no other way is longer, but for the tolerance of lengths."""
    if frame.ground is None:
        return None
    ways = free_ways(_ground_points(frame, frame.ground), frame.camera, frame.robot)
    return ways[direction] >= max(ways.values()) * (1 - RELATIVE)


def _ground_points(frame: DepthFrame, ground: GroundPlane) -> FloatImage:
    step = _step(frame)
    return above_ground(frame.points[::step, ::step], ground)


def _step(frame: DepthFrame) -> int:
    return max(1, math.isqrt(frame.depth.size // ENOUGH))


def close(said: float, measured: float) -> bool:
    """Tell whether a length that was said (m) is the measured one."""
    return abs(said - measured) <= max(ABSOLUTE, RELATIVE * measured)
