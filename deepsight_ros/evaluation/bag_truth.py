"""True depth from a bag: depth pictures or LiDAR points, brought into the camera's picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_topics import BagTopics
from deepsight_ros.evaluation.datasets.frame import dense_to_points
from deepsight_ros.evaluation.datasets.lidar import project_scan
from deepsight_ros.evaluation.point_cloud import points_of
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.perception.pictures import to_depth

Points = npt.NDArray[np.float32]

_TOLERANCE_NS: Final = 50_000_000
"""Half the period of a 10 Hz scanner: what is nearer in time belongs to the picture."""


class BagTruth:
    """Ground truth for the pictures of a bag, asked for in the order of their stamps."""

    def __init__(self, bag: BagReader, topics: BagTopics, transforms: TransformBuffer) -> None:
        """Read depth or points from ``bag``, which nobody else may be reading from."""
        self._transforms = transforms
        self._is_depth = bool(topics.depth)
        self._info = bag.first(topics.depth_camera_info) if topics.depth_camera_info else None
        self._messages = _Stream(bag.messages([topics.depth or topics.points]))

    def points(self, stamp_ns: int, frame: str, camera: Camera) -> Points | None:
        """
        True points [N, 3] (column, row, depth in metres) of the picture with this stamp and frame.

        None if there is nothing within 50 ms. Raises ``PictureError``, ``BagError``,
        ``CameraError`` or ``TransformError``.
        """
        message = self._messages.nearest(stamp_ns)
        if message is None:
            return None
        if self._is_depth:
            return self._from_depth(message, frame, camera)
        cloud = points_of(message)
        return project_scan(self._moved(cloud, message, frame), camera)

    def _from_depth(self, message: Any, frame: str, camera: Camera) -> Points:
        depth = to_depth(message)
        source = (Camera.from_camera_info(self._info) if self._info is not None
                  else camera.scaled(depth.shape[1], depth.shape[0]))
        points = dense_to_points(depth)
        if message.header.frame_id == frame and _same_picture(source, camera):
            points[:, 0] = (points[:, 0] + 0.5) * (camera.width / source.width) - 0.5
            points[:, 1] = (points[:, 1] + 0.5) * (camera.height / source.height) - 0.5
            return points
        z = points[:, 2]
        cloud = np.stack([(points[:, 0] - source.cx) / source.fx * z,
                          (points[:, 1] - source.cy) / source.fy * z, z], axis=1)
        cloud -= np.array(source.offset, np.float32)
        return project_scan(self._moved(cloud, message, frame), camera)

    def _moved(self, cloud: Points, message: Any, frame: str) -> Points:
        """Bring points from the message's frame to ``frame``."""
        source = message.header.frame_id
        if source == frame:
            return cloud
        matrix = self._transforms.lookup(frame, source, stamp_of(message)).astype(np.float32)
        moved: Points = cloud @ matrix[:3, :3].T + matrix[:3, 3]
        return moved


class _Stream:
    """A stream of messages, of which the one nearest to a growing stamp is asked for."""

    def __init__(self, messages: Iterator[Any]) -> None:
        self._messages = messages
        self._known: list[Any] = []

    def nearest(self, stamp_ns: int) -> Any | None:
        while not self._known or stamp_of(self._known[-1]) < stamp_ns:
            message = next(self._messages, None)
            if message is None:
                break
            self._known = [*self._known[-1:], message.content]
        best = min(self._known, key=lambda known: abs(stamp_of(known) - stamp_ns), default=None)
        if best is None or abs(stamp_of(best) - stamp_ns) > _TOLERANCE_NS:
            return None
        return best


def _same_picture(first: Camera, second: Camera) -> bool:
    """Whether two cameras differ in resolution only."""
    scaled = first.scaled(second.width, second.height)
    ours = (scaled.fx, scaled.fy, scaled.cx, scaled.cy)
    theirs = (second.fx, second.fy, second.cx, second.cy)
    return bool(np.allclose(ours, theirs, atol=0.5)) and first.offset == second.offset
