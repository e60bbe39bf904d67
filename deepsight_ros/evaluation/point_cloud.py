"""Points of ``sensor_msgs/PointCloud2`` messages, of rclpy or rosbags."""

from __future__ import annotations

from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.errors import BagError

_TYPES: Final = {7: 'f4', 8: 'f8'}
"""PointField.FLOAT32 and FLOAT64."""


def points_of(message: Any) -> npt.NDArray[np.float32]:
    """Finite points [N, 3] (x, y, z in metres) in the frame of the message's header."""
    order = '>' if message.is_bigendian else '<'
    fields = {field.name: field for field in message.fields}
    if any(name not in fields or fields[name].datatype not in _TYPES for name in 'xyz'):
        raise BagError(f'points: fields are {", ".join(fields) or "none"}; x, y and z must be '
                       'there as FLOAT32 or FLOAT64')
    width, height = int(message.width), int(message.height)
    step, row = int(message.point_step), int(message.row_step)
    data = np.frombuffer(message.data, np.uint8) if len(message.data) else np.empty(0, np.uint8)
    if row < width * step or data.size < height * row:
        raise BagError(f'points: {data.size} bytes do not hold {height} rows of {width} points '
                       f'of {step} bytes; the message is truncated')
    layout = np.dtype({
        'names': ['x', 'y', 'z'],
        'formats': [order + _TYPES[fields[name].datatype] for name in 'xyz'],
        'offsets': [int(fields[name].offset) for name in 'xyz'], 'itemsize': step})
    cloud = np.ndarray((height, width), layout, data, strides=(row, step)).ravel()
    points = np.stack([cloud[name].astype(np.float32) for name in 'xyz'], axis=1)
    finite: npt.NDArray[np.float32] = points[np.isfinite(points).all(axis=1)]
    return finite
