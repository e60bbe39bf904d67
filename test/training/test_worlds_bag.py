"""The sample bags that ship with the package: complete, small, and geometrically true."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from dataclasses import is_dataclass
from pathlib import Path
from types import SimpleNamespace

import cv2
from deepsight_training.worlds.bag_messages import depth_image
from deepsight_training.worlds.motion import GRAVITY
from deepsight_training.worlds.motion import quaternion
from deepsight_training.worlds.motion import transform
from deepsight_training.worlds.raycast import cast
from deepsight_training.worlds.sample_bag import motion_messages
from deepsight_training.worlds.sample_bag import START
from deepsight_training.worlds.sample_bag import write_drive
from deepsight_training.worlds.sample_scenes import Drive
from deepsight_training.worlds.sample_scenes import room_drive
from deepsight_training.worlds.sample_scenes import street_drive
from deepsight_training.worlds.scene import WorldError
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

BAGS = Path(__file__).resolve().parents[2] / 'resource' / 'sample_bags'
TOPICS = {
    '/camera/image_raw/compressed': ('sensor_msgs/msg/CompressedImage', 100),
    '/camera/camera_info': ('sensor_msgs/msg/CameraInfo', 100),
    '/camera/depth/image_raw': ('sensor_msgs/msg/Image', 25),
    '/camera/depth/camera_info': ('sensor_msgs/msg/CameraInfo', 25),
    '/imu/data': ('sensor_msgs/msg/Imu', 500),
    '/tf': ('tf2_msgs/msg/TFMessage', 500),
    '/tf_static': ('tf2_msgs/msg/TFMessage', 1)}


@pytest.fixture(scope='module', params=['street', 'room'])
def bag(request) -> SimpleNamespace:
    """All messages of a bag by topic, as (stamp, message, bytes)."""
    messages = defaultdict(list)
    with AnyReader([BAGS / request.param]) as reader:
        types = {connection.topic: connection.msgtype for connection in reader.connections}
        for connection, stamp, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            messages[connection.topic].append((stamp, message, bytes(raw)))
    return SimpleNamespace(name=request.param, types=types, messages=messages)


@pytest.fixture(scope='module')
def drives() -> dict[str, Drive]:
    """The scenes from which the bags were made."""
    return {'street': street_drive(), 'room': room_drive()}


def leaves(value: object) -> Iterator[object]:
    """Texts and numbers of a message, in order."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, (list, np.ndarray)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def matrix(stamped) -> np.ndarray:
    """Child-to-parent matrix [4, 4] of a TransformStamped."""
    q, t = stamped.transform.rotation, stamped.transform.translation
    result = np.eye(4)
    result[:3, :3] = rotation_of(q)
    result[:3, 3] = t.x, t.y, t.z
    return result


def rotation_of(q) -> np.ndarray:
    """Rotation [3, 3] of a quaternion message."""
    cross = np.array([[0, -q.z, q.y], [q.z, 0, -q.x], [-q.y, q.x, 0]])
    return np.eye(3) + 2 * q.w * cross + 2 * cross @ cross


def chain(bag, stamp: int, sensor: str) -> np.ndarray:
    """Sensor frame to odom [4, 4] at a stamp for which /tf has a message."""
    moving = {t.child_frame_id: matrix(t) for at, message, _ in bag.messages['/tf']
              if at == stamp for t in message.transforms}
    fixed = {t.child_frame_id: matrix(t)
             for t in bag.messages['/tf_static'][0][1].transforms}
    return moving['base_footprint'] @ moving['base_link'] @ fixed[sensor]


