"""The baseline of the live benchmark: a node that does nothing, and fills a picture naively."""

from __future__ import annotations

from contextlib import suppress
from statistics import median
import time

import cv2  # noqa: F401  (the libraries of the real node, for their memory and start)
import numpy as np
import onnxruntime  # noqa: F401
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

READY, FILLED = 'ready', 'filled'
SHAPE = 375, 1242
_TURNS = 5


def main() -> None:
    """Start, say so, print the milliseconds that a depth picture takes, wait for the end."""
    rclpy.init()
    node = Node('plain_node')
    print(READY, flush=True)
    fill = median(_fill() for _ in range(_TURNS))
    print(f'{FILLED} {1e3 * fill:.3f}', flush=True)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    node.destroy_node()
    rclpy.try_shutdown()


def _fill() -> float:
    """Seconds to assign the bytes of a depth picture to a message."""
    message, data = Image(), np.ones(SHAPE, np.float32).tobytes()
    started = time.perf_counter()
    message.data = data
    return time.perf_counter() - started


if __name__ == '__main__':
    main()
