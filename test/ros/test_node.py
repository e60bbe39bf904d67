"""What the node publishes for good pictures."""

import numpy as np
import pytest
from ros_peer import as_array
from ros_peer import camera_info
from ros_peer import CAMERA_HEIGHT
from ros_peer import FOCAL
from ros_peer import HEIGHT
from ros_peer import image
from ros_peer import stamp_of
from ros_peer import WIDTH

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
    assert 0 < sigma[-1, 10] < 0.1 * depth[-1, 10]
    assert (label[2, 10], label[-1, 10], label[HEIGHT // 2, -4]) == (5, 1, 3)
