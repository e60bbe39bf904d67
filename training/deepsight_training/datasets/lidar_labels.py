"""Ground, upright and above-the-horizon labels of a picture from LiDAR points.

All points are in the camera's optical frame [N, 3], metres, x right, y down, z forward.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import ANY_GROUND
from deepsight_training.datasets.labels import ANY_VERTICAL
from deepsight_training.datasets.labels import ANY_VERTICAL_OR_SKY

Points = npt.NDArray[np.float64]

GROUND_TOLERANCE: Final = 0.12
"""Metres: a point this close to the local ground lies on it (LiDAR noise and rough ground)."""
UPRIGHT_HEIGHT: Final = 0.30
"""Metres: a point this far above the local ground stands on it (higher than any kerb)."""
_CELL: Final = 1.0
_REACH: Final = 60.0


def fit_ground(points: Points, height: float) -> npt.NDArray[np.float64]:
    """Fit the ground plane near a camera that looks roughly level.

    Args:
        points: [N, 3].
        height: nominal height of the camera, where the search starts.

    Returns:
        (a, b, c) of y = a x + b z + c.
    """
    near = points[(points[:, 2] < 30.0) & (np.abs(points[:, 0]) < 10.0)]
    design = np.column_stack([near[:, 0], near[:, 2], np.ones(len(near))])
    plane = np.array([0.0, 0.0, height])
    for tolerance in (0.5, 0.4, 0.3, 0.2, 0.15, 0.15):
        close = np.abs(near[:, 1] - design @ plane) < tolerance
        plane = np.linalg.lstsq(design[close], near[close, 1], rcond=None)[0]
    return plane


def height_above_ground(points: Points, plane: npt.NDArray[np.float64]) -> Points:
    """Height [N] of points above the ground around them; NaN where no ground is seen nearby.

    The low points of every cell of a grid are its ground if they are near the plane (nearer ones
    more so); the median over neighbouring cells drops the undersides of vehicles.
    """
    above = points[:, :2] @ np.array([plane[0], -1.0]) + points[:, 2] * plane[1] + plane[2]
    size = int(2 * _REACH / _CELL)
    inside = (np.abs(points[:, 0]) < _REACH) & (points[:, 2] > 0) & (points[:, 2] < 2 * _REACH)
    column = np.clip((points[:, 0] + _REACH) / _CELL, 0, size - 1).astype(np.int64)
    row = np.clip(points[:, 2] / _CELL, 0, size - 1).astype(np.int64)
    cell = np.where(inside, row * size + column, -1)
    low = np.full(size * size, np.nan)
    order = np.lexsort((above, cell))
    cells, first, count = np.unique(cell[order], return_index=True, return_counts=True)
    value = above[order][first + count // 10]
    slack = 0.25 + 0.02 * np.hypot(cells // size * _CELL, cells % size * _CELL - _REACH)
    known = (cells >= 0) & (count >= 3) & (np.abs(value) < slack)
    low[cells[known]] = value[known]
    ground = _nan_median(low.reshape(size, size), 2)
    return np.where(inside, above - ground.ravel()[np.maximum(cell, 0)], np.nan)


def _nan_median(grid: Points, radius: int) -> Points:
    padded = np.pad(grid, radius, constant_values=np.nan)
    width = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (width, width))
    windows = windows.reshape(*grid.shape, -1)
    seen = np.isfinite(windows).sum(-1) >= 3
    result = np.full(grid.shape, np.nan)
    result[seen] = np.nanmedian(windows[seen], axis=-1)
    return result


def visible(pixels: npt.NDArray[np.int64], depth: Points, shape: tuple[int, int]) -> Points:
    """Mask [N] of points that the camera sees too: no much nearer point is within a few pixels.

    The scanner sits beside the camera and sees a little behind the borders of things.
    """
    nearest = np.full(shape, np.inf, np.float32)
    np.minimum.at(nearest, (pixels[:, 1], pixels[:, 0]), depth.astype(np.float32))
    around = cv2.erode(nearest, np.ones((11, 7), np.uint8))
    return depth < 1.1 * around[pixels[:, 1], pixels[:, 0]] + 0.3


def _behind_upright(
    ids: npt.NDArray[np.uint8], pixels: npt.NDArray[np.int64], depth: Points,
    shape: tuple[int, int],
) -> npt.NDArray[np.bool_]:
    """Mask [N] of points near which something much nearer stands.

    Dark paint and glass return few points, and through glass the scanner sees the ground behind:
    as much as a near car covers is asked.
    """
    upright = (ids != ANY_GROUND) & (ids != VOID)
    nearest = np.full(shape, np.inf, np.float32)
    at = (pixels[upright, 1], pixels[upright, 0])
    np.minimum.at(nearest, at, depth[upright].astype(np.float32))
    around = cv2.erode(nearest, np.ones((81, 61), np.uint8))
    return around[pixels[:, 1], pixels[:, 0]] < 0.8 * depth


def paint(
    ids: npt.NDArray[np.uint8], pixels: npt.NDArray[np.int64], shape: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Labels [H, W] from labelled points: each fills the gap to the next scan line.

    Pixels that points of two labels claim become void: the border is somewhere in between.
    """
    labels = np.full(shape, VOID, np.uint8)
    claims = np.zeros(shape, np.uint8)
    for value in np.unique(ids):
        mask = np.zeros(shape, np.uint8)
        mine = pixels[ids == value]
        mask[mine[:, 1], mine[:, 0]] = 1
        if value != VOID:
            # Scan lines are some 6 pixels apart, points on them 3.
            mask = cv2.dilate(mask, np.ones((7, 5), np.uint8))
        claims += mask
        labels[mask > 0] = value
    labels[claims > 1] = VOID
    return labels


