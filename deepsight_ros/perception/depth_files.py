"""Depth images and calibrations from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
import zipfile

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import CameraError


class DepthFileError(ValueError):
    """A file holds no depth image or no calibration; the text names it and the remedy."""


def read_depth(path: Path) -> FloatImage:
    """
    Depth [H, W] in metres, NaN where unknown, of .npy, .npz (array ``depth``) or a picture.

    16-bit pictures (PNG) hold millimetres and 0 where nothing was measured, floating-point ones
    (TIFF) metres. Raises ``DepthFileError``.
    """
    if not path.is_file():
        raise DepthFileError(f'{path} does not exist; --depth names a file')
    depth = _array(path) if path.suffix in ('.npy', '.npz') else _picture(path)
    if depth.ndim != 2 or not depth.size or depth.dtype.kind not in 'uf':
        raise DepthFileError(f'{path} holds {depth.dtype} of shape {depth.shape}, not one channel '
                             'of metres (floats) or millimetres (16 bits)')
    if depth.dtype.kind == 'f':
        return depth.astype(np.float32)
    if depth.dtype.itemsize == 1:
        raise DepthFileError(f'{path} has 8 bits per pixel; depth in millimetres needs 16')
    metres = depth.astype(np.float32) * np.float32(1e-3)
    metres[depth == 0] = np.nan
    return metres


def _array(path: Path) -> npt.NDArray[Any]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if path.suffix == '.npy':
            return np.asarray(loaded)
        with loaded as arrays:
            return np.asarray(arrays['depth'])
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DepthFileError(f'{path} cannot be read ({error}); give .npy, .npz with the array '
                             'depth, or a 16-bit PNG') from error


def _picture(path: Path) -> npt.NDArray[Any]:
    picture: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DepthFileError(f'{path} is no picture; give .npy, .npz or a 16-bit PNG')
    return np.asarray(picture)


def read_camera(path: Path) -> Camera:
    """
    Camera of a rectified picture, from YAML.

    Takes what ``ros2 topic echo --once .../camera_info`` prints, and what ``camera_calibration``
    writes. Raises ``DepthFileError``, and ``CameraError`` for values of no camera.
    """
    try:
        documents = [item for item in yaml.safe_load_all(path.read_text('utf8')) if item]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DepthFileError(f'{path} cannot be read as YAML ({error})') from error
    try:
        return Camera.from_fields(**_fields(documents[0]))
    except CameraError:
        raise
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DepthFileError(
            f'{path} is no camera_info ({error!r}); write one with '
            '`ros2 topic echo --once .../camera_info > camera.yaml`') from error


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    if 'image_width' in content:
        return {'width': content['image_width'], 'height': content['image_height'],
                'k': content['camera_matrix']['data'],
                'p': content.get('projection_matrix', {}).get('data', ())}
    roi = content.get('roi', {})
    return {
        'width': content['width'], 'height': content['height'], 'k': content['k'],
        'p': content.get('p', ()),
        'binning': (content.get('binning_x', 0), content.get('binning_y', 0)),
        'roi': tuple(roi.get(name, 0) for name in ('x_offset', 'y_offset', 'width', 'height'))}
