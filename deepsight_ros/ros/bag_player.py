"""
Plays a bag over topics with its time on /clock.

For where ``ros2 bag play`` is absent, as in a pip installation; it has no other advantage.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
import sys
import time
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_reader import IMAGE
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import ResourceError
from deepsight_ros.ros import answer_outputs
from deepsight_ros.ros import outputs

CLOCK = '/clock'
OWN = tuple(f'/{topic}' for topic in (*outputs.TOPICS, *answer_outputs.TOPICS, 'diagnostics'))
"""Ends of the topics that are the nodes' own to publish, in whatever namespace."""
LATCHED = '/tf_static'
DEPTH = 10
FAREWELL = Duration(seconds=2)
"""Longest wait for reliable subscribers to have the last messages."""
STEP = 0.1
"""Longest sleep in s between two looks at whether a signal came."""
NANOSECONDS = 1_000_000_000


class BagPlayer(Node):
    """Publishes the messages of an open bag, as they were on the wire."""

    def __init__(self, bag: BagReader) -> None:
        """Create a publisher for every topic whose type is installed."""
        super().__init__('bag_player')
        self._bag = bag
        # A recorded clock may be a simulation's, which the stamps follow.
        self._clock_publisher = (None if CLOCK in bag.types()
                                 else self.create_publisher(Clock, CLOCK, DEPTH))
        self._publishers_of: dict[str, Publisher] = {}
        for topic, name in bag.types().items():
            kind = _message_type(name)
            if topic.endswith(OWN):
                self.get_logger().info(f'{topic} is not played: it is for the nodes to publish')
            elif kind is None:
                self.get_logger().warning(f'{topic} is not played: {name} is not installed')
            else:
                self._publishers_of[topic] = self.create_publisher(kind, topic, _qos(topic))

    def wait_for_subscriber(self, seconds: float) -> bool:
        """Wait until somebody listens to a picture; return whether that came to pass."""
        pictures = self._bag.topics(IMAGE, COMPRESSED_IMAGE)
        publishers = [self._publishers_of[topic] for topic in pictures
                      if topic in self._publishers_of]
        end = time.monotonic() + seconds
        while not any(publisher.get_subscription_count() for publisher in publishers):
            if time.monotonic() > end:
                return False
            rclpy.spin_once(self, timeout_sec=0.05)
        return True

    def play(self, rate: float) -> int:
        """Publish all messages, ``rate`` times as fast as recorded; return how many."""
        count, first, started = 0, 0, time.monotonic()
        for message in self._bag.serialized(self._publishers_of):
            first = first or message.time_ns
            due = started + (message.time_ns - first) / NANOSECONDS / rate
            if not self._sleep_until(due):
                return count
            if self._clock_publisher is not None:
                clock = Clock()
                clock.clock.sec, clock.clock.nanosec = divmod(message.time_ns, NANOSECONDS)
                self._clock_publisher.publish(clock)
            self._publishers_of[message.topic].publish(bytes(message.data))
            count += 1
        for publisher in self._publishers_of.values():
            publisher.wait_for_all_acked(FAREWELL)
        return count

    def _sleep_until(self, due: float) -> bool:
        """Sleep in short steps; False when a signal ended the context."""
        while self.context.ok():
            left = due - time.monotonic()
            if left <= 0.0:
                return True
            time.sleep(min(left, STEP))
        return False


def _message_type(name: str) -> Any:
    package, _, kind = name.split('/')
    try:
        return getattr(import_module(f'{package}.msg'), kind)
    except (ModuleNotFoundError, AttributeError):
        return None


def _qos(topic: str) -> QoSProfile:
    latched = topic == LATCHED
    return QoSProfile(depth=DEPTH, durability=(
        DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE))


def main(args: list[str] | None = None) -> int:
    """Play a bag; return 1 when it cannot be read."""
    argv = sys.argv if args is None else ['bag_player', *args]
    parser = argparse.ArgumentParser(prog='bag_player', description=__doc__)
    parser.add_argument('bag', help='folder of a bag, or the name of a sample bag')
    parser.add_argument('--rate', type=float, default=1.0, help='speed; 1 is as recorded')
    parser.add_argument('--wait', type=float, default=10.0,
                        help='longest wait in s for somebody who listens to a picture')
    options = parser.parse_args(remove_ros_args(argv)[1:])
    if options.rate <= 0:
        parser.error('--rate must be positive')
    rclpy.init(args=argv)
    try:
        path = Path(options.bag)
        with BagReader(path if path.exists() else find_sample_bag(options.bag)) as bag:
            player = BagPlayer(bag)
            if not player.wait_for_subscriber(options.wait):
                player.get_logger().warning(f'nobody listened to pictures for {options.wait} s')
            count = player.play(options.rate)
            player.get_logger().info(f'played {count} messages of {options.bag}')
    except (BagError, ResourceError) as error:
        print(f'bag_player: {error}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if rclpy.ok():  # else a signal came in the middle of a message
            raise
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
