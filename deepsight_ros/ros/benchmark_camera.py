"""A camera for the live benchmark: publishes one picture at a steady rate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import time

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image

from deepsight_ros.geometry import Camera
from deepsight_ros.ros import qos
from deepsight_ros.ros.messages import camera_info_message
from deepsight_ros.ros.messages import image_message

WIDTH, HEIGHT, FOCAL = 1242, 375, 721.5
FRAME_ID = 'camera'


def street(width: int, height: int) -> np.ndarray:
    """Picture [H, W, 3] of a grey road below a sky, with a dark box and some texture."""
    picture = np.empty((height, width, 3), np.float32)
    picture[:height // 2] = 140, 180, 230
    picture[height // 2:] = 95, 95, 100
    picture[height // 3:height * 2 // 3, width // 3:width // 2] = 60, 40, 40
    picture += np.random.default_rng(0).normal(0, 6, (height, width, 1))
    return picture.clip(0, 255).astype(np.uint8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Wait for a subscriber, publish, say how many pictures were sent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate', type=float, default=30.0, help='pictures per second')
    parser.add_argument('--seconds', type=float, default=60.0, help='how long')
    options = parser.parse_args(arguments)
    rclpy.init()
    node = Node('benchmark_camera')
    picture_publisher = node.create_publisher(Image, 'image', qos.newest_picture())
    info_publisher = node.create_publisher(CameraInfo, 'camera_info', qos.sensor())
    camera = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2)
    while not (picture_publisher.get_subscription_count()
               and info_publisher.get_subscription_count()):
        time.sleep(0.05)
    header = Image().header
    header.frame_id = FRAME_ID
    message, info = image_message(street(WIDTH, HEIGHT), header), camera_info_message(
        camera, header)
    frames = round(options.rate * options.seconds)
    started = time.monotonic()
    for index in range(frames):
        time.sleep(max(0.0, started + index / options.rate - time.monotonic()))
        header.stamp = node.get_clock().now().to_msg()
        info_publisher.publish(info)
        picture_publisher.publish(message)
    print(frames, flush=True)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == '__main__':
    main()
