"""Real DDS on the loopback: a domain of our own, a small real bundle, and a peer of the node."""

from collections.abc import Iterator
import os
from pathlib import Path
import random
import socket
import sys

import pytest
import rclpy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from language_peer import LanguagePeer  # noqa: E402
from ros_peer import Peer  # noqa: E402

FIRST_PORT = 47100


def pytest_configure() -> None:
    """Make the processes of this run see each other and nobody else, as strict as Humble is."""
    profile = str(ROOT / 'config' / 'fastdds_shm.xml')
    os.environ.update(
        ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST', ROS_PYTHON_CHECK_FIELDS='1',
        FASTRTPS_DEFAULT_PROFILES_FILE=profile, FASTDDS_DEFAULT_PROFILES_FILE=profile)


@pytest.fixture(scope='session', autouse=True)
def domain() -> Iterator[int]:
    """Domain that no other run of these tests on this machine uses: a bound port is the lock."""
    lock = socket.socket()
    for number in random.sample(range(1, 101), 100):
        try:
            lock.bind(('127.0.0.1', FIRST_PORT + number))
        except OSError:
            continue
        os.environ['ROS_DOMAIN_ID'] = str(number)
        break
    else:
        pytest.fail('all ROS domains are in use by other test runs')
    yield number
    lock.close()


@pytest.fixture
def peer(painted_bundle: Path) -> Iterator[Peer]:
    """Camera and listener in this process; ``peer.start_node`` adds the node under test."""
    rclpy.init()
    peer = Peer(painted_bundle)
    yield peer
    peer.close()
    rclpy.shutdown()


@pytest.fixture
def language_peer(spatial_language_bundle: Path) -> Iterator[LanguagePeer]:
    """Depth camera that asks; ``start_node`` adds the node."""
    rclpy.init()
    peer = LanguagePeer(spatial_language_bundle)
    yield peer
    peer.close()
    rclpy.shutdown()


@pytest.fixture
def asker(language_peer: LanguagePeer) -> LanguagePeer:
    """Peer whose node is active and has seen a picture."""
    return _shown(language_peer)


@pytest.fixture
def trained_asker(language_peer: LanguagePeer, trained_language_bundle: Path) -> LanguagePeer:
    """Peer whose node has learned to answer."""
    return _shown(language_peer, language_bundle=str(trained_language_bundle))


def _shown(language_peer: LanguagePeer, **parameters: str) -> LanguagePeer:
    language_peer.start_node(**parameters)
    language_peer.connect()
    language_peer.show()
    return language_peer
