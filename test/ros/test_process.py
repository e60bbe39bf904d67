"""The node as a process: signals, kill -9, a flood of pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from ros_peer import camera_info
from ros_peer import image
from ros_peer import PATIENCE
from ros_peer import stamp_of
from ros_peer import street

LARGE = 1242, 375


class NodeProcess:
    """A node in its own process, and what it logs."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'deepsight_ros.ros.embodied_depth', *arguments],
            stderr=subprocess.PIPE, text=True)
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(line for line in self.process.stderr)

    def resident_mb(self) -> float:
        pages = int(Path(f'/proc/{self.process.pid}/statm').read_text('ascii').split()[1])
        return pages * os.sysconf('SC_PAGE_SIZE') / 2**20

    def end(self, number: int) -> int:
        """Send a signal; return the exit status and all of the log."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self._reader.join()
        self.process.stderr.close()
        return status


@pytest.fixture
def start(painted_bundle):
    """Start nodes; those that still run at the end are killed."""
    started = []

    def begin(*parameters):
        options = [f'segmentation_bundle:={painted_bundle}', 'camera_height:=1.5', *parameters]
        node = NodeProcess('--ros-args', *(word for text in options for word in ('-p', text)))
        started.append(node)
        return node

    yield begin
    for node in started:
        if node.process.poll() is None:
            node.end(signal.SIGKILL)


def begin_work(peer):
    """Listen, and wait for the first result of a node process."""
    peer.listen('image')
    peer.send_until(lambda: peer.received['image'], camera_info(), image())


@contextmanager
def busy(peer) -> Iterator[None]:
    """Send pictures from another thread."""
    done = threading.Event()

    def send():
        index = 0
        while not done.wait(0.005):
            index += 1
            peer.send(image(2.0 + index))

    thread = threading.Thread(target=send)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_during_work_ends_the_node_within_two_seconds(peer, start, number):
    node = start()
    begin_work(peer)
    with busy(peer):
        count = len(peer.received['image'])
        peer.wait_until(lambda: len(peer.received['image']) > count + 3, 'work')
        sent = time.monotonic()
        status = node.end(number)
        assert time.monotonic() - sent < 2
    assert status == 0
    assert 'Traceback' not in ''.join(node.log)
    assert 'ERROR' not in ''.join(node.log)


@pytest.mark.parametrize('pause', [0.0, 0.005, 0.01, 0.02])
def test_a_second_ctrl_c_does_not_disturb_the_end(peer, start, pause):
    """Launch sends SIGINT to a node that the terminal has already sent it to."""
    node = start()
    peer.wait_until(lambda: 'active: waiting' in ''.join(node.log), 'active node')
    node.process.send_signal(signal.SIGINT)
    time.sleep(pause)
    assert node.end(signal.SIGINT) == 0
    assert 'Traceback' not in ''.join(node.log)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_while_the_bundle_loads(peer, start, number):
    node = start()
    peer.wait_until(lambda: '[embodied_depth]' in ''.join(node.log), 'first line of configure')
    assert node.end(number) == 0
    assert 'Traceback' not in ''.join(node.log)


def test_restart_after_kill_9(peer, start):
    victim = start()
    begin_work(peer)
    with busy(peer):
        assert victim.end(signal.SIGKILL) == -signal.SIGKILL
    peer.received['image'].clear()
    heir = start()
    peer.send_until(lambda: [m for m in peer.received['image'] if stamp_of(m) == 1000.0],
                    camera_info(1000.0), image(1000.0))
    assert heir.end(signal.SIGINT) == 0
    assert 'ERROR' not in ''.join(heir.log)


def test_1000_pictures_as_fast_as_possible(peer, start):
    node = start()
    width, height = LARGE
    picture = image(picture=street(width, height))
    stamps = peer.received['image']
    peer.listen('image', keep=stamp_of)
    peer.send_until(lambda: stamps, camera_info(width=width, height=height), picture)
    warm = 0.0
    for index in range(1, 1001):
        picture.header.stamp.sec = index
        peer.send(picture)
        peer.spin_once(timeout=0)
        if index == 200:
            warm = node.resident_mb()
    peer.send_until(lambda: stamps[-1] == 1000, picture)
    assert node.resident_mb() - warm < 10
    assert (np.diff(stamps) >= 0).all()
    assert len(stamps) < 1000
    assert node.end(signal.SIGINT) == 0
