"""The floor in the world frame of a data set with poses, and the ground plane that follows."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
import math
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane

Points = npt.NDArray[np.float64]

_TOLERANCE: Final = 0.05
"""Metres: noise of a structured-light camera at 3 m plus drift of the poses."""
_MAX_TILT: Final = math.radians(50)
"""A person holds the camera's lower side down to within this angle."""
_VIEWS: Final = 25
"""Frames, spread over the sequence, from which the floor is estimated."""
_STRIDE: Final = 8
"""Every so manieth row and column of their depth is used."""
_MIN_SHARE: Final = 0.02
"""The floor is the lowest level surface with this share of all points."""


@dataclass(frozen=True)
class Floor:
    """Floor in a world frame: unit vector ``down`` and ``offset`` (m), ``down . X = offset``."""

    down: tuple[float, float, float]
    offset: float

    def below(self, pose: npt.NDArray[np.float64]) -> GroundPlane:
        """Ground plane in the optical frame of a camera with this pose [4, 4] in the world."""
        down = np.array(self.down) / np.linalg.norm(self.down)
        x, y, z = (pose[:3, :3].T @ down).tolist()
        height = self.offset - float(down @ pose[:3, 3])
        try:
            return GroundPlane((x, y, z), height)
        except GroundError as error:
            raise DatasetError(f'the pose lies {-height:.2f} m below the floor at '
                               f'{self.offset:g} m; give the right --gravity and --floor') \
                from error


def find_floor(
    options: GroundOptions,
    count: int,
    camera: Camera,
    depth_of: Callable[[int], npt.NDArray[np.float32]],
    pose_of: Callable[[int], npt.NDArray[np.float64]],
) -> Floor:
    """
    Floor as the options say, else estimated from some of ``count`` frames.

    ``depth_of`` and ``pose_of`` return depth [H, W] (m) and pose [4, 4] of a frame.
    """
    if options.floor is not None and options.gravity is None:
        raise DatasetError('--floor is measured along --gravity; give both')
    if options.gravity is not None and options.floor is not None:
        return Floor(options.gravity, options.floor)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _VIEWS)).astype(int)).tolist()
    return estimate_floor(
        ((_sparse_points(depth_of(index), camera), pose_of(index)) for index in chosen),
        options.gravity)


def _sparse_points(depth: npt.NDArray[np.float32], camera: Camera) -> Points:
    some = (slice(None, None, _STRIDE), slice(None, None, _STRIDE))
    points = camera.rays[some] * depth[some][..., None]
    result: Points = points[np.isfinite(points).all(axis=-1)].astype(np.float64)
    return result


def estimate_floor(
    views: Iterable[tuple[Points, npt.NDArray[np.float64]]],
    down: tuple[float, float, float] | None = None,
) -> Floor:
    """
    Find the floor from points [N, 3] (m, optical frame) and poses [4, 4] of some frames.

    This calibrates the world frame once per sequence, as gravity and the camera's mounting height
    would; single frames then get their ground from their pose alone. ``down`` is used if known.
    The floor is the lowest well supported one of the planes across ``down``.
    """
    clouds, axes = [], []
    for points, pose in views:
        clouds.append(points @ pose[:3, :3].T + pose[:3, 3])
        axes.append(pose[:3, 1])
    world = np.concatenate(clouds) if clouds else np.empty((0, 3))
    if len(world) < 1000:
        raise DatasetError(f'{len(world)} depth points are too few to find the floor; give '
                           '--gravity and --floor')
    direction = np.mean(axes, axis=0) if down is None else np.array(down, np.float64)
    direction /= np.linalg.norm(direction)
    if down is None:
        direction = _levelled(world, _dominant_level(world, direction))
    levels = world @ direction
    lowest = _lowest_level(levels)
    offset = float(np.median(levels[np.abs(levels - lowest) < _TOLERANCE]))
    return Floor((float(direction[0]), float(direction[1]), float(direction[2])), offset)


def _dominant_level(world: Points, rough: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Down direction of the best supported plane that faces roughly down."""
    random = np.random.default_rng(0)
    sample = world[random.choice(len(world), min(len(world), 20_000), replace=False)]
    best, most = rough, -1
    for _ in range(2000):
        a, b, c = sample[random.choice(len(sample), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1e-6:
            continue
        normal *= math.copysign(1.0, float(normal @ rough)) / length
        if normal @ rough < math.cos(_MAX_TILT):
            continue
        votes = int(np.count_nonzero(np.abs((sample - a) @ normal) < _TOLERANCE))
        if votes > most:
            best, most = normal, votes
    return best


def _lowest_level(depths: npt.NDArray[np.float64]) -> float:
    """Offset of the lowest bin with enough points that no neighbour exceeds."""
    edges = np.arange(depths.min(), depths.max() + 2 * _TOLERANCE, _TOLERANCE)
    counts = np.histogram(depths, edges)[0]
    for index in range(len(counts) - 1, -1, -1):
        around = counts[max(index - 1, 0):index + 2]
        if counts[index] >= _MIN_SHARE * len(depths) and counts[index] == around.max():
            return float(edges[index] + _TOLERANCE / 2)
    raise DatasetError('the depth shows no floor; give --gravity and --floor')


def _levelled(world: Points, rough: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """
    Direction near ``rough`` along which the points crowd into the fewest levels.

    Floor, tables and shelves share one vertical, and together they span a longer base than the
    patch of floor does.
    """
    best, most = rough, _crowding(world @ rough)
    step = math.radians(1.0)
    while step > math.radians(0.05):
        right = np.cross(best, np.roll(best, 1))
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(best, right)])
        moves = [best + step * (x * axes[0] + y * axes[1])
                 for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
        scores = [_crowding(world @ (move / np.linalg.norm(move))) for move in moves]
        winner = int(np.argmax(scores))
        if scores[winner] > most:
            best, most = moves[winner] / np.linalg.norm(moves[winner]), scores[winner]
        else:
            step /= 2
    return best


def _crowding(levels: npt.NDArray[np.float64]) -> float:
    """Sum of squares of a histogram with linear weights, so that it changes smoothly."""
    position = (levels - levels.min()) / _TOLERANCE
    index = position.astype(np.int64)
    share = position - index
    size = int(index.max()) + 2
    counts = np.bincount(index, 1 - share, size) + np.bincount(index + 1, share, size)
    return float(counts @ counts)
