"""Which points of the ground truth lie on the ground, found from the points alone."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.ground_frame import ground_from_camera
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane

Points = npt.NDArray[np.float64]

TOLERANCE: Final = 0.15
"""Metres: a point this near to the locally fitted plane lies on the ground."""
_NEAR: Final = 30.0
"""Metres: the plane below the camera is that of the points up to here."""
_MAX_SLOPE: Final = 0.05
"""Tangent of the angle between the prior and the plane below the camera, at most."""
_LOCAL_SLOPE: Final = 0.02
"""By so much per metre may the ground farther away leave the plane below the camera."""
_MIN_POINTS: Final = 100
_TRIALS: Final = 200
_CELL: Final = 5.0
"""Metres; a local plane is fitted to 3 x 3 cells."""


def fit_near_plane(points: Points, prior: GroundPlane) -> GroundPlane | None:
    """
    Ground plane below the camera from points [N, 3] (m, optical frame), None if there is none.

    ``prior`` only says where to search: within 0.25 m and 3 degrees.
    """
    slack = 0.25 + _MAX_SLOPE * points[:, 2]
    candidates = points[(points[:, 2] < _NEAR) & (np.abs(prior.height_of(points)) < slack)]
    if len(candidates) < _MIN_POINTS:
        return None
    initial = _best_supported(candidates, prior)
    if initial is None:
        return None
    try:
        plane = GroundPlane.fit(candidates, initial=initial, tolerance=TOLERANCE / 2)
    except GroundError:
        return None
    inliers = np.count_nonzero(np.abs(plane.height_of(candidates)) < TOLERANCE)
    return plane if inliers >= _MIN_POINTS else None


def on_ground(points: Points, plane: GroundPlane) -> npt.NDArray[np.bool_]:
    """
    Which points [N, 3] lie within ``TOLERANCE`` of the plane fitted to the points around them.

    The local fits start at ``plane``, the one below the camera, and may leave it by 2 % of the
    distance: roads are crowned, and bend over hills.
    """
    forward, left, _ = ground_from_camera(plane)[:3, :3]
    x, z = points @ left, points @ forward
    above = plane.height_of(points)
    slack = TOLERANCE + _LOCAL_SLOPE * np.hypot(x, z)
    cells = _Cells(x, z)
    local = np.zeros(len(points))
    for shrink in (1.0, 0.5, 0.0):
        close = np.abs(above - local) < TOLERANCE + shrink * (slack - TOLERANCE)
        local = np.clip(cells.fit(above, close), -slack, slack)
    result: npt.NDArray[np.bool_] = np.abs(above - local) < TOLERANCE
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
    parallel = np.abs(cosines) > 1 / np.hypot(1, 2 * _MAX_SLOPE)
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
        terms, index = self._terms[chosen], self._index[chosen]
        normal = np.empty((self._shape[0] * self._shape[1], 3, 3))
        target = np.empty((self._shape[0] * self._shape[1], 3))
        for i in range(3):
            target[:, i] = self._around(index, terms[:, i] * heights[chosen])
            for j in range(i, 3):
                normal[:, i, j] = self._around(index, terms[:, i] * terms[:, j])
                normal[:, j, i] = normal[:, i, j]
        used = np.unique(self._index)
        # A little pull to the plane below the camera keeps cells with few points solvable.
        coefficients = np.zeros_like(target)
        coefficients[used] = np.linalg.solve(
            normal[used] + np.diag([1.0, 10.0, 10.0]), target[used][..., None])[..., 0]
        result: npt.NDArray[np.float64] = np.einsum(
            'ij,ij->i', self._terms, coefficients[self._index])
        return result

    def _around(
        self, index: npt.NDArray[np.int64], weights: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Sum [cells] of the weights over each cell and its eight neighbours."""
        rows, columns = self._shape
        grid = np.bincount(index, weights, rows * columns).reshape(rows, columns)
        padded = np.pad(grid, 1)
        total: npt.NDArray[np.float64] = np.zeros(self._shape)
        for i in range(3):
            for j in range(3):
                total += padded[i:i + rows, j:j + columns]
        return total.ravel()
