"""Row of the benchmark table that needs a running ``spatial_language`` node."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile
import time

from deepsight_ros.benchmarks.language_rows import questions
from deepsight_ros.benchmarks.language_rows import read_frames
from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.ros.ask import ask_nodes
from deepsight_ros.ros.child_process import ChildError
from deepsight_ros.ros.child_process import ChildProcess
from deepsight_ros.ros.child_process import own_graph
from deepsight_ros.ros.child_process import ros_arguments

NODE = 'deepsight_ros.ros.spatial_language'
PLAYER = 'deepsight_ros.ros.bag_player'
_PATIENCE = 60.0


def language_row(bundle: Path, bag: Path, plain_rss_mb: float) -> Row:
    """Ask the node about the depth of a sample bag; its peak of memory, beside that of imports."""
    os.environ.update(own_graph())
    with BagReader(bag) as reader:
        topics = choose_topics(reader, ReplaySettings())
    values = {'language_bundle': bundle, 'camera_height': 1.5, 'ground_frame': "''",
              'max_frame_age': 0.0}
    remapped = {'depth/image': topics.depth, 'depth/camera_info': topics.depth_camera_info}
    with tempfile.TemporaryDirectory() as folder, \
            ChildProcess(NODE, ros_arguments(values, remapped), Path(folder, 'node.log')) as node:
        node.wait_for('active:', _PATIENCE)
        with ChildProcess(PLAYER, [str(bag)], Path(folder, 'player.log')):
            for text in questions(next(read_frames(bag))):
                _ask(text, node)
            rss = node.peak_rss_mb()
    return Row('language_rss_mb', rss, 'MB', plain_rss_mb,
               'a node that imports the same libraries and does nothing')


def _ask(text: str, node: ChildProcess) -> None:
    """Ask until there is a depth image to answer about."""
    deadline = time.monotonic() + _PATIENCE
    while (answer := ask_nodes(text, '', _PATIENCE))['status'] != 'ok':
        if answer['status'] != 'no_frame' or time.monotonic() > deadline:
            raise ChildError(f'{NODE} gave no answer ({answer["error"]}); its log ends with:\n'
                             f'{node.last_words()}')
