"""The topics of answers."""

from __future__ import annotations

import json
from typing import Any

from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle.publisher import LifecyclePublisher
from std_msgs.msg import ColorRGBA
from std_msgs.msg import Header
from std_msgs.msg import String
from visualization_msgs.msg import Marker
from visualization_msgs.msg import MarkerArray

from deepsight_ros.language.questions import Id
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.ros import qos

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


class AnswerOutputs:
    """Publishers that do nothing while nobody listens."""

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publishers on ``node``."""
        self._node = node
        self._publishers: dict[str, LifecyclePublisher] = {}
        try:
            for topic, (kind, _) in TOPICS.items():
                self._publishers[topic] = node.create_lifecycle_publisher(
                    kind, topic, qos.questions(), qos_overriding_options=qos.overridable())
        except Exception:
            self.destroy()
            raise

    def publish(
        self, answer: SpatialAnswer, details: dict[str, Any], header: Header | None,
    ) -> None:
        """Publish an answer; ``header`` is that of the picture that was used."""
        # The sentence comes last: who waits for it finds the rest already there.
        self._publish('answer/details', String(data=json.dumps(details, allow_nan=False)))
        point = answer.evidence.point
        if header is not None:
            if point is not None:
                x, y, z = point
                self._publish('answer/point',
                              PointStamped(header=header, point=Point(x=x, y=y, z=z)))
            self._publish('answer/markers', _markers(answer, header))
        self._publish('answer', String(data=answer.sentence))

    def publish_partial(self, identity: Id, text: str) -> None:
        """Publish the text so far."""
        if self._is_wanted('answer/partial'):
            data = json.dumps({'id': identity, 'text': text})
            self._publish('answer/partial', String(data=data))

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def _is_wanted(self, topic: str) -> bool:
        return bool(self._publishers[topic].get_subscription_count())

    def _publish(self, topic: str, message: Any) -> None:
        if self._is_wanted(topic):
            self._publishers[topic].publish(message)


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
