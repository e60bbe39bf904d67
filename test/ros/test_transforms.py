"""TF: through tf2_ros where it is, in words where it is not."""

import numpy as np
import pytest
from ros_peer import camera_info
from ros_peer import image

from deepsight_ros.ros.transforms import Tf2Transforms


@pytest.mark.skipif(Tf2Transforms.is_available(), reason='tf2_ros is installed')
def test_without_tf2_a_height_is_needed(peer, capfd):
    node = peer.start_node(camera_height=0.0)
    log = capfd.readouterr().err
    assert 'tf2_ros is not installed' in log
    assert log.count('configure failed: camera_height is 0 m and transforms are not available; '
                     'set camera_height') == 1
    assert node.problem


@pytest.mark.skipif(not Tf2Transforms.is_available(),
                    reason='tf2_ros is missing: it comes with an installation of ROS 2, not pip')
def test_height_from_tf(peer, capfd):
    from geometry_msgs.msg import TransformStamped
    import tf2_ros
    peer.start_node(camera_height=0.0)
    peer.listen('image')
    peer.connect()
    peer.send_until(lambda: peer.under_test.problem, camera_info(), image())
    assert 'base_footprint' in peer.under_test.problem
    transform = TransformStamped(child_frame_id='camera')
    transform.header.frame_id = 'base_footprint'
    transform.transform.translation.z = 1.5
    q = transform.transform.rotation
    q.x, q.y, q.z, q.w = -0.5, 0.5, -0.5, 0.5
    tf2_ros.StaticTransformBroadcaster(peer.node).sendTransform(transform)
    peer.send_until(lambda: peer.received['image'], image())
    depth = np.frombuffer(peer.received['image'][0].data, np.float32)
    assert np.nanmin(depth) == pytest.approx(1.5 * 100 / 31, rel=1e-4)
