"""Frames of real data sets whose truth is measured: RGB-D cameras and LiDAR."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from deepsight_ros.evaluation.answer_truth import depth_image
from deepsight_ros.evaluation.datasets import Dataset
from deepsight_ros.evaluation.datasets import Frame
from deepsight_ros.evaluation.scoring import unproject
from deepsight_ros.evaluation.true_ground import fit_near_plane
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.embodied_depth import EmbodiedDepth
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_training.instructions.sample import FrameSample

CAR: Final = Robot(width=1.9, height=1.7, min_obstacle_height=0.3)
"""Who drives where the data set's camera is on a car."""


@dataclass(frozen=True)
class Measured:
    """A frame to ask about, and what a model gets to see of it."""

    sample: FrameSample
    seen: DepthFrame


def measured_frames(name: str, dataset: Dataset, indices: Iterable[int],
                    embodied: Segmentation | None = None) -> Iterator[Measured]:
    """Yield frames of a data set; with ``embodied``, its depth is what the model sees.

    Where the data set knows its ground only nominally, the truth takes the plane fitted to the
    measured points, as gravity and a levelled floor would give it. The embodied depth keeps the
    ground that it was made with, since a robot has no other.
    """
    outdoors = name.startswith('kitti')
    pipeline: EmbodiedDepth | None = None
    for index in indices:
        frame = dataset[index]
        depth = depth_image(frame.truth_points(), frame.camera)
        camera = frame.camera.scaled(*depth.shape[::-1])
        ground = true_ground(frame, dataset.ground_is_exact)
        # Files and records are named after frames; those of some data sets are paths.
        title = f'{name}-{frame.name}'.replace('/', '_').replace('.', '_')
        sample = FrameSample.unlabelled(title, depth, camera, ground, indoors=not outdoors)
        if outdoors:
            sample = replace(sample, robot=CAR)
        seen = DepthFrame(depth, camera, ground, sample.robot)
        if embodied is not None:
            if pipeline is None or pipeline.camera != frame.camera:
                pipeline = EmbodiedDepth(frame.camera, embodied)
            elif not dataset.is_sequence:
                pipeline.reset()
            result = pipeline(frame.image, frame.ground, frame.stamp_ns * 1e-9)
            small = cv2.resize(result.scene.depth, camera.size, interpolation=cv2.INTER_NEAREST)
            depth = np.where(np.isfinite(small), small, np.nan).astype(np.float32)
            seen = DepthFrame(depth, camera, result.ground, sample.robot)
        yield Measured(sample, seen)


def true_ground(frame: Frame, is_exact: bool) -> GroundPlane | None:
    """Ground below the camera; None where the points do not show it."""
    if is_exact:
        return frame.ground
    return fit_near_plane(unproject(frame.truth_points(), frame.camera), frame.ground)
