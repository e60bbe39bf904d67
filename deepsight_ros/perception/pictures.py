"""Pictures of messages as arrays: ``sensor_msgs`` Image and CompressedImage, of rclpy or rosbags.

The encodings are those of ``sensor_msgs/image_encodings.hpp``. Nothing is copied until a
conversion is needed, and no conversion needs more than OpenCV.
"""

from __future__ import annotations

from typing import Any
from typing import Final
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

RgbImage = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]

class _Layout(NamedTuple):
    """Bytes of a pixel, and OpenCV's conversion to RGB (None: it is RGB)."""

    code: str
    channels: int
    to_rgb: int | None = None


_NV21: Final = 'nv21'
_PAIRS: Final = (cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2RGB_YUY2)
_DEPTH: Final = ('16UC1', '32FC1')
# OpenCV names a Bayer pattern by its second row, ROS by its first.
_BAYER: Final[dict[str, int]] = {
    'bayer_rggb': cv2.COLOR_BayerBG2RGB, 'bayer_bggr': cv2.COLOR_BayerRG2RGB,
    'bayer_gbrg': cv2.COLOR_BayerGR2RGB, 'bayer_grbg': cv2.COLOR_BayerGB2RGB,
}
_LAYOUTS: Final[dict[str, _Layout]] = {
    'mono8': _Layout('u1', 1, cv2.COLOR_GRAY2RGB), '8UC1': _Layout('u1', 1, cv2.COLOR_GRAY2RGB),
    'mono16': _Layout('u2', 1, cv2.COLOR_GRAY2RGB),
    'rgb8': _Layout('u1', 3), 'rgb16': _Layout('u2', 3),
    'bgr8': _Layout('u1', 3, cv2.COLOR_BGR2RGB), 'bgr16': _Layout('u2', 3, cv2.COLOR_BGR2RGB),
    'rgba8': _Layout('u1', 4, cv2.COLOR_RGBA2RGB), 'rgba16': _Layout('u2', 4, cv2.COLOR_RGBA2RGB),
    'bgra8': _Layout('u1', 4, cv2.COLOR_BGRA2RGB), 'bgra16': _Layout('u2', 4, cv2.COLOR_BGRA2RGB),
    '8UC3': _Layout('u1', 3, cv2.COLOR_BGR2RGB), '8UC4': _Layout('u1', 4, cv2.COLOR_BGRA2RGB),
    **{f'{name}8': _Layout('u1', 1, conversion) for name, conversion in _BAYER.items()},
    **{f'{name}16': _Layout('u2', 1, conversion) for name, conversion in _BAYER.items()},
    **dict.fromkeys(('yuv422', 'uyvy'), _Layout('u1', 2, cv2.COLOR_YUV2RGB_UYVY)),
    **dict.fromkeys(('yuv422_yuy2', 'yuyv'), _Layout('u1', 2, cv2.COLOR_YUV2RGB_YUY2)),
    _NV21: _Layout('u1', 1, cv2.COLOR_YUV2RGB_NV21),
    '16UC1': _Layout('u2', 1), '32FC1': _Layout('f4', 1),
}

ENCODINGS: Final[tuple[str, ...]] = tuple(_LAYOUTS)
"""Encodings that ``decode`` understands."""


class PictureError(ValueError):
    """A message holds no usable picture; the text names the field and the remedy."""


