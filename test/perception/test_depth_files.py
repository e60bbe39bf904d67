import cv2
import numpy as np
import pytest

from deepsight_ros.geometry import CameraError
from deepsight_ros.perception.depth_files import DepthFileError
from deepsight_ros.perception.depth_files import read_camera
from deepsight_ros.perception.depth_files import read_depth

METRES = np.array([[0.5, np.nan, 2.25], [np.inf, 1.0, 80.0]], np.float32)
ECHO = """header: {stamp: {sec: 1, nanosec: 0}, frame_id: camera}
height: 480
width: 640
distortion_model: plumb_bob
d: [0.0, 0.0, 0.0, 0.0, 0.0]
k: [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
p: [400.0, 0.0, 321.0, 0.0, 0.0, 410.0, 241.0, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 2
binning_y: 2
roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}
---
"""
CALIBRATION = """image_width: 640
image_height: 480
camera_name: narrow
camera_matrix: {rows: 3, cols: 3, data: [500, 0, 320, 0, 510, 240, 0, 0, 1]}
distortion_model: plumb_bob
projection_matrix: {rows: 3, cols: 4, data: [400, 0, 321, 0, 0, 410, 241, 0, 0, 0, 1, 0]}
"""


def test_metres_come_from_arrays_and_float_pictures(tmp_path):
    np.save(tmp_path / 'depth.npy', METRES)
    np.savez(tmp_path / 'depth.npz', depth=METRES.astype(np.float64))
    cv2.imwrite(str(tmp_path / 'depth.tiff'), METRES)
    for suffix in ('npy', 'npz', 'tiff'):
        depth = read_depth(tmp_path / f'depth.{suffix}')
        assert depth.dtype == np.float32
        np.testing.assert_array_equal(depth, METRES)


def test_millimetres_come_from_16_bit_pictures(tmp_path):
    cv2.imwrite(str(tmp_path / 'depth.png'), np.array([[0, 1500]], np.uint16))
    np.testing.assert_allclose(read_depth(tmp_path / 'depth.png'), [[np.nan, 1.5]])


def test_what_is_no_depth_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / 'colour.png'), np.zeros((2, 2, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'grey.png'), np.zeros((2, 2), np.uint8))
    np.save(tmp_path / 'objects.npy', np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / 'other.npz', other=METRES)
    (tmp_path / 'text.png').write_text('text')
    for name, match in (
            ('colour.png', r'uint8 of shape \(2, 2, 3\)'), ('grey.png', '8 bits per pixel'),
            ('objects.npy', 'cannot be read'), ('other.npz', 'cannot be read.*depth'),
            ('text.png', 'no picture'), ('missing.png', 'not exist'),
            ('missing.npy', 'not exist')):
        with pytest.raises(DepthFileError, match=match):
            read_depth(tmp_path / name)


def test_cameras_come_from_messages_and_calibrations(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION)
    camera = read_camera(path)
    assert (camera.size, camera.fx, camera.cy) == ((640, 480), 400.0, 241.0)
    path.write_text(CALIBRATION[:CALIBRATION.index('projection')])
    assert read_camera(path).fx == 500.0
    path.write_text(ECHO)
    camera = read_camera(path)
    assert (camera.size, camera.fx) == ((320, 240), 200.0)


def test_what_is_no_camera_is_refused(tmp_path):
    path = tmp_path / 'camera.yaml'
    for text in ('', 'a text', '[1, 2]', 'width: 640', 'camera_matrix: 3'):
        path.write_text(text)
        with pytest.raises(DepthFileError, match='is no camera_info'):
            read_camera(path)
    path.write_text('a: [')
    with pytest.raises(DepthFileError, match='YAML'):
        read_camera(path)
    path.write_text(ECHO.replace('400.0', '-1.0'))
    with pytest.raises(CameraError, match='must be positive'):
        read_camera(path)
