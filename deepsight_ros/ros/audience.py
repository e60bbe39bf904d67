"""Somebody who listens to everything that the ``embodied_depth`` node says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Container
from functools import partial
from statistics import median
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher

from deepsight_ros.ros import qos
from deepsight_ros.ros.outputs import TOPICS

DEPTH = 'embodied_depth/image'
NODE = 'embodied_depth'


class Audience:
    """Counts pictures that were answered, and keeps the answers to some."""

    def __init__(self, keep: Container[int]) -> None:
        """Join the graph; keep what comes for the stamps (ns) in ``keep``."""
        self.answered: set[int] = set()
        """Stamps of the pictures for which depth came back."""
        self._answers: dict[int, dict[str, Any]] = defaultdict(dict)
        self._keep = keep
        self._times: list[float] = []
        self._reports: list[dict[str, str]] = []
        # A context of its own leaves Ctrl-C to Python.
        self._context = rclpy.Context()
        self._context.init()
        self._node = Node('audience', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        for topic, (kind, _) in TOPICS.items():
            self._node.create_subscription(
                kind, topic, partial(self._take, topic), qos.output())
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._take_status, 10)

    def publisher(self, kind: Any, topic: str) -> Publisher:
        """Return a publisher of messages, so that the audience can ask as well."""
        return self._node.create_publisher(kind, topic, qos.output())

    def subscribe(self, kind: Any, topic: str, take: Callable[[Any], None]) -> None:
        """Listen to one topic more."""
        self._node.create_subscription(kind, topic, take, qos.output())

    def count_publishers(self, topic: str) -> int:
        """Return how many publishers of a topic are known."""
        return int(self._node.count_publishers(topic))

    def count_subscribers(self, topic: str) -> int:
        """Return how many subscribers of a topic are known, the audience included."""
        return int(self._node.count_subscribers(topic))

    def listen(self, seconds: float) -> None:
        """Receive for some time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def listen_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Receive until ``condition`` holds; return whether it did within ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def hears_answers(self, count: int, seconds: float) -> bool:
        """Receive until so many pictures are answered; return whether they are in time."""
        return self.listen_until(lambda: len(self.answered) >= count, seconds)

    def hears_all(self) -> bool:
        """Whether every topic has found its publisher."""
        return all(self.count_publishers(topic) for topic in TOPICS)

    def answers(self) -> dict[int, dict[str, Any]]:
        """Return stamp (ns) to topic to message, where all topics have come."""
        return {stamp: answer for stamp, answer in sorted(self._answers.items())
                if answer.keys() == TOPICS.keys()}

    def rate_hz(self) -> float:
        """Depth pictures per second between the first and the last."""
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def milliseconds(self) -> dict[str, float]:
        """Return the node's own times per stage, the median over its reports."""
        stages: dict[str, list[float]] = defaultdict(list)
        for report in self._reports:
            for key, value in report.items():
                if key.endswith('_ms'):
                    stages[key.removesuffix('_ms')].append(float(value))
        return {stage: median(values) for stage, values in stages.items()}

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.shutdown()

    def _take(self, topic: str, message: Any) -> None:
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        if topic == DEPTH:
            self.answered.add(stamp)
            self._times.append(time.monotonic())
        if stamp in self._keep:
            self._answers[stamp][topic] = message

    def _take_status(self, message: DiagnosticArray) -> None:
        if not message.status[0].hardware_id.endswith(NODE):
            return  # of another node
        self._reports.append({item.key: item.value for item in message.status[0].values})
