"""A camera for the live benchmark: publishes one picture at a steady rate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import time
from typing import Any

import cv2
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
    """Picture [H, W, 3] of a road with marks that meet at the horizon, two houses and a car."""
    picture: Any = np.empty((height, width, 3), np.uint8)
    horizon = height // 2
    picture[:horizon] = 140, 180, 230
    picture[horizon:] = 95, 95, 100
    for left, right in ((0, 0.3), (0.7, 1)):
        columns = slice(round(left * width), round(right * width))
        picture[height // 8:horizon + height // 10, columns] = 120, 90, 70
    for foot in np.linspace(-1.0, 2.0, 8):
        cv2.line(picture, (width // 2, horizon), (round(foot * width), height), (220, 220, 220), 4,
                 cv2.LINE_AA)
    cv2.rectangle(picture, (width * 2 // 5, horizon - height // 10),
                  (width // 2, horizon + height // 6), (60, 40, 40), cv2.FILLED)
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 1))
    result: np.ndarray = (picture + noise).clip(0, 255).astype(np.uint8)
    return result


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
