"""A small transform buffer: static and interpolated transforms for replay, or without tf2."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.errors import TransformError

Matrix = npt.NDArray[np.float64]
_Pose = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def matrix_from(translation: npt.NDArray[Any], quaternion: npt.NDArray[Any]) -> Matrix:
    """Return the 4x4 matrix of a translation [3] in metres and a quaternion [4] (x, y, z, w)."""
    x, y, z, w = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = translation
    return matrix


class TransformBuffer:
    """Tree of frames, filled from TF messages, asked for the transform between any two."""

    def __init__(self, history: int = 1000) -> None:
        """Keep the last ``history`` stamps of each moving frame."""
        self._history = history
        self._parents: dict[str, str] = {}
        self._stamps: dict[str, list[int]] = {}
        self._poses: dict[str, list[_Pose]] = {}

    def set(
        self,
        parent: str,
        child: str,
        translation: npt.NDArray[Any],
        quaternion: npt.NDArray[Any],
        stamp_ns: int | None = None,
    ) -> None:
        """Add the pose of ``child`` in ``parent``; ``stamp_ns=None`` means static."""
        quaternion = np.asarray(quaternion, np.float64)
        if not np.isfinite(quaternion).all() or np.linalg.norm(quaternion) < 1e-6:
            raise TransformError(f'transform {parent} -> {child}: quaternion is not a rotation')
        pose = np.asarray(translation, np.float64), quaternion / np.linalg.norm(quaternion)
        self._parents[child] = parent
        if stamp_ns is None:
            self._stamps[child], self._poses[child] = [], [pose]
            return
        stamps = self._stamps.setdefault(child, [])
        poses = self._poses.setdefault(child, [])
        if not stamps:
            poses.clear()
        index = bisect_left(stamps, stamp_ns)
        if index < len(stamps) and stamps[index] == stamp_ns:
            poses[index] = pose
        else:
            stamps.insert(index, stamp_ns)
            poses.insert(index, pose)
        del stamps[:-self._history], poses[:-self._history]

    def lookup(self, target: str, source: str, stamp_ns: int) -> Matrix:
        """
        Return the 4x4 matrix that takes points of ``source`` to ``target`` at a stamp.

        Between two stamps translation is interpolated linearly and rotation spherically; outside
        the known interval, or between unconnected frames, ``TransformError`` says what is missing.
        """
        to_root_source, root_source = self._to_root(source, stamp_ns)
        to_root_target, root_target = self._to_root(target, stamp_ns)
        if root_source != root_target:
            raise TransformError(
                f'no transform from {source!r} to {target!r}: their trees end in {root_source!r} '
                f'and {root_target!r}; publish it (static_transform_publisher) or set '
                'camera_height, camera_pitch and camera_roll')
        result: Matrix = np.linalg.inv(to_root_target) @ to_root_source
        return result

    def _to_root(self, frame: str, stamp_ns: int) -> tuple[Matrix, str]:
        matrix = np.eye(4)
        for _ in range(len(self._parents) + 1):
            if frame not in self._parents:
                return matrix, frame
            matrix = matrix_from(*self._pose_at(frame, stamp_ns)) @ matrix
            frame = self._parents[frame]
        raise TransformError(f'the transform tree has a loop at {frame!r}; fix the publishers')

    def _pose_at(self, child: str, stamp_ns: int) -> _Pose:
        stamps, poses = self._stamps[child], self._poses[child]
        if not stamps:
            return poses[0]
        index = bisect_left(stamps, stamp_ns)
        if index < len(stamps) and stamps[index] == stamp_ns:
            return poses[index]
        if index in (0, len(stamps)):
            known = f'{stamps[0] / 1e9:.3f} to {stamps[-1] / 1e9:.3f}'
            raise TransformError(f'transform {self._parents[child]!r} -> {child!r} is known from '
                                 f'{known} s, asked at {stamp_ns / 1e9:.3f} s; raise tf_timeout')
        share = (stamp_ns - stamps[index - 1]) / (stamps[index] - stamps[index - 1])
        (t0, q0), (t1, q1) = poses[index - 1], poses[index]
        return t0 + share * (t1 - t0), _slerp(q0, q1, share)


def _slerp(
    q0: npt.NDArray[np.float64], q1: npt.NDArray[np.float64], share: float,
) -> npt.NDArray[np.float64]:
    cosine = float(q0 @ q1)
    if cosine < 0:
        q1, cosine = -q1, -cosine
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < 1e-6:
        return q0 + share * (q1 - q0)
    result: npt.NDArray[np.float64] = (
        np.sin((1 - share) * angle) * q0 + np.sin(share * angle) * q1) / np.sin(angle)
    return result
