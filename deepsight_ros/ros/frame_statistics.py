"""What happened to the pictures: counts since the start, times since the last report."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from dataclasses import field
from statistics import median
from threading import Lock
import time

_STAMPS = 15
_STAMPS_NEEDED = 5
_PAUSE_NS = 2_000_000_000
"""A longer gap is a camera that was off, or one that is triggered."""


@dataclass
class Report:
    """Counts since activation; means over the pictures since the last report."""

    received: int = 0
    published: int = 0
    failed: int = 0
    skipped: int = 0
    """Pictures for which nobody wanted a result."""
    missing: int = 0
    """Pictures that did not arrive, by the gaps between the stamps of those that did."""
    jumps: int = 0
    """Stamps that lay before their predecessor."""
    unpaired: int = 0
    """Pictures that were given up for want of their camera_info."""
    silent: bool = False
    """Whether no picture came for a second and three times as long as usual."""
    rate_hz: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


class FrameStatistics:
    """Counters that the executor's thread and the worker share."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self._counts = Report()
        self._sums: dict[str, float] = {}
        self._done = 0
        self._since = time.monotonic()
        self._arrived = self._since
        self._waits: deque[float] = deque([0.0], maxlen=_STAMPS)
        self._last_ns: int | None = None
        self._periods: deque[int] = deque(maxlen=_STAMPS)

    @property
    def received(self) -> int:
        """Pictures that arrived."""
        return self._counts.received

    def receive(self, stamp_ns: int) -> None:
        """Count a picture that arrived, and those that should have arrived before it."""
        with self._lock:
            self._counts.received += 1
            now = time.monotonic()
            if self._last_ns is not None:
                self._waits.append(now - self._arrived)
            self._arrived = now
            last, self._last_ns = self._last_ns, stamp_ns
            if last is None:
                return
            period = stamp_ns - last
            if period <= 0:
                if period < 0:
                    self._counts.jumps += 1
                    self._periods.clear()
                return
            self._periods.append(period)
            if len(self._periods) > _STAMPS_NEEDED and period <= _PAUSE_NS:
                # A low one of the periods, since many hold gaps when much is lost; rounded down,
                # since stamps taken on arrival jitter.
                usual = sorted(self._periods)[len(self._periods) // 5]
                self._counts.missing += max(0, int(period / usual + 0.25) - 1)

    def publish(self, seconds: dict[str, float]) -> None:
        """Count a picture whose results were published, and add its times per stage."""
        with self._lock:
            self._counts.published += 1
            self._done += 1
            for stage, duration in seconds.items():
                self._sums[stage] = self._sums.get(stage, 0.0) + duration

    def fail(self) -> None:
        """Count a picture that could not be used."""
        with self._lock:
            self._counts.failed += 1

    def skip(self) -> None:
        """Count a picture for which nobody wanted a result."""
        with self._lock:
            self._counts.skipped += 1

    def report(self) -> Report:
        """Return counts and means, and start the next period."""
        now = time.monotonic()
        with self._lock:
            done, sums, elapsed = self._done, self._sums, now - self._since
            self._done, self._sums, self._since = 0, {}, now
            means = {stage: total / done for stage, total in sums.items()}
            silent = now - self._arrived > max(1.0, 3 * median(self._waits))
            return Report(**{**vars(self._counts), 'silent': silent, 'rate_hz': done / elapsed,
                             'seconds': means})
