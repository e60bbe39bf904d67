"""Pictures and camera_info, brought together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
import time
from typing import Any

from sensor_msgs.msg import CameraInfo

GRACE = 1.0
"""Seconds that the first picture waits for its camera_info before that is an error."""
_HISTORY = 10

Deliver = Callable[[Any, 'CameraInfo | None'], None]


class Pairing:
    """
    Hands each picture on with its camera_info: the last received, or that of the same stamp.

    A picture whose camera_info does not come is handed on with None, after ``GRACE`` or when the
    next one arrives, so that somebody can complain. Used from the executor's thread alone.
    """

    def __init__(self, deliver: Deliver, *, exact: bool) -> None:
        """Call ``deliver`` with each pair; ``exact`` asks for equal stamps."""
        self._deliver = deliver
        self._exact = exact
        self._infos: OrderedDict[tuple[int, int], CameraInfo] = OrderedDict()
        self._waiting: Any = None
        self._waits_since: float | None = None

    def add_picture(self, picture: Any) -> None:
        """Take an Image or CompressedImage."""
        info = self._find(picture)
        if info is not None:
            self._waits_since = self._waiting = None
            self._deliver(picture, info)
            return
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > GRACE:
            self._deliver(self._waiting, None)
        self._waiting = picture

    def add_info(self, info: CameraInfo) -> None:
        """Take a CameraInfo; a picture that waited for it goes on."""
        if self._exact:
            self._infos[_stamp(info)] = info
            while len(self._infos) > _HISTORY:
                self._infos.popitem(last=False)
        else:
            self._infos[0, 0] = info
        if self._waiting is not None and self._find(self._waiting) is not None:
            self.add_picture(self._waiting)

    def _find(self, picture: Any) -> CameraInfo | None:
        return self._infos.get(_stamp(picture) if self._exact else (0, 0))


def _stamp(message: Any) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec
