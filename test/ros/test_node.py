"""What the node publishes for good pictures."""

from array import array

import cv2
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy
from rclpy.qos import ReliabilityPolicy
from ros_peer import as_array
from ros_peer import CAMERA_HEIGHT
from ros_peer import camera_info
from ros_peer import FOCAL
from ros_peer import HEIGHT
from ros_peer import image
from ros_peer import stamp_of
from ros_peer import street
from ros_peer import WIDTH
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Imu

ALL = ('image', 'camera_info', 'uncertainty', 'label', 'preview')


def test_all_topics_carry_the_header_of_the_picture(peer):
    peer.start_node()
    peer.listen(*ALL)
    peer.connect()
    peer.send(camera_info(0.5))
    peer.next_result('preview', image(3.25))
    peer.wait_until(lambda: all(peer.received[topic] for topic in ALL), 'all five topics')
    for topic in ALL:
        message = peer.received[topic][-1]
        assert stamp_of(message) == 3.25
        assert message.header.frame_id == 'camera'
        assert (message.width, message.height) == (WIDTH, HEIGHT)
    encodings = [peer.received[topic][-1].encoding for topic in ALL if topic != 'camera_info']
    assert encodings == ['32FC1', '32FC1', 'mono8', 'rgb8']


def test_depth_of_the_road_follows_from_the_cameras_height(peer):
    peer.start_node()
    peer.listen('image', 'uncertainty', 'label')
    peer.connect()
    peer.send(camera_info())
    depth = as_array(peer.next_result('image', image()))
    rows = np.arange(HEIGHT * 3 // 4, HEIGHT)
    expected = CAMERA_HEIGHT * FOCAL / (rows - HEIGHT / 2)
    np.testing.assert_allclose(depth[rows, 10], expected, rtol=1e-5)
    assert np.isposinf(depth[2, 10])
    peer.wait_until(lambda: peer.received['uncertainty'] and peer.received['label'])
    sigma, label = (as_array(peer.received[topic][-1]) for topic in ('uncertainty', 'label'))
    assert np.isnan(sigma[2, 10])
    assert 0 < sigma[-1, 10] < 0.2 * depth[-1, 10]
    assert (label[2, 10], label[-1, 10], label[HEIGHT // 2, -4]) == (5, 1, 3)


def test_nothing_is_done_while_nobody_listens(peer):
    peer.start_node()
    peer.listen('diagnostics')
    peer.send_until(lambda: peer.received['diagnostics']
                    and int(peer.status().get('without_subscriber', 0)) > 3,
                    camera_info(), image())
    assert peer.status()['published'] == '0'
    assert peer.status()['message'] == 'nobody subscribes to the results'


def test_only_topics_with_a_listener_are_published(peer):
    peer.start_node()
    peer.listen('label')
    peer.connect()
    peer.send_until(lambda: peer.received['label'], camera_info(), image())
    assert peer.under_test.count_publishers('embodied_depth/image') == 1
    assert not peer.received['image']


def test_compressed_pictures(peer):
    node = peer.start_node(compressed=True)
    assert node.count_subscribers('image') == 1
    peer.listen('label')
    data = cv2.imencode('.png', street()[..., ::-1])[1]
    message = CompressedImage(header=image(4.0).header, format='rgb8; png compressed bgr8')
    message.data = array('B', data.tobytes())
    label = as_array(peer.send_until(lambda: peer.received['label'], camera_info(), message)[0])
    assert (label[2, 10], label[-1, 10]) == (5, 1)


def test_exact_camera_info_is_that_of_the_picture(peer):
    peer.start_node(camera_info_exact=True)
    peer.listen('camera_info')
    peer.connect()
    for stamp in (1.0, 2.0, 3.0):
        peer.send(camera_info(stamp, focal=100 * stamp))
    for stamp in (2.0, 3.0):
        peer.next_result('camera_info', image(stamp))
        assert peer.received['camera_info'][-1].k[0] == 100 * stamp


def test_raw_pictures_are_rectified_and_published_without_distortion(peer):
    peer.start_node(rectified=False)
    peer.listen('image', 'camera_info')
    raw = camera_info(d=[-0.3, 0.1, 0.0, 0.0, 0.0])
    peer.send_until(lambda: peer.received['camera_info'] and peer.received['image'], raw, image())
    info = peer.received['camera_info'][0]
    assert not any(info.d)
    np.testing.assert_array_equal(info.p, raw.p)
    assert np.isfinite(as_array(peer.received['image'][0])[-5, 10])


def test_camera_beside_the_header_frame(peer, capfd):
    """KITTI's P[:, 3]: the optical centre lies 5 cm above the frame of the header."""
    peer.start_node()
    peer.listen('image', 'camera_info')
    info = camera_info()
    info.p[7] = 0.05 * FOCAL
    peer.send_until(lambda: peer.received['camera_info'] and peer.received['image'], info, image())
    depth = as_array(peer.received['image'][0])
    expected = (CAMERA_HEIGHT + 0.05) * FOCAL / (HEIGHT / 2 - 1)
    assert depth[-1, 10] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(peer.received['camera_info'][0].p, info.p)
    assert 'P has a translation' in capfd.readouterr().err


def test_gravity_from_the_imu_turns_the_ground(peer):
    peer.start_node(camera_height=CAMERA_HEIGHT)
    peer.listen('image', 'diagnostics')
    pitch = 0.1
    imu = Imu(header=image().header)
    imu.linear_acceleration.y = -9.81 * np.cos(pitch)
    imu.linear_acceleration.z = -9.81 * np.sin(pitch)
    peer.send_until(lambda: peer.received['diagnostics']
                    and peer.status().get('extrinsics') == 'gravity', camera_info(), imu, image())
    assert float(peer.status()['camera_pitch_deg']) == pytest.approx(np.degrees(pitch), abs=0.01)


def test_simulated_time_that_stands_still(peer):
    peer.start_node(use_sim_time=True)
    peer.listen('image', 'diagnostics')
    peer.send_until(lambda: peer.received['image'], camera_info(), image(7.0))
    assert stamp_of(peer.received['image'][0]) == 7.0
    peer.wait_until(lambda: peer.received['diagnostics'] and 'latency_ms' in peer.status())
    assert 'frame_age_ms' not in peer.status()


def test_quality_of_service_can_be_overridden(peer):
    node = peer.start_node(**{'qos_overrides./image.subscription.reliability': 'reliable',
                              'qos_overrides./image.subscription.durability': 'transient_local'})
    info, = node.get_subscriptions_info_by_topic('/image')
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    info, = node.get_subscriptions_info_by_topic('/camera_info')
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    info, = node.get_publishers_info_by_topic('/embodied_depth/image')
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_diagnostics_tell_model_rate_times_and_gaps(peer):
    peer.start_node()
    peer.listen('image', 'diagnostics')
    peer.connect()
    peer.send_until(lambda: peer.received['image'], camera_info(), image(0.1))
    for index in (2, 3, 4, 5, 6, 7, 10):
        peer.next_result('image', image(index / 10))
    peer.wait_until(lambda: peer.received['diagnostics']
                    and peer.status().get('missing_by_stamps') == '2')
    status = peer.status()
    assert status['model'] == 'painted 1'
    assert status['licence'] == 'Apache-2.0'
    assert status['backend'].startswith('onnxruntime')
    assert status['extrinsics'] == 'parameters'
    peer.wait_until(lambda: any('latency_ms' in {item.key for item in message.status[0].values}
                                for message in peer.received['diagnostics']))
    peer.wait_until(lambda: peer.status()['message'] == 'no pictures on /image')
    assert peer.status()['level'] == b'\x01'
