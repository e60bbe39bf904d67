"""Arrays become messages and come back as they were."""

from array import array

import numpy as np
import pytest
from std_msgs.msg import Header

from deepsight_ros.geometry import Camera
from deepsight_ros.perception.pictures import decode
from deepsight_ros.ros.messages import camera_info_message
from deepsight_ros.ros.messages import image_message


@pytest.mark.parametrize('shape, dtype, encoding', [
    ((5, 7), np.float32, '32FC1'), ((5, 7), np.uint8, 'mono8'), ((5, 7, 3), np.uint8, 'rgb8')])
@pytest.mark.parametrize('sliced', [False, True])
def test_round_trip(shape, dtype, encoding, sliced):
    picture = np.arange(2 * np.prod(shape)).reshape(shape[0], -1).astype(dtype)
    picture = (picture[:, ::2] if sliced else picture[:, :shape[1] * picture.shape[1] // (
        2 * shape[1])]).reshape(shape)
    header = Header(frame_id='camera')
    message = image_message(picture, header)
    assert isinstance(message.data, array)
    assert (message.encoding, message.header) == (encoding, header)
    np.testing.assert_array_equal(decode(message), picture)


def test_camera_info_of_a_rectified_picture():
    camera = Camera(640, 480, 500.0, 510.0, 320.0, 240.0, offset=(0.1, 0.0, 0.0))
    message = camera_info_message(camera, Header())
    again = Camera.from_camera_info(message)
    assert again == camera
    assert not any(message.d)
    np.testing.assert_array_equal(np.reshape(message.r, (3, 3)), np.eye(3))