def decode(message: Any) -> npt.NDArray[Any]:
    """
    View [H, W] or [H, W, C] of an Image's data in its own encoding; nothing is copied.

    ``step``, byte order and length are checked; rows may be padded. NV21 pictures have 3/2 H rows,
    4:2:2 pictures two channels. Raises ``PictureError``.
    """
    encoding = message.encoding
    if encoding not in _LAYOUTS:
        raise PictureError(f'image: encoding {encoding!r} is not supported; publish one of '
                           f'{", ".join(ENCODINGS)}')
    code, channels, _ = _LAYOUTS[encoding]
    dtype = np.dtype(('>' if message.is_bigendian else '<') + code)
    width, height = int(message.width), int(message.height)
    if not (width and height):
        raise PictureError(f'image: {width}x{height} pixels; the driver publishes empty pictures')
    rows = height * 3 // 2 if encoding == _NV21 else height
    row = width * channels * dtype.itemsize
    step = int(message.step)
    if step < row:
        raise PictureError(f'image: step is {step} bytes, {width} pixels of {encoding} need '
                           f'{row}; the driver fills step or encoding wrongly')
    data = np.frombuffer(message.data, np.uint8) if len(message.data) else np.empty(0, np.uint8)
    if data.size != rows * step:
        raise PictureError(f'image: data has {data.size} bytes, {rows} rows of {step} are '
                           f'{rows * step}; the message is truncated or step is wrong')
    shape: tuple[int, ...] = (rows, width) if channels == 1 else (rows, width, channels)
    strides = (step, channels * dtype.itemsize, dtype.itemsize)[:len(shape)]
    return np.ndarray(shape, dtype, data, strides=strides)


def to_rgb(message: Any) -> RgbImage:
    """
    RGB picture [H, W, 3] uint8 of an Image; a view if the encoding is rgb8.

    16-bit pictures keep their upper eight bits; 8UC3 and 8UC4 are taken as BGR, OpenCV's order.
    Raises ``PictureError``, also for depth pictures.
    """
    encoding = message.encoding
    if encoding in _DEPTH:
        raise PictureError(f'image: encoding {encoding} holds depth or raw counts, not a camera '
                           'picture; remap image to the camera topic')
    picture = decode(message)
    if picture.dtype.itemsize == 2:
        picture = (picture >> 8).astype(np.uint8)
    conversion = _LAYOUTS[encoding].to_rgb
    return picture if conversion is None else _converted(picture, conversion, encoding)


def to_depth(message: Any) -> FloatImage:
    """
    Depth [H, W] float32 in metres of a 32FC1 (m) or 16UC1 (mm, 0 is invalid) Image (REP-118).

    Invalid is NaN. A view if the picture is native 32FC1. Raises ``PictureError``.
    """
    picture = decode(message)
    if message.encoding == '32FC1':
        return picture.astype(np.float32, copy=False)
    if message.encoding != '16UC1':
        raise PictureError(f'image: encoding {message.encoding} is no depth; publish 32FC1 in '
                           'metres or 16UC1 in millimetres')
    depth = picture.astype(np.float32)
    depth *= np.float32(1e-3)
    depth[picture == 0] = np.nan
    return depth


def decode_compressed(message: Any) -> RgbImage:
    """
    RGB picture [H, W, 3] uint8 of a CompressedImage (JPEG or PNG).

    Raises ``PictureError``, also for files cut short, which OpenCV would fill with grey.
    """
    if 'compressedDepth' in message.format:
        raise PictureError(f'image: format {message.format!r} is compressed depth, not a camera '
                           "picture; remap image to the camera's compressed topic")
    data = bytes(message.data)
    picture = None
    if _is_whole(data):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise PictureError(f'image: {len(data)} bytes of format {message.format!r} are no whole '
                           'JPEG or PNG; the message is truncated, or set compressed:=false')
    return _converted(picture, cv2.COLOR_BGR2RGB, message.format)


def _converted(picture: npt.NDArray[Any], conversion: int, encoding: str) -> RgbImage:
    if conversion in _PAIRS and picture.shape[1] % 2:  # OpenCV 4.5 does not refuse it
        raise PictureError(f'image: rows of {picture.shape[1]} pixels of {encoding}, which come '
                           'in pairs; width must be even')
    try:
        result: Any = cv2.cvtColor(picture, conversion)
    except cv2.error as error:
        size = f'{picture.shape[1]}x{picture.shape[0]}'
        raise PictureError(f'image: {size} pixels of {encoding} cannot be converted '
                           f'({error.err}); width and height must be even') from error
    rgb: RgbImage = result
    return rgb


def _is_whole(data: bytes) -> bool:
    """Whether a JPEG or PNG file has its end; other bytes have none."""
    if data.startswith(b'\xff\xd8'):
        return data.rfind(b'\xff\xd9') > data.rfind(b'\xff\xda')
    return data.startswith(b'\x89PNG') and b'IEND' in data[-16:]
