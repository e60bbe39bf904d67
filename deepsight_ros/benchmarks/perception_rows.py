"""Speed of segmentation, embodied depth and replay on one core."""

from __future__ import annotations

from pathlib import Path
from statistics import median
import tempfile
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.benchmarks.drive import DriveFrame
from deepsight_ros.benchmarks.drive import write_drive
from deepsight_ros.benchmarks.plain_depth import plain_embodied_depth
from deepsight_ros.benchmarks.rows import median_seconds
from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.evaluation.replay_run import replay_bag
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.replay_summary import summarise_replay
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import SceneClass
from deepsight_ros.geometry.embodied_depth import EmbodiedSceneDepth
from deepsight_ros.geometry.ground_refinement import GroundRefiner
from deepsight_ros.perception.segmentation import Segmentation

MAX_RANGE: Final = ReplaySettings.max_range
_PERIOD: Final = 0.1
_REPLAYS: Final = 3
_MEAN = np.array([0.485, 0.456, 0.406])
_STD = np.array([0.229, 0.224, 0.225])


def perception_rows(bundle: Path, frames: list[DriveFrame], seconds: float) -> list[Row]:
    """Measure with pictures of KITTI's size; ``seconds`` for each comparison."""
    segmentation = Segmentation.load(bundle)
    with segmentation.engine:
        network, total, plain_total = _segmentation_rows(segmentation, frames[0], seconds)
        classes = segmentation(frames[0].image)
    chain, refinement, plain_chain = _geometry_rows(classes, frames[0], seconds)
    speed = Row(
        'replay_speed', _replay_speed(bundle, frames), 'x real time at 10 Hz',
        _PERIOD / (plain_total + plain_chain),
        'the plain segmentation and the plain chain alone, without reading and scoring')
    return [chain, refinement, network, total, speed]


def _segmentation_rows(
    segmentation: Segmentation, frame: DriveFrame, seconds: float,
) -> tuple[Row, Row, float]:
    engine, image = segmentation.engine, frame.image
    height, width = image.shape[:2]
    size = segmentation.input_size(width, height)
    multiple = int(engine.manifest.preprocessing['multiple'])
    full = round(width / multiple) * multiple, round(height / multiple) * multiple
    small, large = (cv2.resize(image, one, interpolation=cv2.INTER_AREA)[None]
                    for one in (size, full))
    labels = engine({'image': small})['classes'].shape[1:]
    scores = np.random.default_rng(0).normal(size=(len(SceneClass), *labels)).astype(np.float32)

    def plain() -> object:
        resized = cv2.resize(image, size)
        normalised = (resized / 255.0 - _MEAN) / _STD
        np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)
        engine({'image': small})
        return np.stack([cv2.resize(plane, (width, height)) for plane in scores]).argmax(axis=0)

    times = median_seconds({
        'network': lambda: engine({'image': small}),
        'network on all': lambda: engine({'image': large}),
        'total': lambda: segmentation(image), 'plain': plain}, seconds, 'segmentation')
    return (
        Row('segmentation_ms', 1e3 * times['network'], 'ms', 1e3 * times['network on all'],
            f'the network on {full[0]}x{full[1]} pixels instead of {size[0]}x{size[1]}'),
        Row('segmentation_total_ms', 1e3 * times['total'], 'ms', 1e3 * times['plain'],
            'normalising in NumPy, and enlarging the scores of all classes before argmax'),
        times['plain'])


def _geometry_rows(
    classes: npt.NDArray[np.uint8], frame: DriveFrame, seconds: float,
) -> tuple[Row, Row, float]:
    ground = GroundPlane.from_transform(frame.mount)
    chain, refiner = EmbodiedSceneDepth(frame.camera, max_range=MAX_RANGE), GroundRefiner(
        frame.camera)
    stamps = iter(np.arange(0, 1e6, _PERIOD))
    times = median_seconds({
        'chain': lambda: chain(classes, ground),
        'refinement': lambda: refiner.update(frame.image, ground, classes, float(next(stamps))),
        'plain': lambda: plain_embodied_depth(classes, frame.camera, ground, MAX_RANGE),
    }, seconds, 'embodied depth')
    return (
        Row('embodied_chain_ms', 1e3 * times['chain'], 'ms', 1e3 * times['plain'],
            'every pixel by the formula, contact and cv2.inpaint (Telea) at full size'),
        Row('refine_ground_ms', 1e3 * times['refinement'], 'ms', None,
            'none: a plain implementation takes the ground as it is given'),
        times['plain'])


def _replay_speed(bundle: Path, frames: list[DriveFrame]) -> float:
    """Seconds of drive per second of replay, scoring against the scans included."""
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / 'drive'
        write_drive(frames, bag)
        settings = ReplaySettings(segmentation_bundle=str(bundle))
        replays = (summarise_replay(replay_bag(bag, settings)) for _ in range(_REPLAYS))
        return median(
            float(replay['timings']['times_faster_than_recorded']) for replay in replays)
