"""The topics of answers."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import ColorRGBA
from std_msgs.msg import Header
from std_msgs.msg import String
from visualization_msgs.msg import Marker
from visualization_msgs.msg import MarkerArray

from deepsight_ros.language.questions import Id
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.ros import qos
from deepsight_ros.ros.lazy_publishers import LazyPublishers

TOPICS = {
    'answer': (String, 'the sentence'),
    'answer/details': (String, 'JSON: what a program reads, and how the answer came about'),
    'answer/partial': (String, 'JSON: the text so far'),
    'answer/point': (PointStamped, 'the place that the answer points at'),
    'answer/markers': (MarkerArray, 'the same for RViz: sphere and sentence'),
}
_COLOURS = {True: (0.1, 0.8, 0.2), None: (1.0, 0.7, 0.0), False: (0.9, 0.1, 0.1)}
"""Whether the depth map agrees."""
_SIZE = 0.15
"""Metres: of the sphere and of capital letters."""


class AnswerOutputs(LazyPublishers):
    """What is published about a question."""

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publishers on ``node``."""
        super().__init__(node, TOPICS, qos.questions())

    def publish(
        self, answer: SpatialAnswer, details: dict[str, Any], header: Header | None,
    ) -> None:
        """Publish an answer; ``header`` is that of the picture that was used."""
        # The sentence comes last: who waits for it finds the rest already there.
        self._send_if_wanted('answer/details', String(data=json.dumps(details, allow_nan=False)))
        point = answer.evidence.point
        if header is not None:
            if point is not None:
                x, y, z = point
                self._send_if_wanted(
                    'answer/point', PointStamped(header=header, point=Point(x=x, y=y, z=z)))
            self._send_if_wanted('answer/markers', _markers(answer, header))
        self._send_if_wanted('answer', String(data=answer.sentence))

    def partial_publisher(self, identity: Id) -> Callable[[str], None] | None:
        """Return what publishes the text so far; None while nobody listens."""
        if not self.is_wanted('answer/partial'):
            return None
        return lambda text: self.send(
            'answer/partial', String(data=json.dumps({'id': identity, 'text': text})))

    def _send_if_wanted(self, topic: str, message: Any) -> None:
        if self.is_wanted(topic):
            self.send(topic, message)


def _markers(answer: SpatialAnswer, header: Header) -> MarkerArray:
    """Sphere and sentence in place of those before; nothing where an answer has no place."""
    array = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    point = answer.evidence.point
    if point is None:
        return array
    red, green, blue = _COLOURS[answer.evidence.agrees]
    for number, kind in enumerate((Marker.SPHERE, Marker.TEXT_VIEW_FACING)):
        marker = Marker(header=header, ns='answer', id=number, type=kind, action=Marker.ADD,
                        color=ColorRGBA(r=red, g=green, b=blue, a=1.0))
        marker.pose.position = Point(x=point[0], y=point[1], z=point[2])
        marker.pose.orientation.w = 1.0
        marker.scale.x = marker.scale.y = marker.scale.z = _SIZE
        array.markers.append(marker)
    text = array.markers[-1]
    text.pose.position.y -= 2 * _SIZE  # above the sphere: y points down in optical frames
    text.text = answer.sentence
    return array
