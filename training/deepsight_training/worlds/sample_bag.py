"""Writes the sample bags: ten seconds of street and of room with everything a node needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat
from rosbags.rosbag2 import CompressionMode
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from tqdm import tqdm

from deepsight_training.worlds.bag_messages import CAMERA_FRAME
from deepsight_training.worlds.bag_messages import camera_info
from deepsight_training.worlds.bag_messages import compressed_image
from deepsight_training.worlds.bag_messages import depth_image
from deepsight_training.worlds.bag_messages import imu
from deepsight_training.worlds.bag_messages import IMU_FRAME
from deepsight_training.worlds.bag_messages import qos
from deepsight_training.worlds.bag_messages import STORE
from deepsight_training.worlds.bag_messages import transforms
from deepsight_training.worlds.motion import Motion
from deepsight_training.worlds.photograph import haze
from deepsight_training.worlds.photograph import photograph
from deepsight_training.worlds.raycast import cast
from deepsight_training.worlds.render import Renderer
from deepsight_training.worlds.sample_scenes import Drive
from deepsight_training.worlds.sample_scenes import room_drive
from deepsight_training.worlds.sample_scenes import street_drive
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.viewpoint import rotation

START: Final = 1_700_000_000 * 10**9
"""Stamp of the first message [ns]: fixed, so that every making of the bags is alike."""
DURATION: Final = 10.0
CAMERA_RATE, MOTION_RATE = 10, 50
"""Messages per second of the picture, and of IMU and TF each."""
DEPTH_EVERY: Final = 4
"""One true depth image per so many pictures, to keep the bags small."""
JPEG_QUALITY: Final = 70
IMU_SIGMAS: Final = (0.001, 0.002, 0.03)
"""Noise of orientation [rad], angular rate [rad/s] and specific force [m/s^2]."""

Timed = tuple[int, str, str, Any]
"""Stamp [ns], topic, message type, message."""


def write_sample_bags(out: Path) -> None:
    """Write ``out``/street and ``out``/room; neither may exist."""
    for make in (street_drive, room_drive):
        drive = make()
        write_drive(drive, out / drive.name)


def write_drive(drive: Drive, path: Path, duration: float = DURATION) -> None:
    """Write one drive as a rosbag2 folder that Humble and later can play (mcap, zstd chunks)."""
    if path.exists():
        raise WorldError(f'{path} exists; remove it or choose another folder')
    path.parent.mkdir(parents=True, exist_ok=True)
    total = round(duration * CAMERA_RATE)
    with tqdm(total=total, unit='frame', desc=drive.name) as bar:
        messages = list(motion_messages(drive.motion, duration))
        for timed in picture_messages(drive, duration):
            messages.append(timed)
            bar.update(timed[1].endswith('compressed'))
    # Humble reads the QoS profiles of bag version 8, not those of 9.
    writer = Writer(path, version=8, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    writer.set_custom_data('licence', 'Apache-2.0')
    with writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=STORE, offered_qos_profiles=[
                qos(latched=topic == '/tf_static')])
            for topic, kind in sorted({(topic, kind) for _, topic, kind, _ in messages})}
        for stamp, topic, kind, message in sorted(messages, key=lambda item: (item[0], item[1])):
            writer.write(connections[topic], stamp, STORE.serialize_cdr(message, kind))


def _stamps(rate: int, duration: float) -> Iterator[tuple[float, int]]:
    """Times from the start [s] and stamps [ns]."""
    for i in range(round(duration * rate)):
        yield i / rate, START + i * 10**9 // rate


def motion_messages(motion: Motion, duration: float) -> Iterator[Timed]:
    """TF and IMU."""
    tf = 'tf2_msgs/msg/TFMessage'
    yield START, '/tf_static', tf, transforms(START, [
        ('base_link', CAMERA_FRAME, motion.camera_mount),
        ('base_link', IMU_FRAME, motion.imu_mount)])
    rng = np.random.default_rng(0)
    for time, stamp in _stamps(MOTION_RATE, duration):
        yield stamp, '/tf', tf, transforms(stamp, [
            ('odom', 'base_footprint', motion.footprint(time)),
            ('base_footprint', 'base_link', motion.body(time))])
        rate, force = motion.inertial(time)
        turn = rotation(*rng.normal(0.0, IMU_SIGMAS[0], 3))
        yield stamp, '/imu/data', 'sensor_msgs/msg/Imu', imu(
            stamp, motion.imu(time)[:3, :3] @ turn, rate + rng.normal(0.0, IMU_SIGMAS[1], 3),
            force + rng.normal(0.0, IMU_SIGMAS[2], 3), IMU_SIGMAS)


def picture_messages(drive: Drive, duration: float) -> Iterator[Timed]:
    """Pictures, true depth at half size, and their camera_info."""
    half = drive.camera.scaled(0.5)
    info = 'sensor_msgs/msg/CameraInfo'
    rng = np.random.default_rng(1)
    with Renderer(drive.world, drive.camera) as renderer:
        for index, (time, stamp) in enumerate(_stamps(CAMERA_RATE, duration)):
            pose = drive.motion.camera(time)
            drive.world.set_camera(pose, time)
            picture = haze(renderer.colours(pose), renderer.surfaces().depth,
                           drive.world.atmosphere)
            done, jpeg = cv2.imencode('.jpg', photograph(picture, drive.sensor, rng)[..., ::-1],
                                      [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            if not done:
                raise WorldError('OpenCV cannot encode JPEG; install a build with libjpeg')
            yield (stamp, '/camera/image_raw/compressed', 'sensor_msgs/msg/CompressedImage',
                   compressed_image(stamp, jpeg))
            yield stamp, '/camera/camera_info', info, camera_info(stamp, drive.camera)
            if index % DEPTH_EVERY == 0:
                depth = cast(drive.world, pose, half).depth
                yield (stamp, '/camera/depth/image_raw', 'sensor_msgs/msg/Image',
                       depth_image(stamp, depth))
                yield stamp, '/camera/depth/camera_info', info, camera_info(stamp, half)