def test_size():
    files = [path for path in BAGS.rglob('*') if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000


def test_humble_can_read_the_metadata(bag):
    text = (BAGS / bag.name / 'metadata.yaml').read_text()
    assert 'version: 8\n' in text
    assert 'storage_identifier: mcap\n' in text


def test_topics_and_rates(bag):
    found = {topic: (bag.types[topic], len(items)) for topic, items in bag.messages.items()}
    assert found == TOPICS
    for topic, items in bag.messages.items():
        stamps = [stamp for stamp, _, _ in items]
        assert stamps[0] == START
        assert len(set(np.diff(stamps).tolist())) <= 1, f'{topic} is irregular'
        for stamp, message, _ in items[::50]:
            if hasattr(message, 'header'):
                time = message.header.stamp
                assert time.sec * 10**9 + time.nanosec == stamp


def test_camera_info_fits_the_images(bag):
    picture = cv2.imdecode(np.asarray(bag.messages['/camera/image_raw/compressed'][0][1].data), 1)
    info = bag.messages['/camera/camera_info'][0][1]
    assert picture.shape == (info.height, info.width, 3)
    depth, half = (bag.messages[f'/camera/depth/{name}'][0][1]
                   for name in ('image_raw', 'camera_info'))
    assert (depth.height, depth.width, depth.encoding) == (half.height, half.width, '16UC1')
    for message in (info, half):
        assert message.distortion_model == 'plumb_bob'
        assert not np.any(message.d)
        assert len(message.d) == 5
        np.testing.assert_array_equal(message.p.reshape(3, 4)[:, :3], message.k.reshape(3, 3))
        np.testing.assert_array_equal(message.r.reshape(3, 3), np.eye(3))
    # Pixel centres at integers: u + 1/2 scales, not u.
    np.testing.assert_allclose(half.k[[0, 4]], info.k[[0, 4]] / 2)
    np.testing.assert_allclose(half.k[[2, 5]] + 0.5, (info.k[[2, 5]] + 0.5) / 2)


def test_true_depth_lies_on_the_ground_of_tf(bag):
    errors = []
    for (stamp, message, _), (_, info, _) in zip(
            bag.messages['/camera/depth/image_raw'], bag.messages['/camera/depth/camera_info'],
            strict=True):
        pose = chain(bag, stamp, 'camera_optical_frame')
        depth = message.data.view('<u2').reshape(message.height, message.width) / 1000.0
        fx, _, cx, _, fy, cy = info.k[:6]
        v, u = np.mgrid[message.height * 3 // 4:message.height, 0:message.width]
        down = -pose[2, :3]
        expected = pose[2, 3] / (down[0] * (u - cx) / fx + down[1] * (v - cy) / fy + down[2])
        errors.append((depth[v, u] - expected) / expected)
    # The lowest quarter of the pictures shows ground for the most part.
    assert np.median(np.abs(errors)) < 0.01


def test_imu_feels_gravity_and_turns_with_tf(bag):
    force, angle = [], []
    for stamp, message, _ in bag.messages['/imu/data']:
        turn = rotation_of(message.orientation)
        a = message.linear_acceleration
        force.append(turn @ (a.x, a.y, a.z))
        off = turn.T @ chain(bag, stamp, 'imu_link')[:3, :3]
        angle.append(np.degrees(np.arccos(np.clip((np.trace(off) - 1) / 2, -1, 1))))
    assert np.max(angle) < 0.5
    assert np.mean(force, 0)[2] == pytest.approx(GRAVITY, abs=0.05)


def test_angular_velocity_integrates_to_the_orientation(bag):
    items = bag.messages['/imu/data'][:101]
    start, end = (chain(bag, items[i][0], 'imu_link')[:3, :3] for i in (0, -1))
    turn = start
    for (t0, first, _), (t1, second, _) in zip(items[:-1], items[1:], strict=True):
        w = np.array([[m.angular_velocity.x, m.angular_velocity.y, m.angular_velocity.z]
                      for m in (first, second)]).mean(0) * (t1 - t0) * 1e-9
        turn = turn @ cv2.Rodrigues(w)[0]
    assert np.degrees(np.linalg.norm(cv2.Rodrigues(turn.T @ end)[0])) < 0.3


def test_maker_reproduces_motion_and_depth(bag, drives):
    drive = drives[bag.name]
    made = defaultdict(list)
    for stamp, topic, _, message in motion_messages(drive.motion, 10.0):
        made[topic].append((stamp, message))
    for topic, items in made.items():
        stored = bag.messages[topic]
        assert [stamp for stamp, _ in items] == [stamp for stamp, _, _ in stored], topic
        found, expected = ([leaf for item in found for leaf in leaves(item[1])]
                           for found in (items, stored))
        assert [leaf for leaf in found if isinstance(leaf, str)] == [
            leaf for leaf in expected if isinstance(leaf, str)], topic
        # Processors differ in the last bit of a sine.
        np.testing.assert_allclose(
            [leaf for leaf in found if not isinstance(leaf, str)],
            [leaf for leaf in expected if not isinstance(leaf, str)], atol=1e-9, err_msg=topic)
    stamp, stored, _ = bag.messages['/camera/depth/image_raw'][12]
    time = (stamp - START) * 1e-9
    pose = drive.motion.camera(time)
    drive.world.set_camera(pose, time)
    depth = depth_image(stamp, cast(drive.world, pose, drive.camera.scaled(0.5)).depth)
    difference = np.abs(depth.data.view('<u2').astype(int) - stored.data.view('<u2'))
    # Releases of MuJoCo differ in a few rays that graze an edge.
    assert np.mean(difference <= 1) > 0.995


def test_short_bag_is_written_alike_twice(drives, tmp_path):
    try:
        for name in ('first', 'second'):
            write_drive(drives['room'], tmp_path / name / 'room', 0.2)
    except WorldError as error:
        pytest.skip(f'pictures need OpenGL: {error}')
    first, second = ((tmp_path / name / 'room' / 'room.mcap').read_bytes()
                     for name in ('first', 'second'))
    assert first == second
    with pytest.raises(WorldError, match='exists'):
        write_drive(drives['room'], tmp_path / 'first' / 'room', 0.2)


@pytest.mark.parametrize('angles', [(0, 0, 0), (0.3, -0.2, 2.9), (3.1, 0.1, -1), (0, 3.1, 0.2)])
def test_quaternion_matches_the_matrix(angles):
    turn = transform((0, 0, 0), *angles)[:3, :3]
    x, y, z, w = quaternion(turn)
    np.testing.assert_allclose(rotation_of(SimpleNamespace(x=x, y=y, z=z, w=w)), turn, atol=1e-12)
