"""Command ``deepsight convert``: a data set as a bag, to try the nodes on."""

from __future__ import annotations

import argparse
from pathlib import Path
import shlex
from typing import Final

import numpy as np
from tqdm import tqdm

from deepsight_ros.evaluation.argument_types import frame_count
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.evaluation.datasets import Dataset
from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.datasets import Frame
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.ground_arguments import add_ground_arguments
from deepsight_ros.evaluation.ground_arguments import ground_options
from deepsight_ros.evaluation.ground_frame import ground_from_camera
from deepsight_ros.evaluation.scoring import unproject

GROUND_FRAME: Final = 'base_footprint'
TOPICS: Final = {
    'image': '/camera/image', 'camera_info': '/camera/camera_info',
    'depth': '/camera/depth/image', 'depth_camera_info': '/camera/depth/camera_info',
    'points': '/lidar/points', 'imu': '/imu',
}
"""Topics of the bags; depth where truth is dense, points where it is a scan."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight convert``."""
    parser.add_argument('--dataset', required=True, choices=tuple(DATASETS),
                        help='whose layout the folder has')
    parser.add_argument('--root', required=True, type=Path, help='folder of the data set')
    add_ground_arguments(parser)
    parser.add_argument('--frames', type=frame_count, metavar='N',
                        help='only the first N frames')
    parser.add_argument('bag', type=Path, metavar='BAG',
                        help='the new bag: a folder, or a single file if it ends in .mcap')


def run(args: argparse.Namespace) -> int:
    """Write the bag and say what to do with it."""
    dataset = open_dataset(args.dataset, args.root, ground_options(args))
    count = convert(dataset, args.bag, args.frames)
    bag = shlex.quote(str(args.bag))
    print(f'{args.bag}: {count} frames. Score it: deepsight replay {bag} --out report\n'
          f'Live: ros2 launch deepsight_ros replay.launch.py bag:={bag}')
    return 0


def convert(dataset: Dataset, path: Path, frames: int | None = None) -> int:
    """Write the first ``frames`` frames to a new bag and return their number."""
    count = min(len(dataset), frames or len(dataset))
    # A camera that is fixed to a vehicle has one pose above the ground.
    is_fixed = dataset.is_sequence and dataset[0].pose is None
    with BagWriter(path) as bag:
        for index in tqdm(range(count), unit='frame'):
            frame = dataset[index]
            if index == 0 or not is_fixed:
                # The plane is given for the optical centre, the transform is the header's frame.
                x, y, z = frame.camera.offset
                matrix = ground_from_camera(frame.ground.seen_from((-x, -y, -z)))
                bag.transform(frame.stamp_ns, GROUND_FRAME, frame.frame_id, matrix,
                              static=is_fixed)
            _write_frame(bag, frame)
    return count


def _write_frame(bag: BagWriter, frame: Frame) -> None:
    stamp, name = frame.stamp_ns, frame.frame_id
    bag.camera_info(TOPICS['camera_info'], stamp, name, frame.camera)
    if frame.imu is not None:
        bag.imu(TOPICS['imu'], stamp, name, *frame.imu)
    bag.image(TOPICS['image'], stamp, name, frame.image)
    if frame.truth.shape == frame.image.shape[:2]:
        bag.camera_info(TOPICS['depth_camera_info'], stamp, name, frame.camera)
        bag.image(TOPICS['depth'], stamp, name, frame.truth)
    else:
        points = unproject(frame.truth, frame.camera) - np.array(frame.camera.offset)
        bag.points(TOPICS['points'], stamp, name, points)
