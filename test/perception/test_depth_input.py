import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.depth_input import depth_input

CAMERA = Camera(640, 480, 500.0, 510.0, 320.0, 240.0)


def test_a_smaller_picture_keeps_depth_and_rays():
    plane = GroundPlane((0.1, 0.9, 0.2), 1.2)
    depth = np.full((480, 640), 3.0, np.float32)
    depth[:, 320:] = 5.0
    shown = depth_input(depth, CAMERA, plane, Robot(0.7, 1.5, 0.2), (160, 128))
    assert shown.depth.shape == (128, 160)
    assert set(np.unique(shown.depth)) == {3.0, 5.0}, 'no mean across the edge'
    assert (shown.depth[:, :80] == 3.0).all()
    fx, fy, cx, cy = shown.camera.tolist()
    assert (159.5 - cx) / fx == pytest.approx((639.5 - 320.0) / 500.0, abs=1e-3)
    assert (cx, cy) == pytest.approx((320.5 / 4 - 0.5, 240.5 * 128 / 480 - 0.5), rel=1e-4)
    assert fy == pytest.approx(510 * 128 / 480)
    assert shown.ground[:4] == pytest.approx((*plane.normal, 1.2))
    assert shown.ground[4:] == pytest.approx((0.7, 1.5, 0.2))


def test_what_was_not_measured_is_zero():
    depth = np.ones((480, 640), np.float32)
    for row, value in enumerate((np.nan, np.inf, -np.inf, 0.0, -1.0)):
        depth[96 * row:96 * (row + 1)] = value
    shown = depth_input(depth, CAMERA, None, Robot(), (160, 120))
    assert not shown.depth.any()
    assert not shown.ground.any()


def test_another_size_is_refused():
    with pytest.raises(CameraError, match='camera_info'):
        depth_input(np.ones((10, 10), np.float32), CAMERA, None, Robot(), (160, 128))
