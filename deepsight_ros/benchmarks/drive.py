"""A drive in KITTI's format, made of a sample bag, so that no data set is needed."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.bag_truth import BagTruth
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.scoring import unproject
from deepsight_ros.geometry import Camera
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import to_rgb

WIDTH, HEIGHT = 1242, 375
PERIOD_NS: Final = 100_000_000
GROUND_FRAME: Final = ReplaySettings.ground_frame
_HORIZON: Final = 0.46
"""Height of the principal point in KITTI's pictures, as a share of theirs."""
_POINTS: Final = 20_000
"""Points of a scan of KITTI's scanner that lie in the picture."""


@dataclass(frozen=True, eq=False)
class DriveFrame:
    """
    A picture uint8 [375, 1242, 3] of ``camera``.

    ``points`` [N, 3] (m, optical frame) are a scan, ``mount`` [4, 4] takes points of the optical
    frame to the ground frame.
    """

    image: npt.NDArray[np.uint8]
    camera: Camera
    points: npt.NDArray[np.float64]
    mount: npt.NDArray[np.float64]


def read_drive(path: Path) -> list[DriveFrame]:
    """Pictures of a sample bag that have true depth; raises ``BagError`` if none has."""
    with BagReader(path) as bag, BagReader(path) as truth_bag:
        topics = choose_topics(bag, ReplaySettings())
        transforms = read_transforms(bag)
        if transforms is None or not topics.depth:
            raise BagError(f'bag {path} has no transforms or no true depth; take a sample bag')
        truth = BagTruth(truth_bag, topics, transforms)
        camera = Camera.from_camera_info(bag.first(topics.camera_info))
        frames = []
        for message in bag.messages([topics.image]):
            stamp, frame = stamp_of(message.content), message.content.header.frame_id
            seen = truth.points(stamp, frame, camera)
            if seen is not None:
                mount = transforms.lookup(GROUND_FRAME, frame, stamp)
                frames.append(_cropped(_rgb(message.content), camera, seen, mount))
    return frames


def write_drive(frames: list[DriveFrame], path: Path) -> None:
    """Write a bag of these frames at 10 Hz: pictures, camera_info, scans and transforms."""
    with BagWriter(path) as writer:
        for index, frame in enumerate(frames, 1):
            stamp = index * PERIOD_NS
            writer.transform(stamp, GROUND_FRAME, 'camera', frame.mount)
            writer.camera_info('/camera/camera_info', stamp, 'camera', frame.camera)
            writer.points('/scan', stamp, 'camera', frame.points)
            writer.image('/camera/image', stamp, 'camera', frame.image)


def _rgb(message: Any) -> npt.NDArray[np.uint8]:
    return to_rgb(message) if hasattr(message, 'encoding') else decode_compressed(message)


def _cropped(
    image: npt.NDArray[np.uint8], camera: Camera, seen: npt.NDArray[np.float32],
    mount: npt.NDArray[np.float64],
) -> DriveFrame:
    """Cut out rows around the horizon, enlarge them to KITTI's size, and thin the points."""
    rows = min(camera.height, round(camera.width * HEIGHT / WIDTH))
    top = int(np.clip(round(camera.cy - _HORIZON * rows), 0, camera.height - rows))
    crop = replace(camera, height=rows, cy=camera.cy - top).scaled(WIDTH, HEIGHT)
    enlarged = cv2.resize(image[top:top + rows], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    inside = seen[(seen[:, 1] >= top) & (seen[:, 1] < top + rows)]
    thinned = inside[::-(-len(inside) // _POINTS) or 1]
    return DriveFrame(np.asarray(enlarged, np.uint8), crop, unproject(thinned, camera), mount)
