"""Questions that wait for an answer, and which of them is next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
import math
from threading import Condition
from threading import Event
import time

from deepsight_ros.language.questions import Id
from deepsight_ros.language.questions import Question


@dataclass(frozen=True, eq=False)
class Asked:
    """A question on its way; times are those of ``time.monotonic``."""

    question: Question
    id: Id
    received: float
    deadline: float
    cancelled: Event = field(default_factory=Event)


class QuestionQueue:
    """
    First come, first served, and bounded; a question for a later picture lets others pass.

    Those that wait for a picture have as many places of their own, so that they keep none from
    others.

    Whoever answers calls ``take`` in a thread of its own; all else may be called from any thread.
    """

    def __init__(self, capacity: int) -> None:
        """Hold at most ``capacity`` questions of either kind besides the one in work."""
        self._capacity = capacity
        self._waiting: list[Asked] = []
        self._current: Asked | None = None
        self._newest_ns: int | None = None
        self._closed = False
        self._changed = Condition()

    def __len__(self) -> int:
        """Return how many questions wait."""
        return len(self._waiting)

    def put(self, asked: Asked) -> bool:
        """Add a question; return False if there is no room, or no one left to answer."""
        with self._changed:
            alike = sum((other.question.after_ns is None) == (asked.question.after_ns is None)
                        for other in self._waiting)
            if self._closed or alike >= self._capacity:
                return False
            self._waiting.append(asked)
            self._changed.notify()
            return True

    def see(self, stamp_ns: int) -> None:
        """Tell the stamp of the newest picture."""
        with self._changed:
            self._newest_ns = stamp_ns
            self._changed.notify()

    def take(self) -> Asked | None:
        """
        Wait for the oldest question that can be answered now; None once the queue is closed.

        One that waits for a picture can be answered when that is there, or its deadline is.
        """
        with self._changed:
            self._current = None
            while not self._closed:
                now = time.monotonic()
                for index, asked in enumerate(self._waiting):
                    if asked.deadline <= now or self._has_picture(asked):
                        self._current = self._waiting.pop(index)
                        return self._current
                next_deadline = min((asked.deadline for asked in self._waiting), default=math.inf)
                self._changed.wait(None if next_deadline == math.inf else next_deadline - now)
            return None

    def cancel(self, matches: Callable[[Asked], bool]) -> tuple[list[Asked], bool]:
        """
        Remove the waiting questions that match and flag the one in work if it does.

        Return the removed ones, which are now the caller's to answer, and whether the one in work
        was flagged.
        """
        with self._changed:
            removed = [asked for asked in self._waiting if matches(asked)]
            self._waiting = [asked for asked in self._waiting if not matches(asked)]
            in_work = self._current is not None and matches(self._current)
            if in_work and self._current is not None:
                self._current.cancelled.set()
            return removed, in_work

    def close(self) -> list[Asked]:
        """End ``take`` for good and cancel all; return those that nobody will take."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        return self.cancel(lambda asked: True)[0]

    def _has_picture(self, asked: Asked) -> bool:
        after = asked.question.after_ns
        return after is None or (self._newest_ns is not None and self._newest_ns >= after)
