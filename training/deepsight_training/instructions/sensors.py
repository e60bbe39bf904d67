"""What a sensor would have seen of a frame: noise, holes and errors of pose on exact depth.

Answers come from exact depth, but only of what the sensor could measure.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.points import Robot
from deepsight_training.instructions.objects import OTHER
from deepsight_training.instructions.sample import FloatImage
from deepsight_training.instructions.sample import FrameSample

Sensor = Callable[[FrameSample, np.random.Generator], FloatImage]


def exact(sample: FrameSample, rng: np.random.Generator) -> FloatImage:
    """Depth as it is."""
    return sample.depth


def structured_light(sample: FrameSample, rng: np.random.Generator) -> FloatImage:
    """Kinect and RealSense: noise that grows with the square of depth, shadows, blobs, a range.

    The noise is Khoshelham and Elberink's (2012) for the Kinect, 1.4 mm at 1 m, times 0.5 to 2.
    """
    depth = _smooth_noise(sample.depth, rng, 1.425e-3 * float(rng.uniform(0.5, 2.0)), 2.0)
    nearest, farthest = rng.uniform((0.2, 3.5), (0.6, 10.0))
    with np.errstate(invalid='ignore'):
        depth[(depth < nearest) | (depth > farthest)] = np.nan
    _drop_shadows(depth, rng)
    _drop_blobs(depth, rng, float(rng.uniform(0.0, 0.12)))
    return depth


def lidar(sample: FrameSample, rng: np.random.Generator) -> FloatImage:
    """Laser scanner projected into the picture: missing beams and returns, nothing high up."""
    depth = sample.depth + rng.normal(0, 0.02, sample.depth.shape).astype(np.float32)
    rays = sample.camera.rays
    elevation = np.arcsin(rays @ sample.up / np.linalg.norm(rays, axis=-1))
    missing = elevation > np.radians(rng.uniform(1.0, 15.0))
    missing |= (rng.random(depth.shape[0]) < rng.uniform(0.0, 0.5))[:, None]
    missing |= rng.random(depth.shape) < rng.uniform(0.02, 0.4)
    with np.errstate(invalid='ignore'):
        missing |= depth > 80.0
    depth[missing] = np.nan
    return depth


def embodied(sample: FrameSample, rng: np.random.Generator) -> FloatImage:
    """Depth from the ground's geometry: things as upright boards, errors of pitch and height."""
    depth = sample.depth.copy()
    # Upright things have the depth of their lowest visible row in each column.
    height, width = depth.shape
    rows = np.arange(height)[:, None]
    key = sample.instances * width + np.arange(width)
    foot = np.zeros(int(key.max()) + 1, np.int64)
    np.maximum.at(foot, key.ravel(), np.broadcast_to(rows, depth.shape).ravel())
    standing = (sample.instances > 0) & np.isfinite(depth)
    feet = foot[key]
    boards = np.take_along_axis(depth, feet, 0)
    depth = np.where(standing & np.isfinite(boards), boards, depth)
    pitch_error, height_error = rng.normal(0, (np.radians(0.4), 0.02))
    # Where the ground is unknown, how far a wrong pitch moves it is unknown as well.
    inverse = 1.0 / depth + np.nan_to_num(np.tan(pitch_error) / sample.camera_height)
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = (1.0 + height_error) / inverse
        depth[(inverse <= 0) | (depth > 60.0)] = np.nan
    depth = _smooth_noise(depth.astype(np.float32), rng, 0.01, 1.0)
    _drop_blobs(depth, rng, float(rng.uniform(0.0, 0.08)))
    return depth


SENSORS: Final[dict[str, tuple[Sensor, float]]] = {
    'exact': (exact, 0.35), 'structured_light': (structured_light, 0.35), 'lidar': (lidar, 0.15),
    'embodied': (embodied, 0.15)}
"""Sensors and how often each is drawn."""


def sense(sample: FrameSample, rng: np.random.Generator) -> tuple[FrameSample, FrameSample]:
    """Return what a sensor drawn at random gives, and the exact frame as far as it is measured.

    The first is what a model sees; its pose above the ground is off as well, by 0.3 degrees and
    1 % of the height (1 sigma). The second is what it is asked about: where the sensor is blind
    there is neither depth nor name, and no extent of the place when a tenth is lost.
    """
    names = list(SENSORS)
    name = str(rng.choice(names, p=[SENSORS[name][1] for name in names]))
    if name == 'exact':
        return sample, sample
    up = sample.up + rng.normal(0, np.radians(0.3), 3)
    seen = replace(sample, depth=SENSORS[name][0](sample, rng), up=up / np.linalg.norm(up),
                   camera_height=sample.camera_height * float(np.exp(rng.normal(0, 0.01))))
    measured = np.isfinite(seen.depth)
    known = cv2.dilate(measured.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    lost = np.count_nonzero(np.isfinite(sample.depth) & ~known)
    truth = replace(
        sample, depth=np.where(known, sample.depth, np.float32(np.nan)),
        classes=np.where(known, sample.classes, np.uint8(OTHER)),
        instances=np.where(known, sample.instances, 0),
        extents=sample.extents if lost < 0.1 * known.size else {})
    cut = (thing for thing, mask in truth.things.masks.items()
           if np.abs(_outline(mask) - _outline(sample.instances == thing)).max() > 1)
    return seen, replace(truth, cut=frozenset(cut))


def _outline(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    rows, columns = np.nonzero(mask)
    return np.array([rows.min(), columns.min(), columns.max()])


def draw_robot(rng: np.random.Generator) -> Robot:
    """Draw a robot between a vacuum cleaner and a car; half of them are the default one."""
    if rng.random() < 0.5:
        return Robot()
    width = float(np.exp(rng.uniform(np.log(0.3), np.log(2.2))))
    return Robot(width, float(np.exp(rng.uniform(np.log(0.35), np.log(2.2)))),
                 float(rng.uniform(0.05, 0.3)))


def _smooth_noise(depth: FloatImage, rng: np.random.Generator, scale: float,
                  power: float) -> FloatImage:
    """Add noise of ``scale * depth ** power`` (1 sigma), half of it shared by neighbours."""
    height, width = depth.shape
    coarse = rng.normal(0, 1, (height // 6 + 2, width // 6 + 2)).astype(np.float32)
    shared = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = 0.7 * rng.normal(0, 1, depth.shape).astype(np.float32) + 0.7 * shared
    noisy: FloatImage = depth + np.float32(scale) * depth**np.float32(power) * noise
    return noisy


def _drop_shadows(depth: FloatImage, rng: np.random.Generator) -> None:
    """Empty what the projector beside the camera cannot reach: a strip beside nearer things."""
    side = 1 if rng.random() < 0.5 else -1
    baseline = float(rng.uniform(0.01, 0.05)) * depth.shape[1]
    shadow = np.zeros(depth.shape, bool)
    with np.errstate(invalid='ignore'):
        inverse = 1.0 / depth
        for shift in range(1, 7):
            beside = np.roll(inverse, side * shift, 1)
            if side > 0:
                beside[:, :shift] = np.nan
            else:
                beside[:, -shift:] = np.nan
            shadow |= baseline * (beside - inverse) > shift
    depth[shadow] = np.nan


def _drop_blobs(depth: FloatImage, rng: np.random.Generator, share: float) -> None:
    """Empty a ``share`` of the picture in patches: dark, shiny and slanted surfaces."""
    height, width = depth.shape
    coarse = rng.normal(0, 1, (height // 10 + 2, width // 10 + 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    depth[field > np.quantile(field, 1 - share)] = np.nan
