"""Transforms from tf2, where ROS 2 is installed; pip has no tf2."""

from __future__ import annotations

from threading import Event
import time

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from rclpy.time import Time

from deepsight_ros.geometry import TransformError
from deepsight_ros.geometry.transforms import matrix_from

try:
    import tf2_ros
except ImportError:
    tf2_ros = None

_POLL = 0.005
_JUMP_NS = 1_000_000_000
_SETTLING = 2.0
"""Seconds after subscribing in which transforms that are not there yet may still come."""


class Tf2Transforms:
    """Listens between ``open`` and ``close``; asked from a worker, which it may keep waiting."""

    def __init__(self, node: Node, timeout: float) -> None:
        """``timeout`` (s) bounds the wait for a transform that is on its way."""
        self._node = node
        self._timeout = timeout
        self._closed = Event()
        self._listener: tf2_ros.TransformListener | None = None

    def open(self) -> None:
        """Subscribe to /tf and /tf_static."""
        self._closed.clear()
        self._settled = time.monotonic() + _SETTLING
        self._last_ns = 0
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, self._node, spin_thread=False)

    @staticmethod
    def is_available() -> bool:
        """Return whether tf2_ros is installed."""
        return tf2_ros is not None

    def lookup(self, target: str, source: str, stamp_ns: int) -> npt.NDArray[np.float64]:
        """
        4x4 matrix that takes points of ``source`` to ``target`` at a stamp.

        Waits, up to the timeout, for what may still come: a stamp that connected frames do not
        have, be it ahead of them or lost; just after ``open`` also for frames that are not known
        yet. Raises ``TransformError``.
        """
        if stamp_ns < self._last_ns - _JUMP_NS:
            # A bag that starts again: tf2 ignores what is older than what it has.
            self._buffer.clear()
        self._last_ns = stamp_ns
        stamp = Time(nanoseconds=stamp_ns)
        deadline = max(time.monotonic() + self._timeout, self._settled)
        while not self._buffer.can_transform(target, source, stamp):
            now = time.monotonic()
            hopeful = now < self._settled or self._buffer.can_transform(target, source, Time())
            if not hopeful or now > deadline or self._closed.wait(_POLL):
                break
        try:
            transform = self._buffer.lookup_transform(target, source, stamp).transform
        except tf2_ros.TransformException as error:
            raise TransformError(
                f'no transform from {source!r} to {target!r} at the picture ({error}); publish '
                'it, raise tf_timeout or set ground_frame') from error
        t, q = transform.translation, transform.rotation
        return matrix_from(np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w]))

    def close(self) -> None:
        """End the wait of the worker and unsubscribe."""
        self._closed.set()
        if self._listener is not None:
            self._listener.unregister()
            self._listener = None
