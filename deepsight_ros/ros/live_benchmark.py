"""Measures the ``embodied_depth`` node alive: a camera process, the node's, and this one."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
from statistics import median
import tempfile
import time

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from tqdm import tqdm

from deepsight_ros.resources import PROFILE_VARIABLES
from deepsight_ros.ros import qos
from deepsight_ros.ros.child_process import ChildProcess
from deepsight_ros.ros.child_process import own_graph
from deepsight_ros.ros.outputs import TOPICS

NODE = 'deepsight_ros.ros.embodied_depth'
CAMERA = 'deepsight_ros.ros.benchmark_camera'
CONFIGURED = 'configured:'
"""What the node logs at the end of configure."""
DEPTH_TOPICS = ('embodied_depth/image', 'embodied_depth/camera_info')
ALL_TOPICS = (*DEPTH_TOPICS, 'embodied_depth/uncertainty', 'embodied_depth/label')
_PATIENCE = 30.0
_LAST_REPORT = 2.5
_WARM_UP = 2


@dataclass(frozen=True)
class LiveResult:
    """One run; rate and times are medians over its seconds, None if no picture came through."""

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
    topics: tuple[str, ...] = DEPTH_TOPICS,
    shared_memory: bool = True,
) -> LiveResult:
    """
    Run node and camera with somebody who listens to ``topics``.

    ``shared_memory=False`` shows what Fast DDS loses without the profile. Sets the variables of
    the graph in this process. Raises ``ChildError``.
    """
    for variable in PROFILE_VARIABLES:
        os.environ.pop(variable, None)
    os.environ.update({name: value for name, value in own_graph().items()
                       if shared_memory or name not in PROFILE_VARIABLES})
    node_arguments = ['--ros-args', '-p', f'segmentation_bundle:={bundle}',
                      '-p', 'camera_height:=1.65', '-p', "ground_frame:=''"]
    camera_arguments = ['--rate', str(rate), '--seconds', str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        with ChildProcess(NODE, node_arguments, Path(folder, 'node.log')) as node:
            node.wait_for(CONFIGURED, _PATIENCE)
            configured = time.monotonic() - started
            with closing(_Listener(topics)) as listener, \
                    ChildProcess(CAMERA, camera_arguments, Path(folder, 'camera.log')) as camera, \
                    tqdm(total=round(rate * seconds), unit='picture', desc='live') as bar:
                while not (camera.has_ended() or node.has_ended()):
                    listener.spin(0.2)
                    bar.update(listener.received - bar.n)
                listener.spin(_LAST_REPORT)
                bar.update(listener.received - bar.n)
                return listener.result(round(rate * seconds), configured, node.peak_rss_mb())


class _Listener:
    """Takes the results as bytes, so as not to slow the node down, and reads /diagnostics."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._context = rclpy.Context()
        self._context.init()
        self._node = Node('listener', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._reports: list[dict[str, str]] = []
        for topic in topics:
            self._node.create_subscription(
                TOPICS[topic][0], topic, lambda message: None, qos.output(), raw=True)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._take, 10)

    @property
    def received(self) -> int:
        """Pictures that have reached the node."""
        return int(self._reports[-1].get('received', 0)) if self._reports else 0

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
        """Sum up; the first seconds do not count for times, nor does a second that was cut."""
        last = self._reports[-1]
        busy = [report for report in self._reports if 'publish_ms' in report][_WARM_UP:-1]

        def typical(key: str) -> float | None:
            return median(float(report[key]) for report in busy) if busy else None

        return LiveResult(
            sent=sent, received=int(last['received']), dropped=int(last['dropped']),
            published=int(last['published']), rate_hz=typical('rate_hz'),
            latency_ms=typical('latency_ms'), publish_ms=typical('publish_ms'),
            configured_s=configured, rss_mb=rss)

    def _take(self, message: DiagnosticArray) -> None:
        self._reports.append({item.key: item.value for item in message.status[0].values})


def main() -> None:
    """Print one run as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bundle', default='scene_segmentation_nano', help='name or folder')
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--rate', type=float, default=30.0, help='pictures per second')
    parser.add_argument('--all-topics', action='store_true',
                        help='listen to uncertainty and label as well')
    parser.add_argument('--without-shared-memory', action='store_true',
                        help="use Fast DDS's own settings instead of fastdds_shm.xml")
    options = parser.parse_args()
    result = measure_live(
        options.bundle, seconds=options.seconds, rate=options.rate,
        topics=ALL_TOPICS if options.all_topics else DEPTH_TOPICS,
        shared_memory=not options.without_shared_memory)
    print(json.dumps(asdict(result), indent=1))


if __name__ == '__main__':
    main()
