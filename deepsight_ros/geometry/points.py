"""Organised points of a depth image, and what of them stands in a robot's way."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields
import math
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.ground import GroundPlane

SUPPORT: Final = 2e-4
"""Share of the measured pixels that may be nearer than "the nearest": single pixels are noise."""
SIDEWAYS: Final = 0.3
"""The ways to the left and to the right are turned by this share of the horizontal view."""
FAR: Final = 30.0
"""Metres taken for a way on which no obstacle is in view."""
_PARTS: Final = 4
_FEW: Final = 8
"""Pixels of a part of a way below which nothing is said of it."""
STEEPEST: Final = 0.98
"""Beyond this share of the optical axis along gravity (79 degrees down) nothing is "ahead"."""


@dataclass(frozen=True)
class Robot:
    """
    The volume that a robot sweeps when it moves straight on, in metres.

    ``width`` is centred on the camera, ``height`` counts from the ground. What is lower than
    ``min_obstacle_height`` is driven over.
    """

    width: float = 0.6
    height: float = 1.2
    min_obstacle_height: float = 0.1

    def __post_init__(self) -> None:
        """Reject volumes without content."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value > 0):
                raise GroundError(f'robot: {field.name} is {value:g} m, must be positive')
        if self.min_obstacle_height >= self.height:
            raise GroundError(f'robot: min_obstacle_height {self.min_obstacle_height:g} m is not '
                              f'below its height {self.height:g} m')


@dataclass(frozen=True)
class Obstacle:
    """The first thing in the way: distance along the ground (m) and pixel (column, row)."""

    distance: float
    pixel: tuple[int, int]


def organised_points(depth: npt.NDArray[Any], camera: Camera) -> FloatImage:
    """
    Points [H, W, 3] (m, optical frame) of a depth image [H, W] (m along the optical axis).

    NaN where depth is not finite or not positive. Raises ``CameraError`` if the sizes differ.
    """
    if depth.shape != (camera.height, camera.width):
        raise CameraError(f'depth is {depth.shape[::-1]}, camera_info says {camera.size}; publish '
                          'the camera_info that belongs to the depth image')
    z = depth.astype(np.float32)
    with np.errstate(invalid='ignore'):
        z[~(np.isfinite(z) & (z > 0))] = np.nan
    points = np.empty((*depth.shape, 3), np.float32)
    np.multiply(camera.ray_x, z, out=points[..., 0])
    np.multiply(camera.ray_y[:, None], z, out=points[..., 1])
    points[..., 2] = z
    return points


def above_ground(points: npt.NDArray[Any], ground: GroundPlane) -> FloatImage:
    """
    Points [..., 3] of the optical frame as x forward, y left, z up (m) from the camera's foot.

    Forward is the optical axis along the ground. Raises ``GroundError`` if the camera looks
    straight down or up.
    """
    up = -np.array(ground.normal)
    if abs(up[2]) > STEEPEST:
        raise GroundError('the camera looks straight along gravity, so nothing is ahead of it; '
                          'check camera_pitch or the transform to ground_frame')
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    forward /= np.linalg.norm(forward)
    axes = np.stack([forward, np.cross(up, forward), up]).astype(np.float32)
    x, y, z = (np.ascontiguousarray(points[..., axis], np.float32) for axis in range(3))
    turned = np.empty(points.shape, np.float32)
    for index, axis in enumerate(axes):
        # BLAS is slow for three columns, and broadcasting over them is slower.
        turned[..., index] = axis[0] * x + axis[1] * y + axis[2] * z
    turned[..., 2] += np.float32(ground.height)
    return turned


