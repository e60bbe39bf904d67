"""Subscriptions of a node that works on pictures, and the thread that does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from sensor_msgs.msg import Imu

from deepsight_ros.ros import qos
from deepsight_ros.ros.frame_statistics import FrameStatistics
from deepsight_ros.ros.frame_statistics import Report
from deepsight_ros.ros.pairing import Pairing
from deepsight_ros.ros.worker import LatestWorker


@dataclass(frozen=True)
class Job:
    """A picture to work on."""

    picture: Image | CompressedImage
    info: CameraInfo | None
    received: float
    """``time.monotonic()`` at which the pair was complete."""


class PictureTopics:
    """Subscribes to pictures, their camera_info and imu, and hands on pairs as they come."""

    def __init__(
        self,
        node: Node,
        deliver: Callable[[Job], None],
        on_imu: Callable[[Imu], None] | None,
        *,
        exact: bool,
        kind: Any = Image,
        namespace: str = '',
    ) -> None:
        """Subscribe to ``image`` and ``camera_info`` in ``namespace``, and to ``imu`` if asked."""
        self.statistics = FrameStatistics()
        self._node = node
        self._deliver = deliver
        self._pairing = Pairing(self._hand_on, exact=exact)
        self._subscriptions: list[Subscription] = []
        try:
            self.topic = self._subscribe(
                kind, f'{namespace}image', self._on_picture, qos.newest_picture())
            info = self._subscribe(
                CameraInfo, f'{namespace}camera_info', self._pairing.add_info, qos.sensor())
            if on_imu is not None:
                self._subscribe(Imu, 'imu', on_imu, qos.sensor())
        except Exception:
            self.close()
            raise
        self.info_remedy = (
            f'publish it beside the pictures or remap {namespace}camera_info; if it is latched, '
            f'set qos_overrides.{info}.subscription.durability to transient_local and reliability '
            'to reliable')

    def report(self) -> Report:
        """Return counts and means, and start the next period."""
        return replace(self.statistics.report(), unpaired=self._pairing.unpaired)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _subscribe(
        self, kind: Any, topic: str, callback: Callable[[Any], None], profile: QoSProfile,
    ) -> str:
        subscription = self._node.create_subscription(
            kind, topic, callback, profile, qos_overriding_options=qos.overridable())
        self._subscriptions.append(subscription)
        return str(subscription.topic_name)

    def _on_picture(self, picture: Image | CompressedImage) -> None:
        stamp = picture.header.stamp
        self.statistics.receive(stamp.sec * 1_000_000_000 + stamp.nanosec)
        self._pairing.add_picture(picture)

    def _hand_on(self, picture: Any, info: CameraInfo | None) -> None:
        self._deliver(Job(picture, info, time.monotonic()))


class PictureStream(PictureTopics):
    """Gives the newest pair to a worker."""

    def __init__(
        self,
        node: Node,
        work: Callable[[Job], None],
        on_imu: Callable[[Imu], None] | None,
        *,
        compressed: bool,
        exact: bool,
    ) -> None:
        """Start the worker, then subscribe."""
        self._worker = LatestWorker(work, name='embodied_depth')
        super().__init__(node, self._worker.submit, on_imu, exact=exact,
                         kind=CompressedImage if compressed else Image)

    @property
    def dropped(self) -> int:
        """Pictures that arrived but made room for a newer one."""
        return self._worker.dropped

    def close(self) -> None:
        """Unsubscribe, then wait for the worker's last picture."""
        super().close()
        self._worker.stop()
