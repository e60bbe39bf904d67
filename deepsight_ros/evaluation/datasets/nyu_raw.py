"""Raw Kinect recordings of NYU Depth v2: disparity of a depth camera beside the colour camera."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.files import read_uint16
from deepsight_ros.evaluation.datasets.lidar import project_scan
from deepsight_ros.geometry import Camera

_SIZE: Final = (640, 480)
_COLOUR: Final = np.array([
    [518.857901, 0.0, 325.582449], [0.0, 519.469611, 253.736166], [0.0, 0.0, 1.0]])
_COLOUR_LENS: Final = (0.2079662, -0.5861383, 0.000722314, 0.001047963, 0.4985699)
_DEPTH: Final = np.array([
    [582.624482, 0.0, 313.044759], [0.0, 582.691033, 238.443896], [0.0, 0.0, 1.0]])
_DEPTH_LENS: Final = np.array([-0.09989724, 0.3906532, 0.001929059, -0.001942202, -0.5103173])
_DEPTH_FROM_COLOUR: Final = np.array([
    [0.99997799, 0.00505184, 0.00430112], [-0.00503599, 0.99998052, -0.00368798],
    [-0.00431966, 0.00366624, 0.99998395]])
_POSITION: Final = np.array([0.025031875, 0.000662387, -0.000293423])
"""Calibration of the data set's toolbox: intrinsics, lenses, and the colour camera's pose in the
depth camera's frame (metres)."""
_INVALID: Final = 2047


def colour_camera() -> Camera:
    """Camera of the colour pictures, which are not rectified."""
    return Camera.from_fields(
        width=_SIZE[0], height=_SIZE[1], k=_COLOUR, d=_COLOUR_LENS,
        p=np.hstack([_COLOUR, np.zeros((3, 1))]), distortion_model='plumb_bob', rectified=False)


def read_truth(path: Path, camera: Camera) -> npt.NDArray[np.float32]:
    """Ground truth [N, 3] (column, row, depth in metres) in the rectified colour picture."""
    depth = decode_disparity(read_uint16(path))
    rows, columns = np.nonzero(np.isfinite(depth))
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)[:, None]
    rays = cv2.undistortPoints(pixels, _DEPTH, _DEPTH_LENS)[:, 0]
    z = depth[rows, columns, None].astype(np.float64)
    points = np.hstack([rays * z, z]) - _POSITION
    return project_scan(points @ _DEPTH_FROM_COLOUR, camera)


def decode_disparity(stored: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """
    Depth [H, W] in metres along the depth camera's axis.

    The files hold Kinect disparity of 11 bits, some with the bytes in the wrong order for PGM.
    """
    disparity = stored.byteswap() if stored.max() > _INVALID else stored
    with np.errstate(divide='ignore'):
        depth: npt.NDArray[np.float32] = (
            351.3 / (1092.5 - disparity.astype(np.float32))).astype(np.float32)
    depth[(disparity >= _INVALID) | ~((depth > 0) & (depth < 10))] = np.nan
    return depth
