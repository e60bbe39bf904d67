"""Reading rosbag2 files (mcap and sqlite3) without ROS."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Final
from typing import NamedTuple

from rosbags.highlevel import AnyReader
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores

from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.errors import MessageError

IMAGE: Final = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE: Final = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO: Final = 'sensor_msgs/msg/CameraInfo'
POINT_CLOUD: Final = 'sensor_msgs/msg/PointCloud2'
IMU: Final = 'sensor_msgs/msg/Imu'
TF: Final = 'tf2_msgs/msg/TFMessage'


class BagMessage(NamedTuple):
    """A message as it was recorded."""

    topic: str
    time_ns: int
    """When it was recorded; its own stamp may be earlier."""
    content: Any


class SerializedMessage(NamedTuple):
    """A message as it was recorded, not decoded."""

    topic: str
    type: str
    time_ns: int
    data: bytes


class BagReader:
    """An open bag; a context manager. Errors of the file become ``BagError``."""

    def __init__(self, path: Path) -> None:
        """Take the folder of a bag, or one of its files."""
        self.path = path
        if not path.exists():
            raise BagError(f'bag {path} does not exist')
        with self._readable():
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))

    def __enter__(self) -> BagReader:
        """Open the files and read their index."""
        with self._readable():
            self._reader.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._reader.close()

    def topics(self, *types: str) -> list[str]:
        """Topics with messages of one of these types, sorted."""
        found = {connection.topic for connection in self._reader.connections
                 if connection.msgtype in types and connection.msgcount}
        return sorted(found)

    def count(self, topic: str) -> int:
        """Return the number of messages of a topic."""
        return sum(connection.msgcount for connection in self._reader.connections
                   if connection.topic == topic)

    def messages(self, topics: Collection[str]) -> Iterator[BagMessage]:
        """
        Messages of these topics in the order of recording.

        After a ``MessageError``, ``next`` returns the message that follows the damaged one.
        """
        # A generator would end at its first error.
        return map(self._decoded, self.serialized(topics))

    def decode(self, entry: SerializedMessage) -> Any:
        """Return the content of a message; raises ``MessageError`` if it is damaged."""
        try:
            return self._reader.deserialize(entry.data, entry.type)
        except MemoryError:
            raise
        except Exception as error:
            raise MessageError(
                f'bag {self.path}: the message on {entry.topic} at {entry.time_ns / 1e9:.3f} s is '
                f'damaged ({error!r}); the others can be read, record again if this one is needed'
            ) from error

    def types(self) -> dict[str, str]:
        """Types of all topics that have messages."""
        return {connection.topic: connection.msgtype for connection in self._reader.connections
                if connection.msgcount}

    def serialized(self, topics: Collection[str]) -> Iterator[SerializedMessage]:
        """Messages of these topics as they were on the wire (CDR), in the order of recording."""
        connections = [connection for connection in self._reader.connections
                       if connection.topic in topics]
        if not connections:
            return
        stored = self._reader.messages(connections)
        while True:
            with self._readable():
                entry = next(stored, None)
            if entry is None:
                return
            connection, time_ns, data = entry
            yield SerializedMessage(connection.topic, connection.msgtype, time_ns, data)

    def first(self, topic: str) -> Any:
        """First message of a topic that is not damaged."""
        for entry in self.serialized([topic]):
            with suppress(MessageError):
                return self.decode(entry)
        raise BagError(f'bag {self.path} has no readable message on {topic}; record it again')

    def _decoded(self, entry: SerializedMessage) -> BagMessage:
        return BagMessage(entry.topic, entry.time_ns, self.decode(entry))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        # Damage shows as an exception of whichever library met it: rosbags, sqlite, zstd, struct.
        try:
            yield
        except (KeyboardInterrupt, MemoryError):
            raise
        except Exception as error:
            raise BagError(
                f'bag {self.path} cannot be read ({error}); if the recording was cut off, try '
                '`ros2 bag reindex` or `mcap recover`') from error


def stamp_of(message: Any) -> int:
    """Return the stamp of a message's header in nanoseconds."""
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)
