"""The other side of the node: publishes camera topics, listens to results."""

from array import array
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Sequence
import math
from pathlib import Path
import re
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from sensor_msgs.msg import Imu

from deepsight_ros.geometry import SceneClass
from deepsight_ros.ros.embodied_depth import EmbodiedDepthNode
from deepsight_ros.ros.outputs import TOPICS

WIDTH, HEIGHT, FOCAL = 128, 64, 100.0
CAMERA_HEIGHT = 1.5
PATIENCE = 20.0
"""Seconds after which an event that was waited for counts as missing."""


def street(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Sky above the middle, road below, a wall at the right; RGB [H, W, 3]."""
    classes = np.full((height, width), SceneClass.SKY, np.uint8)
    classes[height // 2:] = SceneClass.ROAD
    classes[height // 4:height * 3 // 4, width * 3 // 4:] = SceneClass.STRUCTURE
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = classes * 32 + 16
    return picture


def image(stamp: float = 1.0, picture: np.ndarray | None = None, **fields: Any) -> Image:
    """Image of the street, or of ``picture``, with some fields changed."""
    picture = street() if picture is None else picture
    message = Image(height=picture.shape[0], width=picture.shape[1], encoding='rgb8',
                    step=picture.shape[1] * 3, data=array('B', picture.tobytes()))
    _set_header(message, stamp)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def camera_info(stamp: float = 1.0, width: int = WIDTH, height: int = HEIGHT,
                focal: float = FOCAL, **fields: Any) -> CameraInfo:
    """Calibration of a camera whose principal point is the middle."""
    k = [float(focal), 0.0, width / 2, 0.0, float(focal), height / 2, 0.0, 0.0, 1.0]
    message = CameraInfo(
        width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5, k=k,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0])
    _set_header(message, stamp)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def _set_header(message: Any, stamp: float) -> None:
    message.header.frame_id = 'camera'
    message.header.stamp.sec = math.floor(stamp)
    message.header.stamp.nanosec = round((stamp - math.floor(stamp)) * 1e9)


def stamp_of(message: Any) -> float:
    """Stamp in seconds."""
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9


class Peer:
    """One executor for both sides, so that a test decides when callbacks run."""

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        self._executor = SingleThreadedExecutor()
        self.node = Node('peer')
        self._executor.add_node(self.node)
        self.under_test: EmbodiedDepthNode | None = None
        self.received: dict[str, list[Any]] = defaultdict(list)
        self._publishers: dict[type, Publisher] = {}

    def start_node(self, **parameters: Any) -> EmbodiedDepthNode:
        """Add the node under test; without other wishes it has a height and no refinement."""
        values = {'segmentation_bundle': str(self._bundle), 'camera_height': CAMERA_HEIGHT,
                  'refine_ground': False, **parameters}
        self.under_test = EmbodiedDepthNode(parameter_overrides=[
            Parameter(name, value=value) for name, value in values.items()])
        self._executor.add_node(self.under_test)
        self.under_test.start()
        return self.under_test

    def listen(self, *topics: str, keep: Callable[[Any], Any] = lambda message: message) -> None:
        """
        Subscribe to results of the node (without the leading ``embodied_depth/``).

        What ``keep`` makes of each message is appended to ``received``.
        """
        for topic in topics:
            kind, name = (DiagnosticArray, '/diagnostics') if topic == 'diagnostics' else (
                TOPICS[f'embodied_depth/{topic}'][0], f'embodied_depth/{topic}')
            self.node.create_subscription(
                kind, name, lambda message, to=self.received[topic]: to.append(keep(message)), 10)

    def send(self, *messages: Any) -> None:
        """Publish messages, each on the topic of its type."""
        for message in messages:
            self._publisher_of(type(message)).publish(message)

    def _publisher_of(self, kind: type) -> Publisher:
        if kind not in self._publishers:
            topic = {CameraInfo: 'camera_info', Imu: 'imu'}.get(kind, 'image')
            self._publishers[kind] = self.node.create_publisher(
                kind, topic, QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE))
        return self._publishers[kind]

    def wait_until(self, condition: Callable[[], Any], what: str = '',
                   patience: float = PATIENCE) -> Any:
        """Run callbacks until ``condition`` returns something true, and return that."""
        deadline = time.monotonic() + patience
        while not (result := condition()):
            assert time.monotonic() < deadline, f'waited {patience} s in vain: {what}'
            self.spin_once(timeout=0.02)
        return result

    def spin_once(self, timeout: float) -> None:
        """Run at most one callback."""
        self._executor.spin_once(timeout_sec=timeout)

    def connect(self) -> None:
        """Wait until publishers and subscribers of both sides have found each other."""
        node = self.under_test
        self.wait_until(lambda: all(
            self._publisher_of(kind).get_subscription_count() for kind in (Image, CameraInfo)
        ) and all(node.count_subscribers(f'embodied_depth/{topic}') and
                  self.node.count_publishers(f'embodied_depth/{topic}')
                  for topic in self.received if topic != 'diagnostics'), 'discovery')

    def next_result(self, topic: str, *messages: Any, what: str = '') -> Any:
        """Send ``messages`` until a new result arrives on ``topic``, and return it."""
        known = len(self.received[topic])
        self.send(*messages)
        self.wait_until(lambda: len(self.received[topic]) > known, what or f'result on {topic}')
        return self.received[topic][-1]

    def refuses(self, bad: Callable[[float], Sequence[Any]], match: str) -> None:
        """
        Check that messages made by ``bad`` (of a stamp) are complained about and not published.

        A good picture sent afterwards is the first that gets through.
        """
        node = self.under_test
        assert node is not None
        self.listen('image')
        self.connect()
        for stamp in (1.0, 2.0, 3.0):
            node.problem = ''
            self.send(*bad(stamp))
            self.wait_until(lambda: node.problem, f'complaint that matches {match!r}')
            assert re.search(match, node.problem), node.problem
        self.send_until(lambda: self.received['image'] and not node.problem,
                        camera_info(10.0), image(10.0))
        assert {stamp_of(message) for message in self.received['image']} == {10.0}

    def send_until(self, condition: Callable[[], Any], *messages: Any) -> Any:
        """
        Send the same messages again and again until ``condition`` returns something true.

        Topics are not ordered among each other: a picture may overtake its camera_info.
        """
        def sent() -> Any:
            result = condition()
            if not result:
                self.send(*messages)
            return result

        return self.wait_until(sent)

    def status(self) -> dict[str, str]:
        """Return the newest values of /diagnostics, with ``level`` and ``message``."""
        status = self.received['diagnostics'][-1].status[0]
        return {'level': status.level, 'message': status.message,
                **{item.key: item.value for item in status.values}}

    def close(self) -> None:
        """Destroy both nodes."""
        for node in (self.under_test, self.node):
            if node is not None:
                self._executor.remove_node(node)
                node.destroy_node()
        self._executor.shutdown()


def as_array(message: Image) -> np.ndarray:
    """Picture of a result."""
    dtype = {'32FC1': np.float32, 'mono8': np.uint8, 'rgb8': np.uint8}[message.encoding]
    picture = np.frombuffer(message.data, dtype).reshape(message.height, message.width, -1)
    return picture.squeeze()
