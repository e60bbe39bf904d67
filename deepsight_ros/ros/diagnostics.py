"""The node's state on /diagnostics, once per second."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node

PERIOD = 1.0
"""Seconds between two messages."""

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
Status = tuple[bytes, str, Mapping[str, object]]
"""Level, message and values."""


class Diagnostics:
    """
    Publishes what ``describe`` returns.

    The steady clock drives it, so that it goes on while simulated time stands still.
    """

    def __init__(self, node: Node, describe: Callable[[], Status]) -> None:
        """Create publisher and timer on ``node``."""
        self._node = node
        self._describe = describe
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._timer = node.create_timer(
            PERIOD, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Publish the state now."""
        level, text, values = self._describe()
        name = self._node.get_fully_qualified_name()
        status = DiagnosticStatus(
            level=level, name=f'{name.lstrip("/")}: pictures', message=text, hardware_id=name,
            values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()])
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


def _text(value: object) -> str:
    return f'{value:.3f}' if isinstance(value, float) else str(value)
