"""Log lines that repeat with every picture, once per period."""

from __future__ import annotations

from threading import Lock
import time

from rclpy.impl.rcutils_logger import RcutilsLogger

ERROR_PERIOD = 5.0
WARNING_PERIOD = 30.0
"""Seconds between two lines about the same thing."""


class Notices:
    """
    Throttled errors and warnings.

    rclpy throttles per line of code; here it is per ``topic``, so that one problem does not hide
    another. The steady clock counts, since ROS time may stand still or jump.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        """Write to ``logger``."""
        self._logger = logger
        self._last: dict[str, float] = {}
        self._lock = Lock()

    def error(self, topic: str, text: str) -> None:
        """Log an error unless one about ``topic`` was logged in the last period."""
        if self._is_due(topic, ERROR_PERIOD):
            self._logger.error(text)

    def warning(self, topic: str, text: str) -> None:
        """Log a warning unless one about ``topic`` was logged in the last period."""
        if self._is_due(topic, WARNING_PERIOD):
            self._logger.warning(text)

    def _is_due(self, topic: str, period: float) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(topic, -period) < period:
                return False
            self._last[topic] = now
            return True
