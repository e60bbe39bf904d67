"""``spatial_language`` as a process of its own: memory, imports, and a signal in the middle."""

import os
from pathlib import Path
import signal
import subprocess
import sys

from language_peer import depth_image
from language_peer import depth_info
from language_peer import PLACE
from language_peer import UP
import pytest
from ros_peer import PATIENCE
from std_msgs.msg import String

MOST_MEMORY_MB = 320


@pytest.fixture
def process(spatial_language_bundle):
    """The node; killed at the end if it still runs."""
    parameters = {'language_bundle': spatial_language_bundle, 'camera_height': UP,
                  'max_frame_age': 0.0, 'max_questions': 1000}
    node = subprocess.Popen(
        [sys.executable, '-m', 'deepsight_ros.ros.spatial_language', '--ros-args',
         *(word for name, value in parameters.items() for word in ('-p', f'{name}:={value}'))],
        stderr=subprocess.PIPE, text=True)
    yield node
    if node.poll() is None:
        node.kill()
    node.communicate()


def test_memory_imports_and_end(process, language_peer):
    peer = language_peer
    peer.hear_answers()
    # What is sent before both sides know each other is lost, and a question may overtake the
    # picture: all are sent until an answer comes.
    peer.send_until(lambda: any(answer['status'] == 'ok' for answer in peer.answers),
                    depth_info(), depth_image(), String(data=PLACE))
    status = Path(f'/proc/{process.pid}/status').read_text('ascii')
    peak, = (line for line in status.splitlines() if line.startswith('VmHWM'))
    assert int(peak.split()[1]) / 1024 < MOST_MEMORY_MB
    loaded = Path(f'/proc/{process.pid}/maps').read_text()
    assert 'onnxruntime' in loaded
    assert 'torch' not in loaded
    assert 'transformers' not in loaded

    for _ in range(200):
        peer.send(String(data=PLACE))
    known = len(peer.answers)
    peer.wait_until(lambda: len(peer.answers) > known, 'an answer while many wait')
    os.kill(process.pid, signal.SIGINT)
    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert 'Traceback' not in log
