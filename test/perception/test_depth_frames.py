from types import SimpleNamespace

import numpy as np
import pytest

from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.depth_frames import DepthFrames
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.pictures import PictureError


def message(depth, stamp=1, **fields):
    encoding = {'float32': '32FC1', 'uint16': '16UC1'}[depth.dtype.name]
    header = SimpleNamespace(frame_id='camera', stamp=SimpleNamespace(sec=stamp, nanosec=0))
    return SimpleNamespace(**{
        'header': header, 'height': depth.shape[0], 'width': depth.shape[1], 'encoding': encoding,
        'step': depth.strides[0], 'is_bigendian': 0, 'data': depth.tobytes(), **fields})


def info(width=8, height=6, offset=0.0):
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    k = [10.0, 0.0, 4.0, 0.0, 10.0, 3.0, 0.0, 0.0, 1.0]
    return SimpleNamespace(
        width=width, height=height, k=k, d=[], r=[], distortion_model='', binning_x=0, binning_y=0,
        p=[*k[:3], 0.0, *k[3:6], 10 * offset, *k[6:], 0.0], roi=roi)


METRES = np.full((6, 8), 2.5, np.float32)


def test_metres_and_millimetres_give_the_same_frame():
    frames = DepthFrames(Extrinsics(height=1.2, ground_frame=''), Robot(0.5))
    millimetres = np.full((6, 8), 2500, np.uint16)
    millimetres[0] = 0
    for picture in (METRES, millimetres):
        frame = frames(message(picture), info())
        np.testing.assert_allclose(frame.depth[1:], 2.5)
        assert frame.ground == GroundPlane.from_height(1.2)
        assert frame.robot.width == 0.5
    assert np.isnan(frame.depth[0]).all()


def test_a_picture_that_was_seen_gives_the_same_frame_and_a_new_one_another():
    frames = DepthFrames(None, Robot())
    picture, camera = message(METRES), info()
    first = frames(picture, camera)
    assert frames(picture, camera) is first
    second = frames(message(METRES, 2), camera)
    assert second is not first
    assert second.camera is first.camera
    other = frames(message(np.ones((3, 4), np.float32)), info(4, 3))
    assert other.camera.size == (4, 3)


def test_the_ground_is_seen_from_the_optical_centre():
    frames = DepthFrames(Extrinsics(height=1.2, ground_frame=''), Robot())
    assert frames(message(METRES), info(offset=0.05)).ground.height == pytest.approx(1.25)


def test_unknown_ground_is_no_error_but_has_a_reason():
    frame = DepthFrames(None, Robot(), 'camera_height is 0')(message(METRES), info())
    assert (frame.ground, frame.no_ground) == (None, 'camera_height is 0')

    extrinsics = Extrinsics(transforms=TransformBuffer())
    frame = DepthFrames(extrinsics, Robot())(message(METRES), info())
    assert frame.ground is None
    assert 'camera' in frame.no_ground
    assert frame.no_ground.endswith('or set camera_height')


@pytest.mark.parametrize(('forward', 'frame_id', 'reason'), [
    ((0.9, 0.44, 0), 'base_link', ''), ((0, 0.01, -1), 'base_link', ''),
    ((0, 1, 0), 'base_link', '90 degrees'), ((-1, 0, 0), 'base_link', '180 deg'),
    ((-1, 0, 0), 'robot1/odom', '')])
def test_the_way_is_known_only_to_a_camera_that_looks_there(forward, frame_id, reason):
    right = np.cross(forward, (0, 0, 1))
    axes = np.stack([right, np.cross(forward, right), forward], axis=1)
    matrix = np.eye(4)
    matrix[:3] = np.c_[axes / np.linalg.norm(axes, axis=0), (0, 0, 1.2)]
    extrinsics = Extrinsics(ground_frame=frame_id,
                            transforms=SimpleNamespace(lookup=lambda *_: matrix))
    frame = DepthFrames(extrinsics, Robot())(message(METRES), info())
    assert frame.ground is not None
    assert bool(frame.no_way) == bool(reason) and reason in frame.no_way


def test_what_is_no_depth_of_this_camera_is_refused():
    frames = DepthFrames(None, Robot())
    with pytest.raises(CameraError, match='depth is 8x6, camera_info says 4x3'):
        frames(message(METRES), info(4, 3))
    with pytest.raises(PictureError, match='mono8 is no depth'):
        frames(message(METRES, encoding='mono8', step=8, data=bytes(48)), info())
    assert frames(message(METRES), info()).ground is None
