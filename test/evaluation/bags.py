"""Writers of small bags."""

from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from streets import Street

from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.evaluation.ground_frame import ground_from_camera

START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 100_000_000
IMAGE, CAMERA_INFO = '/camera/image', '/camera/camera_info'
DEPTH, DEPTH_INFO = '/camera/depth/image', '/camera/depth/camera_info'
POINTS = '/lidar/points'
SCANNER_AT = np.array([0.0, -0.2, 0.1])
"""Position of the scanner in the camera's frame."""


def write_bag(
    path: Path, street: Street, *, frames: int = 4, info: bool = True, truth: str = '',
    tf: bool = True, pictures: tuple[str, ...] = (IMAGE,),
) -> Path:
    """Street at 10 Hz; ``truth`` is '', 'depth' (32FC1) or 'points' (from a scanner above)."""
    with BagWriter(path) as bag:
        if tf:
            bag.transform(START_NS, 'base_footprint', 'camera', ground_from_camera(street.ground),
                          static=True)
            scanner = np.eye(4)
            scanner[:3, 3] = SCANNER_AT
            bag.transform(START_NS, 'camera', 'scanner', scanner, static=True)
        for index in range(frames):
            stamp = START_NS + index * PERIOD_NS
            if info:
                bag.camera_info(CAMERA_INFO, stamp, 'camera', street.camera)
            for topic in pictures:
                bag.image(topic, stamp, 'camera', street.image)
            if truth == 'depth':
                bag.camera_info(DEPTH_INFO, stamp, 'camera', street.camera)
                bag.image(DEPTH, stamp, 'camera', street.depth)
            if truth == 'points':
                bag.points(POINTS, stamp + PERIOD_NS // 5, 'scanner',
                           street.points() - SCANNER_AT)
    return path


def as_sqlite(source: Path, target: Path) -> Path:
    """The same messages in a sqlite3 bag."""
    return _rewritten(source, target, StoragePlugin.SQLITE3, ())


def with_damage(source: Path, target: Path, *damaged: tuple[str, int]) -> Path:
    """The same bag, but of some (topic, number from 0) only the first half of the message."""
    return _rewritten(source, target, StoragePlugin.MCAP, damaged)


def _rewritten(source: Path, target: Path, storage: StoragePlugin,
               damaged: tuple[tuple[str, int], ...]) -> Path:
    seen: dict[str, int] = {}
    with AnyReader([source]) as reader, \
            Writer(target, version=8, storage_plugin=storage) as writer:
        connections = {
            connection.id: writer.add_connection(
                connection.topic, connection.msgtype, typestore=reader.typestore)
            for connection in reader.connections}
        for connection, time_ns, data in reader.messages():
            number = seen[connection.topic] = seen.get(connection.topic, -1) + 1
            size = len(data) // 2 if (connection.topic, number) in damaged else len(data)
            writer.write(connections[connection.id], time_ns, data[:size])
    return target


def cut_in_half(bag: Path) -> None:
    """Truncate the data file of a bag, as a full disk or a power cut does."""
    file = next(path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
