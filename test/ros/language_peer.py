"""The other side of ``spatial_language``: a depth camera that asks questions."""

from array import array
from itertools import count
import json
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from ros_peer import camera_info
from ros_peer import image
from ros_peer import Peer
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from sensor_msgs.msg import Imu
from std_msgs.msg import String
from std_srvs.srv import Trigger

from deepsight_ros.ros import qos
from deepsight_ros.ros.answer_outputs import TOPICS
from deepsight_ros.ros.spatial_language import SpatialLanguageNode

WIDTH, HEIGHT, FOCAL, UP, WALL = 160, 120, 120.0, 0.6, 3.0
"""Pixels, and metres of the camera's height and of the wall that it looks at."""
STAMP = 100.0
OBSTACLE = 'how far is the nearest obstacle?'
PLACE = 'How far is (80, 30)?'


def hall() -> np.ndarray:
    """Depth [H, W] (m) of a floor and a wall."""
    with np.errstate(divide='ignore'):
        floor = UP * FOCAL / (np.arange(HEIGHT) - HEIGHT / 2)
    floor[(floor <= 0) | (floor > WALL)] = WALL
    return np.tile(floor[:, None], (1, WIDTH)).astype(np.float32)


def depth_image(stamp: float = STAMP, depth: np.ndarray | None = None, **fields: Any) -> Image:
    """32FC1 or 16UC1 Image of the hall, or of ``depth``, with some fields changed."""
    depth = hall() if depth is None else depth
    message = image(stamp, height=depth.shape[0], width=depth.shape[1], step=depth.strides[0],
                    encoding={'float32': '32FC1', 'uint16': '16UC1'}[depth.dtype.name],
                    data=array('B', depth.tobytes()))
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def depth_info(stamp: float = STAMP, width: int = WIDTH, height: int = HEIGHT) -> CameraInfo:
    """Calibration of the depth camera."""
    return camera_info(stamp, width, height, FOCAL * width / WIDTH)


class LanguagePeer(Peer):
    """Asks, and keeps every answer."""

    def __init__(self, bundle: Path) -> None:
        super().__init__(bundle)
        self.answers: list[dict[str, Any]] = []
        """All ``answer/details``, in the order in which they came."""
        self._ids = count()

    def start_node(self, **parameters: Any) -> SpatialLanguageNode:
        """Add the node under test; else it knows its height, and no picture is too old."""
        values = {'language_bundle': str(self._bundle), 'camera_height': UP, 'ground_frame': '',
                  'max_frame_age': 0.0, **parameters}
        self.under_test = SpatialLanguageNode(parameter_overrides=[
            Parameter(name, value=value) for name, value in values.items()])
        self._executor.add_node(self.under_test)
        self.under_test.start()
        return self.under_test

    def listen(self, *topics: str, keep: Any = lambda message: message) -> None:
        """Subscribe to topics below ``answer/``, to ``answer`` itself, or to ``diagnostics``."""
        for topic in topics:
            kind, name = (DiagnosticArray, '/diagnostics') if topic == 'diagnostics' else (
                (TOPICS[topic][0], topic))
            self.node.create_subscription(
                kind, name, lambda message, to=self.received[topic]: to.append(keep(message)),
                qos.questions())

    def hear_answers(self) -> None:
        """Keep what comes on ``answer/details``."""
        self.node.create_subscription(
            String, 'answer/details', lambda message: self.answers.append(
                json.loads(message.data, parse_constant=lambda name: f'bad JSON: {name}')),
            qos.questions())

    def connect(self) -> None:
        """Hear all answers, and wait until both sides have found each other."""
        self.hear_answers()
        node, kinds = self.under_test, (Image, CameraInfo, String)
        self.wait_until(lambda: all(
            self._publisher_of(kind).get_subscription_count() for kind in kinds
        ) and all(node.count_subscribers(topic) and self.node.count_publishers(topic)
                  for topic in {'answer/details', *self.received} - {'diagnostics'}), 'discovery')

    def show(self, *messages: Any) -> None:
        """Send a picture with its camera_info, and wait until the node has both."""
        messages = messages or (depth_info(), depth_image())
        stamp = messages[-1].header.stamp
        self.send(*messages)
        self.wait_until(lambda: self.newest_stamp() == (stamp.sec, stamp.nanosec), 'picture')

    def newest_stamp(self) -> tuple[int, int] | None:
        """Return the stamp of the picture that the node would answer about."""
        job = self.under_test._newest
        stamp = job and job.picture.header.stamp
        return stamp and (stamp.sec, stamp.nanosec)

    def ask(self, text: str, **fields: Any) -> dict[str, Any]:
        """Ask, and return the answer."""
        name = fields.setdefault('id', f'ask {next(self._ids)}')
        self.say(json.dumps({'text': text, **fields}))
        return self.answer(name)

    def answer(self, name: Any) -> dict[str, Any]:
        """Wait for the answer to a question by its id."""
        return self.wait_until(lambda: next(
            (answer for answer in self.answers if answer['id'] == name), None), f'answer {name}')

    def next_answer(self, data: str) -> dict[str, Any]:
        """Send what may be no question at all, and return the answer that comes next."""
        known = len(self.answers)
        self.say(data)
        self.wait_until(lambda: len(self.answers) > known, 'any answer')
        return self.answers[known]

    def say(self, data: str | bytes) -> None:
        """Publish on ``question``; bytes are a serialised message."""
        self._publisher_of(String).publish(
            data if isinstance(data, bytes) else String(data=data))

    def cancel_all(self) -> Trigger.Response:
        """Call the service ``cancel``."""
        client = self.node.create_client(Trigger, 'cancel')
        self.wait_until(client.service_is_ready, 'cancel')
        future = client.call_async(Trigger.Request())
        self.wait_until(future.done, 'response of cancel')
        return future.result()

    def _publisher_of(self, kind: type) -> Publisher:
        topic = {Image: 'depth/image', CameraInfo: 'depth/camera_info', Imu: 'imu',
                 String: 'question'}[kind]
        if kind not in self._publishers:
            self._publishers[kind] = self.node.create_publisher(kind, topic, qos.questions())
        return self._publishers[kind]
