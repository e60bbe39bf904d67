"""Publishers of a node that do nothing while nobody listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle.publisher import LifecyclePublisher
from rclpy.qos import QoSProfile

from deepsight_ros.ros import qos


class LazyPublishers:
    """One publisher per topic."""

    def __init__(
        self, node: LifecycleNode, topics: Mapping[str, tuple[Any, str]], profile: QoSProfile,
    ) -> None:
        """Create publishers of ``topics``, name to message type and description, on ``node``."""
        self._node = node
        self._publishers: dict[str, LifecyclePublisher] = {}
        try:
            for topic, (kind, _) in topics.items():
                self._publishers[topic] = node.create_lifecycle_publisher(
                    kind, topic, profile, qos_overriding_options=qos.overridable())
        except Exception:
            self.destroy()
            raise

    def is_wanted(self, topic: str) -> bool:
        """Whether somebody subscribes to a topic."""
        return bool(self._publishers[topic].get_subscription_count())

    def send(self, topic: str, message: Any) -> None:
        """Publish a message."""
        self._publishers[topic].publish(message)

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()
