"""Rows of the benchmark table that need running nodes."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import tempfile
import time

from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.ros.child_process import ChildProcess
from deepsight_ros.ros.child_process import own_graph
from deepsight_ros.ros.language_row import language_row
from deepsight_ros.ros.live_benchmark import ALL_TOPICS
from deepsight_ros.ros.live_benchmark import DEPTH_TOPICS
from deepsight_ros.ros.live_benchmark import LiveResult
from deepsight_ros.ros.live_benchmark import measure_live
from deepsight_ros.ros.plain_node import FILLED
from deepsight_ros.ros.plain_node import READY

RATE = 30.0
PLAIN_NODE = 'deepsight_ros.ros.plain_node'
_PATIENCE = 60.0


@dataclass(frozen=True)
class _PlainNode:
    ready_s: float
    rss_mb: float
    fill_ms: float


def node_rows(bundle: Path, seconds: float, language: Path | None, bag: Path) -> list[Row]:
    """
    Three live runs of some ``seconds`` each, and a node that does nothing.

    ``language`` is the bundle that answers about ``bag``, if there is one.
    """
    os.environ.update(own_graph())
    plain = _measure_plain_node()
    live = measure_live(str(bundle), seconds=seconds, rate=RATE, topics=DEPTH_TOPICS)
    every = measure_live(str(bundle), seconds=seconds, rate=RATE, topics=ALL_TOPICS)
    default = measure_live(str(bundle), seconds=seconds, rate=RATE, topics=DEPTH_TOPICS,
                           shared_memory=False)
    transport = "Fast DDS's own settings instead of fastdds_shm.xml"
    naive = "assigning bytes to one picture's data, checked as ROS 2 Humble always does"
    empty = 'a node that imports the same libraries and does nothing'
    answering = [language_row(language, bag, plain.rss_mb)] if language else []
    return [
        Row('node_rate_hz', _rate(live), f'Hz of {RATE:g}', _rate(default), transport),
        Row('node_dropped', live.sent - live.published, f'of {live.sent} pictures',
            default.sent - default.published, transport),
        Row('node_publish_ms', live.publish_ms, 'ms, depth', plain.fill_ms, naive),
        Row('node_publish_all_ms', every.publish_ms, 'ms, four topics', plain.fill_ms, naive),
        Row('node_rss_mb', every.rss_mb, 'MB', plain.rss_mb, empty),
        Row('configured_s', live.configured_s, 's', plain.ready_s, empty),
        *answering,
    ]


def _rate(result: LiveResult) -> float:
    return RATE * result.published / result.sent


def _measure_plain_node() -> _PlainNode:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, 'plain_node.log')
        started = time.monotonic()
        with ChildProcess(PLAIN_NODE, [], log, {'ROS_PYTHON_CHECK_FIELDS': '1'}) as node:
            node.wait_for(READY, _PATIENCE)
            ready = time.monotonic() - started
            node.wait_for(FILLED, _PATIENCE)
            filled = float(node.last_words().split()[-1])
            return _PlainNode(ready, node.peak_rss_mb(), filled)
