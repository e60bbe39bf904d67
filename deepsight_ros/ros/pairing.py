"""Pictures and camera_info, brought together."""

from __future__ import annotations

from collections import deque
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

    Where none comes for ``GRACE``, pictures are handed on with None, so that somebody can
    complain. With equal stamps several pictures wait, since a camera_info may be late by more than
    a picture. Used from the executor's thread alone.
    """

    def __init__(self, deliver: Deliver, *, exact: bool) -> None:
        """Call ``deliver`` with each pair; ``exact`` asks for equal stamps."""
        self._deliver = deliver
        self._exact = exact
        self._infos: OrderedDict[tuple[int, int], CameraInfo] = OrderedDict()
        self.unpaired = 0
        """Pictures that were given up for others, as no camera_info has their stamp."""
        self._waiting: deque[Any] = deque()
        self._waits_since: float | None = None

    def add_picture(self, picture: Any) -> None:
        """Take an Image or CompressedImage."""
        self._waiting.append(picture)
        if self._hand_on():
            return
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > GRACE:
            self._deliver(self._waiting.popleft(), None)
        if len(self._waiting) > (_HISTORY if self._exact else 1):
            self._waiting.popleft()
            self.unpaired += self._exact

    def add_info(self, info: CameraInfo) -> None:
        """Take a CameraInfo; a picture that waited for it goes on."""
        if self._exact:
            self._infos[_stamp(info)] = info
            while len(self._infos) > _HISTORY:
                self._infos.popitem(last=False)
        else:
            self._infos[0, 0] = info
        self._hand_on()

    def _hand_on(self) -> bool:
        """Deliver the picture that has its camera_info now; those before it are given up."""
        for before, picture in enumerate(self._waiting):
            info = self._infos.get(_stamp(picture) if self._exact else (0, 0))
            if info is not None:
                for _ in range(before + 1):
                    self._waiting.popleft()
                self.unpaired += before
                self._waits_since = None
                self._deliver(picture, info)
                return True
        return False


def unpaired_text(count: int) -> str:
    """Return what to tell about pictures that were given up."""
    return (f'{count} pictures without a camera_info of the same stamp; publish one with each, or '
            'set camera_info_exact to false')


def _stamp(message: Any) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec
