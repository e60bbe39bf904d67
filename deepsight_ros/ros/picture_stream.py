"""Subscriptions of a node that works on pictures, and the thread that does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from deepsight_ros.ros.pairing import Pairing
from deepsight_ros.ros.worker import LatestWorker


@dataclass(frozen=True)
class Job:
    """A picture to work on."""

    picture: Image | CompressedImage
    info: CameraInfo | None
    received: float
    """``time.monotonic()`` at which the pair was complete."""


class PictureStream:
    """Subscribes to image, camera_info and imu; the worker gets the newest pair."""

    def __init__(
        self,
        node: Node,
        work: Callable[[Job], None],
        on_imu: Callable[[Imu], None],
        *,
        compressed: bool,
        exact: bool,
    ) -> None:
        """Start the worker, then subscribe."""
        self.statistics = FrameStatistics()
        self._node = node
        self._worker = LatestWorker(work, name='embodied_depth')
        self._pairing = Pairing(self._submit, exact=exact)
        self._subscriptions: list[Subscription] = []
        try:
            self._subscribe(CompressedImage if compressed else Image, 'image', self._on_picture,
                            qos.newest_picture())
            self._subscribe(CameraInfo, 'camera_info', self._pairing.add_info, qos.sensor())
            self._subscribe(Imu, 'imu', on_imu, qos.sensor())
        except Exception:
            self.close()
            raise

    @property
    def topic(self) -> str:
        """Full name of the picture topic."""
        name: str = self._subscriptions[0].topic_name
        return name

    @property
    def dropped(self) -> int:
        """Pictures that arrived but made room for a newer one."""
        return self._worker.dropped

    def close(self) -> None:
        """Unsubscribe, then wait for the worker's last picture."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._worker.stop()

    def _subscribe(
        self, kind: Any, topic: str, callback: Callable[[Any], None], profile: QoSProfile,
    ) -> None:
        self._subscriptions.append(self._node.create_subscription(
            kind, topic, callback, profile, qos_overriding_options=qos.overridable()))

    def _on_picture(self, picture: Image | CompressedImage) -> None:
        stamp = picture.header.stamp
        self.statistics.receive(stamp.sec * 1_000_000_000 + stamp.nanosec)
        self._pairing.add_picture(picture)

    def _submit(self, picture: Any, info: CameraInfo | None) -> None:
        self._worker.submit(Job(picture, info, time.monotonic()))
