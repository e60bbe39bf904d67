"""Arrays and cameras as messages."""

from __future__ import annotations

from array import array
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from deepsight_ros.geometry import Camera

_ENCODINGS = {('float32', 2): '32FC1', ('uint8', 2): 'mono8', ('uint8', 3): 'rgb8'}


def image_message(picture: npt.NDArray[Any], header: Header) -> Image:
    """Image of an array [H, W] float32 (32FC1) or uint8 (mono8), or [H, W, 3] uint8 (rgb8)."""
    picture = np.ascontiguousarray(picture)
    message = Image(header=header)
    message.height, message.width = picture.shape[:2]
    message.encoding = _ENCODINGS[picture.dtype.name, picture.ndim]
    message.is_bigendian = sys.byteorder == 'big'
    message.step = picture.strides[0]
    # Anything but an array of type 'B' is checked or copied element by element.
    data = array('B')
    data.frombytes(picture.data.cast('B'))
    message.data = data
    return message


def camera_info_message(camera: Camera, header: Header) -> CameraInfo:
    """CameraInfo of a rectified picture: P of the camera, no distortion, no rotation."""
    return CameraInfo(
        header=header, width=camera.width, height=camera.height,
        distortion_model='plumb_bob', d=[0.0] * 5, k=camera.matrix.ravel(),
        r=np.eye(3).ravel(), p=camera.projection.ravel())