def lidar_labels(
    points: Points, pixels: npt.NDArray[np.int64], shape: tuple[int, int],
    plane: npt.NDArray[np.float64], known: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]:
    """Sparse labels [H, W] of a picture.

    Args:
        points: [N, 3], those in the picture.
        pixels: column and row of each [N, 2].
        shape: height and width of the picture.
        plane: of ``fit_ground``.
        known: label per point [N] that is known otherwise (boxes); VOID elsewhere.
    """
    above = height_above_ground(points, plane)
    ids = np.full(len(points), VOID, np.uint8)
    ids[np.abs(above) < GROUND_TOLERANCE] = ANY_GROUND
    # Where no ground is seen nearby, only what is clearly above the plane counts as upright.
    fallback = plane[0] * points[:, 0] + plane[1] * points[:, 2] + plane[2] - points[:, 1]
    ids[np.where(np.isnan(above), fallback - 1.0, above) > UPRIGHT_HEIGHT] = ANY_VERTICAL
    ids = np.where((known != VOID) & (ids == ANY_VERTICAL), known, ids)
    seen = visible(pixels, points[:, 2], shape)
    seen &= ~((ids == ANY_GROUND) & _behind_upright(ids, pixels, points[:, 2], shape))
    return paint(ids[seen], pixels[seen], shape)


def above_horizon(
    labels: npt.NDArray[np.uint8], matrix: Points, plane: npt.NDArray[np.float64],
    margin: float = 0.02,
) -> npt.NDArray[np.uint8]:
    """Fill void pixels above the plane's horizon with ``ANY_VERTICAL_OR_SKY``.

    Args:
        labels: [H, W].
        matrix: camera matrix [3, 3].
        plane: of ``fit_ground``.
        margin: tangent of the angle that slopes may rise above the horizon.
    """
    height, width = labels.shape
    x = (np.arange(width) - matrix[0, 2]) / matrix[0, 0]
    y = (np.arange(height) - matrix[1, 2]) / matrix[1, 1]
    up = y[:, None] < plane[0] * x + plane[1] - margin
    return np.where((labels == VOID) & up, np.uint8(ANY_VERTICAL_OR_SKY), labels)
