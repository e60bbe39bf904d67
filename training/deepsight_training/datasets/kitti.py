"""KITTI raw and KITTI object (Geiger et al. 2012, 2013): pictures labelled by their LiDAR."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import ANY_BACKGROUND
from deepsight_training.datasets.lidar_labels import above_horizon
from deepsight_training.datasets.lidar_labels import fit_ground
from deepsight_training.datasets.lidar_labels import lidar_labels
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

CAMERA_HEIGHT: Final = 1.65
"""Metres, from the sensor setup page of the data set."""

_CLASS_OF_TYPE: Final = {
    'Car': SceneClass.VEHICLE,
    'Van': SceneClass.VEHICLE,
    'Truck': SceneClass.VEHICLE,
    'Tram': SceneClass.VEHICLE,
    'Pedestrian': SceneClass.PERSON,
    'Person_sitting': SceneClass.PERSON,
    'Cyclist': SceneClass.PERSON,
}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Calibration:
    """Reference camera to picture [3, 4], scanner to reference camera [4, 4]; both rectified."""

    projection: Array
    from_scanner: Array

    @property
    def matrix(self) -> Array:
        return self.projection[:, :3]

    @property
    def offset(self) -> Array:
        """Reference camera to this camera, metres: KITTI's P has a fourth column."""
        shift: Array = np.linalg.solve(self.matrix, self.projection[:, 3])
        return shift


def _read_table(path: Path) -> dict[str, Array]:
    table = {}
    for line in path.read_text().splitlines():
        name, _, values = line.partition(':')
        try:
            table[name.strip()] = np.array([float(v) for v in values.split()])
        except ValueError:
            continue  # dates
    return table


def _affine(rotation: Array, translation: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation.reshape(3, 3)
    matrix[:3, 3] = translation
    return matrix


def _raw_calibration(root: Path) -> _Calibration:
    camera = _read_table(root / 'calib_cam_to_cam.txt')
    scanner = _read_table(root / 'calib_velo_to_cam.txt')
    rectify = _affine(camera['R_rect_00'], np.zeros(3))
    return _Calibration(
        camera['P_rect_02'].reshape(3, 4), rectify @ _affine(scanner['R'], scanner['T'])
    )


def _object_calibration(path: Path) -> _Calibration:
    table = _read_table(path)
    scanner = table['Tr_velo_to_cam'].reshape(3, 4)
    rectify = _affine(table['R0_rect'], np.zeros(3))
    return _Calibration(
        table['P2'].reshape(3, 4), rectify @ _affine(scanner[:, :3], scanner[:, 3])
    )


def _read_picture(path: Path) -> npt.NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f'{path} is no picture')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _read_scan(path: Path, calibration: _Calibration) -> Array:
    """Points [N, 3] in the frame of the camera that took the picture, in front of it."""
    scan = np.fromfile(path, np.float32).reshape(-1, 4)[:, :3].astype(np.float64)
    transform = calibration.from_scanner
    points: Array = scan @ transform[:3, :3].T + transform[:3, 3] + calibration.offset
    return points[points[:, 2] > 1.0]


def _label(
    image: npt.NDArray[np.uint8], points: Array, calibration: _Calibration,
    known: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]:
    shape = image.shape[:2]
    plane = fit_ground(points, CAMERA_HEIGHT)
    projected = points @ calibration.matrix.T
    pixels = np.rint(projected[:, :2] / projected[:, 2:]).astype(np.int64)
    inside = (pixels >= 0).all(1) & (pixels < [shape[1], shape[0]]).all(1)
    labels = lidar_labels(points[inside], pixels[inside], shape, plane, known[inside])
    return above_horizon(labels, calibration.matrix, plane)


def read_kitti_drive(root: Path) -> list[Sample]:
    """Every frame of a raw drive with ``image_02`` and ``velodyne_points``."""
    calibration = _raw_calibration(root)
    samples = []
    for path in sorted((root / 'image_02' / 'data').glob('*.png')):
        scan = root / 'velodyne_points' / 'data' / f'{path.stem}.bin'
        image, points = _read_picture(path), _read_scan(scan, calibration)
        labels = _label(image, points, calibration, np.full(len(points), VOID, np.uint8))
        samples.append(Sample(image, labels, path.stem, 'kitti_drive'))
    if not samples:
        raise DatasetError(f'no pictures in {root / "image_02" / "data"}')
    return samples


def _boxed(points: Array, boxes: Path, offset: Array) -> npt.NDArray[np.uint8]:
    """Label per point [N] from the 3D boxes of a frame.

    Boxes are in the reference camera's frame: bottom centre, rotation about the vertical.
    """
    known = np.full(len(points), ANY_BACKGROUND, np.uint8)
    for line in boxes.read_text().splitlines():
        fields = line.split()
        values = [float(v) for v in fields[1:]]
        height, width, length = values[7:10]
        if fields[0] not in _CLASS_OF_TYPE:
            continue
        local = points - offset - np.array(values[10:13])
        cosine, sine = np.cos(values[13]), np.sin(values[13])
        along = cosine * local[:, 0] - sine * local[:, 2]
        across = sine * local[:, 0] + cosine * local[:, 2]
        within = (np.abs(along) < length / 2 + 0.1) & (np.abs(across) < width / 2 + 0.1)
        within &= (local[:, 1] < 0.2) & (local[:, 1] > -height - 0.15)
        known[within] = _CLASS_OF_TYPE[fields[0]]
    return known


def _drop_unboxed(
    known: npt.NDArray[np.uint8], points: Array, matrix: Array, boxes: Path
) -> npt.NDArray[np.uint8]:
    """Points in 'DontCare' rectangles, where nothing was boxed, may be anything upright."""
    projected = points @ matrix.T
    pixels = projected[:, :2] / projected[:, 2:]
    known = known.copy()
    for line in boxes.read_text().splitlines():
        fields = line.split()
        if fields[0] in _CLASS_OF_TYPE:
            continue
        left, top, right, bottom = (float(v) for v in fields[4:8])
        inside = (pixels >= [left, top]).all(1) & (pixels <= [right, bottom]).all(1)
        known[inside & (known == ANY_BACKGROUND)] = VOID
    return known


def read_kitti_object(root: Path) -> list[Sample]:
    """Every frame of the object benchmark's ``training`` folder that has a scan."""
    samples = []
    for path in sorted((root / 'image_2').glob('*.png')):
        calibration = _object_calibration(root / 'calib' / f'{path.stem}.txt')
        image = _read_picture(path)
        points = _read_scan(root / 'velodyne' / f'{path.stem}.bin', calibration)
        boxes = root / 'label_2' / f'{path.stem}.txt'
        known = _boxed(points, boxes, calibration.offset)
        known = _drop_unboxed(known, points, calibration.matrix, boxes)
        labels = _label(image, points, calibration, known)
        samples.append(Sample(image, labels, path.stem, 'kitti_object'))
    if not samples:
        raise DatasetError(f'no pictures in {root / "image_2"}')
    return samples