def in_the_way(points: FloatImage, robot: Robot, bearing: float = 0.0) -> npt.NDArray[np.bool_]:
    """
    Tell which of the points [H, W, 3] (``above_ground``) a robot would hit.

    It moves from the camera's foot towards ``bearing`` (rad, left is positive).
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    cosine, sine = np.float32(math.cos(bearing)), np.float32(math.sin(bearing))
    with np.errstate(invalid='ignore'):
        hit: npt.NDArray[np.bool_] = (
            (z >= robot.min_obstacle_height) & (z <= robot.height)
            & (np.abs(cosine * y - sine * x) <= robot.width / 2) & (cosine * x + sine * y > 0))
    return hit


def nearest_pixel(
    distance: FloatImage, mask: npt.NDArray[np.bool_],
) -> tuple[float, tuple[int, int]] | None:
    """
    Nearest distance inside ``mask`` (both [H, W]) and its pixel (column, row).

    It is the one that ``SUPPORT`` of the measured pixels undercut; None if no more are inside.
    """
    support = int(SUPPORT * np.count_nonzero(np.isfinite(distance)))
    inside = np.flatnonzero(mask & np.isfinite(distance))
    if len(inside) <= support:
        return None
    values = distance.ravel()[inside]
    index = int(inside[np.argpartition(values, support)[support]])
    row, column = divmod(index, distance.shape[1])
    return float(distance[row, column]), (column, row)


def first_obstacle(points: FloatImage, robot: Robot, bearing: float = 0.0) -> Obstacle | None:
    """
    First of the points [H, W, 3] (``above_ground``) that a robot hits, None if it sees none.

    ``bearing`` (rad) is where it moves, left is positive. Not seeing one does not mean that
    there is none: the view may start behind it.
    """
    along = points[..., 0]
    if bearing:
        along = np.float32(math.cos(bearing)) * along + np.float32(
            math.sin(bearing)) * points[..., 1]
    found = nearest_pixel(along, in_the_way(points, robot, bearing))
    return Obstacle(*found) if found else None


def way_is_seen(
    measured: npt.NDArray[np.bool_], camera: Camera, ground: GroundPlane, robot: Robot,
    length: float, bearing: float = 0.0, step: int = 1,
) -> bool:
    """
    Tell whether depth covers the ground of a way, so that no obstacle can hide in a hole of it.

    ``measured`` [H, W] are the pixels with depth. Each quarter of the way, from where the picture
    begins to ``length`` (m) or at least twice as far, must have a quarter of the depth that is
    usual below the horizon. ``bearing`` (rad) is where the robot moves, left is positive; every
    ``step``-th row and column is looked at.
    """
    slant, measured = ground.slant(camera)[::step, ::step], measured[::step, ::step]
    rows, columns = np.nonzero(slant > 0)
    if len(rows) == 0:
        return False
    on_ground = np.empty((len(rows), 3), np.float32)
    on_ground[:, 2] = ground.height / slant[rows, columns]
    on_ground[:, 0] = camera.ray_x[::step][columns] * on_ground[:, 2]
    on_ground[:, 1] = camera.ray_y[::step][rows] * on_ground[:, 2]
    x, y, _ = above_ground(on_ground, ground).T
    along = math.cos(bearing) * x + math.sin(bearing) * y
    aside = math.cos(bearing) * y - math.sin(bearing) * x
    on_way = (np.abs(aside) <= robot.width / 2) & (along > 0)
    if not on_way.any():
        return False
    known = measured[rows, columns]
    along, known_on_way = along[on_way], known[on_way]
    first = float(along.min())
    edges = np.geomspace(first, max(length, 2 * first), _PARTS + 1)
    part = np.digitize(along, edges) - 1
    pixels = np.bincount(part, minlength=_PARTS)[:_PARTS]
    covered = np.bincount(part, known_on_way, minlength=_PARTS)[:_PARTS]
    return bool((covered >= known.mean() / _PARTS * pixels)[pixels >= _FEW].all())


def bearings(camera: Camera) -> dict[str, float]:
    """Directions of the ways ``left``, ``ahead`` and ``right`` in rad, left is positive."""
    turn = SIDEWAYS * 2 * math.atan2(camera.width / 2, camera.fx)
    return {'left': turn, 'ahead': 0.0, 'right': -turn}


def free_ways(points: FloatImage, camera: Camera, robot: Robot) -> dict[str, float]:
    """
    Metres that a robot can go ``left``, ``ahead`` and ``right``, at most ``FAR``.

    ``points`` [H, W, 3] are those of ``above_ground``, of all or every nth pixel of ``camera``.
    """
    ways = {}
    for name, bearing in bearings(camera).items():
        found = first_obstacle(points, robot, bearing)
        ways[name] = min(found.distance, FAR) if found else FAR
    return ways
