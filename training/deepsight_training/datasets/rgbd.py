"""Indoor RGB-D frames: the floor and what stands on it, labelled by depth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """Where the floor of a recorded scene is: down . X = floor, in the frame of its poses."""

    matrix: tuple[float, float, float, float]
    """fx, fy, cx, cy."""
    down: tuple[float, float, float]
    floor: float


REDWOOD: Final = Scene((525.0, 525.0, 319.5, 239.5), (0.0, -1.0, 0.0), -0.125)
KITCHEN: Final = Scene((528.2, 528.2, 326.39, 242.77), (-0.00834, 0.89308, 0.44982), 1.521)


def floor_labels(depth: Array, height: Array) -> Picture:
    """Labels [H, W]: floor is TERRAIN, what stands on it STRUCTURE, the rest VOID.

    Args:
        depth: metres [H, W], 0 where invalid.
        height: metres above the floor [H, W].
    """
    # A Kinect's noise grows with distance; 4 m is where its depth stops being useful.
    valid = (depth > 0.3) & (depth < 4.0)
    floor = (np.abs(height) < 0.03 + 0.015 * depth) & valid
    standing = (height > 0.08 + 0.02 * depth) & valid
    kernel = np.ones((7, 7), np.uint8)  # registration is good to some 2 pixels
    labels = np.full(depth.shape, VOID, np.uint8)
    labels[cv2.erode(standing.astype(np.uint8), kernel) > 0] = SceneClass.STRUCTURE
    near_standing = cv2.dilate(standing.astype(np.uint8), kernel) > 0
    closed = cv2.morphologyEx(floor.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    labels[(closed > 0) & ~near_standing] = SceneClass.TERRAIN
    return labels


def camera_points(depth: Array, matrix: tuple[float, float, float, float]) -> Array:
    """Points [H, W, 3] in the camera's frame."""
    fx, fy, cx, cy = matrix
    rows, columns = np.indices(depth.shape)
    return np.stack([(columns - cx) / fx * depth, (rows - cy) / fy * depth, depth], -1)


def fit_floor(points: Array, depth: Array, rng: np.random.Generator) -> Array:
    """Height above the floor [H, W] for a single upright frame without a pose.

    The floor is the plane with the most points below the optical axis among the planes that tilt
    by less than 40 degrees from the picture's own down.
    """
    candidates = points[(depth > 0.3) & (points[..., 1] > 0.2)]
    if len(candidates) < 1000:
        raise DatasetError('too little depth below the optical axis to find a floor')
    best, most = np.array([0.0, 1.0, 0.0, 1.5]), 0
    for _ in range(500):
        a, b, c = candidates[rng.integers(len(candidates), size=3)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-6 or abs(normal[1]) < 0.77 * length:
            continue
        normal = normal / length * np.sign(normal[1])
        count = int((np.abs((candidates - a) @ normal) < 0.02).sum())
        if count > most:
            best, most = np.append(normal, a @ normal), count
    height: Array = best[3] - points @ best[:3]
    return height


def _read(color: Path, depth: Path) -> tuple[Picture, npt.NDArray[np.uint16]]:
    image, raw = cv2.imread(str(color), cv2.IMREAD_COLOR), cv2.imread(str(depth), -1)
    if image is None or raw is None or raw.dtype != np.uint16 or raw.shape != image.shape[:2]:
        raise DatasetError(f'{color} lacks a 16 bit depth picture of its size in {depth}')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), raw


def _posed(
    color: Path, depth: Path, pose: Array, scene: Scene, name: str, source: str
) -> Sample:
    image, raw = _read(color, depth)
    metres = raw / 1000.0
    points = camera_points(metres, scene.matrix) @ pose[:3, :3].T + pose[:3, 3]
    labels = floor_labels(metres, scene.floor - points @ np.array(scene.down))
    return Sample(image, labels, name, source)


def read_kitchen(root: Path, keep_every: int = 5) -> list[Sample]:
    """7-Scenes layout (Shotton et al. 2013); neighbouring frames show the same, so some do."""
    frames = sorted(root.glob('*.color.jpg'))[::keep_every]
    if not frames:
        raise DatasetError(f'no *.color.jpg in {root}')
    samples = []
    for color in frames:
        stem = color.name.removesuffix('.color.jpg')
        pose = np.loadtxt(root / f'{stem}.pose.txt')
        depth = root / f'{stem}.depth.png'
        samples.append(_posed(color, depth, pose, KITCHEN, stem, 'kitchen'))
    return samples


def read_rooms(root: Path) -> list[Sample]:
    """Single rooms: Redwood frames with poses, one TUM and one SUN RGB-D frame without."""
    lines = (root / 'trajectory.log').read_text().splitlines()
    poses = np.array([[float(v) for v in line.split()] for line in lines if line.count('.') > 1])
    samples = []
    for i, color in enumerate(sorted((root / 'color').glob('*.jpg'))):
        depth = root / 'depth' / f'{color.stem}.png'
        pose = poses[4 * i: 4 * i + 4]
        samples.append(_posed(color, depth, pose, REDWOOD, color.stem, 'rooms'))
    other = root / 'other_formats'
    rng = np.random.default_rng(0)
    for name, suffix in (('TUM', 'png'), ('SUN', 'jpg')):
        image, raw = _read(other / f'{name}_color.{suffix}', other / f'{name}_depth.png')
        metres = raw / 5000.0 if name == 'TUM' else ((raw >> 3) | (raw << 13)) / 1000.0
        points = camera_points(metres, REDWOOD.matrix)
        labels = floor_labels(metres, fit_floor(points, metres, rng))
        samples.append(Sample(image, labels, name, 'rooms'))
    return samples
