"""Measures the ``embodied_depth`` node alive: a camera process, the node's, and this one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import time
from typing import Any

from deepsight_ros.resources import find_config

PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
CONFIGURED = 'configured:'
"""What the node logs at the end of configure."""
DEPTH = ('image', 'camera_info')
ALL = ('image', 'camera_info', 'uncertainty', 'label')
WARM_UP = 2.0
"""Seconds of /diagnostics that do not count for times: caches fill."""


@dataclass(frozen=True)
class LiveResult:
    """One run; times are medians over its seconds, None if no picture came through."""

    sent: int
    received: int
    dropped: int
    """Pictures that reached the node but made room for a newer one."""
    published: int
    rate_hz: float | None
    latency_ms: float | None
    """From a picture's arrival in the node to the end of publishing."""
    publish_ms: float | None
    configured_s: float
    """From the start of the process to the end of configure."""
    rss_mb: float
    """Largest resident memory of the node's process."""


def measure_live(
    bundle: str,
    *,
    seconds: float = 60.0,
    rate: float = 30.0,
    topics: tuple[str, ...] = DEPTH,
    shared_memory: bool = True,
) -> LiveResult:
    """
    Run node and camera with somebody who listens to ``topics``.

    ``shared_memory=False`` shows what Fast DDS's own settings lose.
    """
    environment = dict(os.environ, ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    for variable in PROFILE_VARIABLES:
        environment.pop(variable, None)
        if shared_memory:
            environment[variable] = str(find_config('fastdds_shm.xml'))
    os.environ.update(environment)
    command = [sys.executable, '-m', 'deepsight_ros.ros.embodied_depth', '--ros-args',
               '-p', f'segmentation_bundle:={bundle}', '-p', 'camera_height:=1.65']
    with _process(command, environment) as node:
        configured = _wait_for_line(node, CONFIGURED)
        listener = Listener(topics)
        camera = subprocess.Popen(
            [sys.executable, '-m', 'deepsight_ros.ros.benchmark_camera',
             '--rate', str(rate), '--seconds', str(seconds)],
            env=environment, stdout=subprocess.PIPE, text=True)
        while camera.poll() is None:
            listener.spin(0.1)
        sent = int(camera.communicate()[0])
        listener.spin(2.5)
        rss = _peak_rss(node.pid)
        listener.close()
    return listener.result(sent, configured, rss)


class Listener:
    """Subscribes to the results, without looking at them, and to /diagnostics."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        """Join the graph."""
        from diagnostic_msgs.msg import DiagnosticArray
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from sensor_msgs.msg import CameraInfo
        from sensor_msgs.msg import Image
        self._context = rclpy.Context()
        self._context.init()
        self._node = Node('listener', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._reports: list[dict[str, str]] = []
        for topic in topics:
            self._node.create_subscription(
                CameraInfo if topic == 'camera_info' else Image, f'embodied_depth/{topic}',
                lambda message: None, 5, raw=True)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)

    def spin(self, seconds: float) -> None:
        """Receive for some time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.shutdown()

    def result(self, sent: int, configured: float, rss: float) -> LiveResult:
        """Sum up."""
        last = self._reports[-1]
        busy = [report for report in self._reports if 'publish_ms' in report][int(WARM_UP):-1]

        def typical(key: str) -> float | None:
            return median(float(report[key]) for report in busy) if busy else None

        return LiveResult(
            sent=sent, received=int(last['received']), dropped=int(last['dropped']),
            published=int(last['published']), rate_hz=typical('rate_hz'),
            latency_ms=typical('latency_ms'), publish_ms=typical('publish_ms'),
            configured_s=configured, rss_mb=rss)

    def _on_status(self, message: Any) -> None:
        self._reports.append({item.key: item.value for item in message.status[0].values})


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def _wait_for_line(process: subprocess.Popen[str], text: str) -> float:
    """Seconds until the process writes a line with ``text``."""
    started = time.monotonic()
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return time.monotonic() - started
    raise RuntimeError(f'the node ended before it said {text!r}')


def _peak_rss(pid: int) -> float:
    """Peak resident memory in MB."""
    for line in Path(f'/proc/{pid}/status').read_text(encoding='ascii').splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f'no VmHWM for process {pid}')


def main() -> None:
    """Print one run as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bundle', default='scene_segmentation_nano')
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--rate', type=float, default=30.0)
    parser.add_argument('--all-topics', action='store_true')
    parser.add_argument('--without-shared-memory', action='store_true')
    options = parser.parse_args()
    result = measure_live(
        options.bundle, seconds=options.seconds, rate=options.rate,
        topics=ALL if options.all_topics else DEPTH,
        shared_memory=not options.without_shared_memory)
    print(json.dumps(asdict(result), indent=1))


if __name__ == '__main__':
    main()
