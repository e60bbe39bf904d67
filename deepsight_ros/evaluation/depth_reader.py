"""What the depth images of a benchmark say by themselves: the most that reading them can reach."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from statistics import fmean
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.qa_items import QaItem
from deepsight_ros.evaluation.qa_scores import score
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.geometry.points import free_ways
from deepsight_ros.geometry.points import nearest_pixel
from deepsight_ros.language.answers import metres
from deepsight_ros.language.answers import NOTHING_AHEAD
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import LETTERS
from deepsight_ros.perception.evidence import DepthFrame

Points = npt.NDArray[np.float64]


def reader_scores(frames: Iterable[tuple[DepthFrame, list[QaItem]]]) -> dict[str, float]:
    """
    Score 0..1 by question type of answers that are read off the depth images, without a model.

    Where depth is an estimate, this is what its errors leave. Types that need names are missing.
    """
    scores: dict[str, list[float]] = {}
    for frame, items in frames:
        ground_points = above_ground(frame.points, frame.ground) if frame.ground else None
        for item in items:
            if (text := read_off(frame, ground_points, item)) is not None:
                scores.setdefault(item.question_type, []).append(score(item, text))
    return {name: fmean(values) for name, values in scores.items()}


def read_off(
    frame: DepthFrame, ground_points: npt.NDArray[np.float32] | None, item: QaItem,
) -> str | None:
    """Answer to a question of lengths or free space; None for other types, such as names."""
    if len(item.places) != _PLACES.get(item.question_type, len(item.places)):
        return None
    if item.question_type in _WITH_GROUND and ground_points is not None:
        return _WITH_GROUND[item.question_type](frame, item, ground_points)
    if item.question_type in _OF_PLACES:
        return _OF_PLACES[item.question_type](_at_places(frame.points, item))
    if item.question_type == 'nearest_surface':
        ranges = np.linalg.norm(frame.points, axis=-1)
        nearest = nearest_pixel(ranges, np.isfinite(ranges))
        return metres(nearest[0]) if nearest else ''
    return None


def _at_places(picture: npt.NDArray[np.float32], item: QaItem) -> Points:
    """Points [N, 3] at the places of a question, NaN where nothing was measured."""
    height, width = picture.shape[:2]
    u, v = np.array(item.places).T
    rows = np.minimum((v * height).astype(int), height - 1)
    columns = np.minimum((u * width).astype(int), width - 1)
    found: Points = picture[rows, columns].astype(np.float64)
    return found


def _length(value: float) -> str:
    return metres(value) if np.isfinite(value) else ''


def _obstacle(frame: DepthFrame, item: QaItem, points: npt.NDArray[np.float32]) -> str:
    found = first_obstacle(points, frame.robot)
    return NOTHING_AHEAD if found is None else metres(found.distance)


def _safe(frame: DepthFrame, item: QaItem, points: npt.NDArray[np.float32]) -> str:
    found = first_obstacle(points, frame.robot)
    wanted = parse_answer(item.question).distance
    return 'yes' if found is None or wanted is None or wanted < found.distance else 'no'


def _free(frame: DepthFrame, item: QaItem, points: npt.NDArray[np.float32]) -> str:
    ways = free_ways(points, frame.camera, frame.robot)
    return max(ways, key=lambda way: ways[way])


def _height(frame: DepthFrame, item: QaItem, points: npt.NDArray[np.float32]) -> str:
    return _length(float(_at_places(points, item)[0, 2]))


def _higher(frame: DepthFrame, item: QaItem, points: npt.NDArray[np.float32]) -> str:
    first, second = _at_places(points, item)[:, 2]
    return 'higher' if first > second else 'lower'


def _order(points: Points) -> str:
    return ''.join(LETTERS[index] for index in np.argsort(np.linalg.norm(points, axis=1)))


_WITH_GROUND: Final[dict[str, Callable[[DepthFrame, QaItem, npt.NDArray[np.float32]], str]]] = {
    'nearest_obstacle': _obstacle, 'safe': _safe, 'free_direction': _free,
    'place_height': _height, 'above_below': _higher}
_OF_PLACES: Final[dict[str, Callable[[Points], str]]] = {
    'nearer': lambda points: _order(points)[0],
    'order': _order,
    'place_distance': lambda points: _length(float(np.linalg.norm(points[0]))),
    'distance_between': lambda points: _length(float(np.linalg.norm(points[0] - points[1])))}
_PLACES: Final = {'place_height': 1, 'above_below': 2, 'nearer': 2, 'order': 3,
                  'place_distance': 1, 'distance_between': 2}
"""How many places questions have whose answers are read there."""
