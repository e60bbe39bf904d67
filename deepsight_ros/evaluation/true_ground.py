"""Which points of the ground truth lie on the ground, found from the points alone."""

from __future__ import annotations

import math
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.ground_frame import ground_from_camera
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane

Points = npt.NDArray[np.float64]

TOLERANCE: Final = 0.15
"""Metres: a point this near to the locally fitted plane lies on the ground."""
FLOOR_TOLERANCE: Final = 0.05
"""The same where the plane is known and flat: the noise of a depth camera at 3 m. The larger one
would take the foot of every wall and chair for floor."""
_NEAR: Final = 30.0
"""Metres: the plane below the camera is that of the points up to here."""
_MAX_LIFT: Final = 0.25
"""Metres between the heights of prior and plane, at most."""
_MAX_SLOPE: Final = 0.1
"""Tangent of the angle between them, at most."""
_MIN_COSINE: Final = 1 / math.hypot(1, _MAX_SLOPE)
_MIN_SPREAD: Final = 0.5
"""Metres: standard deviation across the longer side of the patch that defines a plane."""
_LOCAL_SLOPE: Final = 0.02
"""By so much per metre may the ground farther away leave the plane below the camera."""
MIN_POINTS: Final = 100
"""Fewer points on the ground say nothing about it."""
_ENOUGH: Final = 4000
"""Points that define a plane as well as all of them do."""
_TRIALS: Final = 200
_CELL: Final = 5.0
"""Metres; a local plane is fitted to 3 x 3 cells."""


def fit_near_plane(points: Points, prior: GroundPlane) -> GroundPlane | None:
    """
    Ground plane below the camera from points [N, 3] (m, optical frame).

    ``prior`` only says where to search: within 0.25 m and 6 degrees. None if too few points lie
    on one plane there, or if they cover too small a patch to tell how it is tilted.
    """
    slack = _MAX_LIFT + _MAX_SLOPE * points[:, 2]
    candidates = points[(points[:, 2] < _NEAR) & (np.abs(prior.height_of(points)) < slack)]
    candidates = candidates[::len(candidates) // _ENOUGH + 1]
    if len(candidates) < MIN_POINTS:
        return None
    initial = _best_supported(candidates, prior)
    if initial is None:
        return None
    try:
        plane = GroundPlane.fit(candidates, initial=initial, tolerance=TOLERANCE / 2)
    except GroundError:
        return None
    inliers = candidates[np.abs(plane.height_of(candidates)) < TOLERANCE / 2]
    if len(inliers) < MIN_POINTS or not _is_near(plane, prior):
        return None
    spread = np.linalg.svd(inliers - inliers.mean(axis=0), compute_uv=False) / len(inliers)**0.5
    return plane if spread[1] > _MIN_SPREAD else None


def _is_near(plane: GroundPlane, prior: GroundPlane) -> bool:
    cosine = float(np.dot(plane.normal, prior.normal))
    return cosine > _MIN_COSINE and abs(plane.height - prior.height) < _MAX_LIFT


def on_ground(
    points: Points, plane: GroundPlane, tolerance: float = TOLERANCE,
) -> npt.NDArray[np.bool_]:
    """
    Which points [N, 3] lie within ``tolerance`` of the plane fitted to the points around them.

    The local fits start at ``plane``, the one below the camera, and may leave it by 2 % of the
    distance: roads are crowned, and bend over hills.
    """
    if not len(points):
        return np.zeros(0, bool)
    forward, left, _ = ground_from_camera(plane)[:3, :3]
    x, z = points @ left, points @ forward
    above = plane.height_of(points)
    slack = tolerance + _LOCAL_SLOPE * np.hypot(x, z)
    cells = _Cells(x, z)
    local = np.zeros(len(points))
    for shrink in (1.0, 0.0):
        close = np.abs(above - local) < tolerance + shrink * (slack - tolerance)
        local = np.clip(cells.fit(above, close), -slack, slack)
    result: npt.NDArray[np.bool_] = np.abs(above - local) < tolerance
    return result


def _best_supported(candidates: Points, prior: GroundPlane) -> GroundPlane | None:
    """Best of many planes through three of the points, of those roughly parallel to the prior."""
    random = np.random.default_rng(0)
    sample = candidates[random.choice(len(candidates), min(len(candidates), 2000), replace=False)]
    a, b, c = (sample[random.integers(len(sample), size=_TRIALS)] for _ in range(3))
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals[lengths > 1e-6] / lengths[lengths > 1e-6, None]
    anchors = a[lengths > 1e-6]
    cosines = normals @ np.array(prior.normal)
    normals *= np.sign(cosines)[:, None]
    parallel = np.abs(cosines) > _MIN_COSINE
    normals, anchors = normals[parallel], anchors[parallel]
    heights = np.einsum('ij,ij->i', normals, anchors)
    normals, heights = normals[heights > 0], heights[heights > 0]
    if not len(heights):
        return None
    votes = np.count_nonzero(np.abs(sample @ normals.T - heights) < TOLERANCE / 2, axis=0)
    best = int(np.argmax(votes))
    x, y, z = normals[best].tolist()
    return GroundPlane((x, y, z), float(heights[best]))


class _Cells:
    """Square cells on the ground; fits a plane to each 3 x 3 of them at once."""

    def __init__(self, x: npt.NDArray[np.float64], z: npt.NDArray[np.float64]) -> None:
        column = np.floor((x - x.min()) / _CELL).astype(np.int64) + 1
        row = np.floor((z - z.min()) / _CELL).astype(np.int64) + 1
        self._shape = int(row.max()) + 2, int(column.max()) + 2
        self._index = row * self._shape[1] + column
        self._terms = np.stack([np.ones_like(x), x, z], axis=1)

    def fit(
        self, heights: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.float64]:
        """Height [N] of the local plane at each point, fitted to the chosen points."""
        one, x, z = self._terms[chosen].T
        height, index = heights[chosen], self._index[chosen]
        sums = self._around(index, [
            one, x, z, x * x, x * z, z * z, height, x * height, z * height])
        used = np.unique(self._index)
        normal = sums[used][:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
        # A little pull to the plane below the camera keeps cells with few points solvable.
        normal += np.diag([1.0, 10.0, 10.0])
        coefficients = np.zeros((len(sums), 3))
        coefficients[used] = np.linalg.solve(normal, sums[used][:, 6:, None])[..., 0]
        result: npt.NDArray[np.float64] = np.einsum(
            'ij,ij->i', self._terms, coefficients[self._index])
        return result

    def _around(
        self, index: npt.NDArray[np.int64], weights: list[npt.NDArray[np.float64]],
    ) -> npt.NDArray[np.float64]:
        """Sum [cells, len(weights)] of the weights over each cell and its eight neighbours."""
        rows, columns = self._shape
        grids = np.stack([np.bincount(index, weight, rows * columns) for weight in weights], -1)
        total: Any = cv2.boxFilter(grids.reshape(rows, columns, -1), -1, (3, 3), normalize=False,
                                   borderType=cv2.BORDER_CONSTANT)
        return np.asarray(total, np.float64).reshape(rows * columns, -1)
