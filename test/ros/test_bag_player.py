"""The bag player publishes what was recorded, with its time on /clock."""

from collections.abc import Iterator
from pathlib import Path
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.ros import bag_player

PATIENCE = 20.0
PERIOD_NS = 50_000_000
START_NS = 1_700_000_000_000_000_000
TOPIC = '/camera/image'


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Eight pictures, 50 ms apart, and a transform whose type no pip installation has."""
    folder = tmp_path / 'bag'
    with BagWriter(folder) as writer:
        writer.transform(START_NS, 'base', 'camera', np.eye(4))
        for index in range(8):
            picture = np.full((4, 6, 3), index, np.uint8)
            writer.image(TOPIC, START_NS + index * PERIOD_NS, 'camera', picture)
    return folder


@pytest.fixture
def listener() -> Iterator[Node]:
    """A node that listens to the player."""
    rclpy.init()
    node = Node('listener')
    yield node
    node.destroy_node()
    rclpy.shutdown()


def player(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, '-m', 'deepsight_ros.ros.bag_player', *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_plays_what_was_recorded(bag: Path, listener: Node) -> None:
    images: list[Image] = []
    clocks: list[int] = []
    listener.create_subscription(Image, TOPIC, images.append, 10)
    listener.create_subscription(
        Clock, '/clock', lambda m: clocks.append(m.clock.sec * 10**9 + m.clock.nanosec), 10)
    process = player(bag, '--rate', 2)
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        rclpy.spin_once(listener, timeout_sec=0.05)
    for _ in range(20):
        rclpy.spin_once(listener, timeout_sec=0.01)
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, output
    with BagReader(bag) as reader:
        recorded = [deserialize_message(bytes(message.data), Image)
                    for message in reader.serialized([TOPIC])]
    assert len(recorded) == 8
    assert images == recorded
    assert clocks == sorted(clocks)
    assert clocks[-1] == START_NS + 7 * PERIOD_NS


def test_nobody_listens_and_a_type_is_missing(bag: Path) -> None:
    process = player(bag, '--rate', 10, '--wait', 0.2)
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    assert 'nobody listened' in output
    try:
        import tf2_msgs  # noqa: F401
    except ModuleNotFoundError:
        assert 'tf2_msgs/msg/TFMessage is not installed' in output


def test_a_recorded_clock_is_the_only_one_and_results_are_left_out(listener: Node) -> None:
    types = {'/clock': 'rosgraph_msgs/msg/Clock', '/robot/answer/details': 'std_msgs/msg/String',
             '/diagnostics': 'std_msgs/msg/String', TOPIC: bag_player.IMAGE}
    player = bag_player.BagPlayer(SimpleNamespace(types=lambda: types))
    played = [publisher.topic for publisher in player.publishers]
    assert [topic for topic in played if topic in {*types}] == ['/clock', TOPIC]
    player.destroy_node()


@pytest.mark.parametrize('signal_', [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(bag: Path, signal_: signal.Signals) -> None:
    process = player(bag, '--rate', 0.01, '--wait', 0.2)
    assert process.stdout is not None
    for line in process.stdout:
        if 'nobody listened' in line:
            break
    process.send_signal(signal_)
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, output
    assert 'Traceback' not in output


def test_signal_in_the_middle_of_a_message(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(player: bag_player.BagPlayer, due: float) -> bool:
        rclpy.shutdown()
        return True

    monkeypatch.setattr(bag_player.BagPlayer, '_sleep_until', interrupted)
    assert bag_player.main([str(bag), '--wait', '0']) == 0


def test_missing_bag_is_one_line(tmp_path: Path) -> None:
    process = player(tmp_path / 'nowhere')
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert output.startswith('bag_player: sample bag') and output.count('\n') == 1
