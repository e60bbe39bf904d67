"""Distortion: rectification maps against OpenCV's projection of single points."""

import cv2
import numpy as np
import pytest

from deepsight_ros.geometry import Camera

SIZE = 320, 240
K = np.array([[210.0, 0, 158], [0, 205, 122], [0, 0, 1]])
P = np.array([[190.0, 0, 161, 0], [0, 195, 119, 0], [0, 0, 1, 0]])
R = cv2.Rodrigues(np.array([0.02, -0.03, 0.01]))[0]
MODELS = [
    ('plumb_bob', (-0.28, 0.07, 0.001, -0.002, -0.01)),
    ('plumb_bob', (-0.28, 0.07, 0.001, -0.002)),
    ('rational_polynomial', (0.3, -0.1, 0.001, 0.0005, 0.01, 0.6, -0.05, 0.02)),
    ('rational_polynomial', (0.3, -0.1, 0, 0, 0.01, 0.6, -0.05, 0.02, 0.002, 0, -0.001, 0)),
    ('rational_polynomial', (0.3, -0.1, 0, 0, 0.01, 0.6, -0.05, 0.02, 0, 0, 0, 0, 0.01, -0.02)),
    ('equidistant', (0.02, -0.01, 0.003, -0.001)),
]
FIXED_POINT = 1 / 32
"""OpenCV's map resolution in pixels."""


def raw_camera(model, coefficients, **changes):
    fields = {'width': SIZE[0], 'height': SIZE[1], 'k': K, 'r': R, 'p': P,
              'd': coefficients, 'distortion_model': model, 'rectified': False}
    return Camera.from_fields(**(fields | changes))


def raw_pixels(model, coefficients, rays):
    """Pixels [N, 2] of the raw picture that see rays [N, 3] of the rectified frame."""
    rays = (rays @ R).reshape(-1, 1, 3)
    zero = np.zeros(3)
    if model == 'equidistant':
        pixels, _ = cv2.fisheye.projectPoints(rays, zero, zero, K, np.array(coefficients))
    else:
        pixels, _ = cv2.projectPoints(rays, zero, zero, K, np.array(coefficients))
    return pixels.reshape(-1, 2)


def float_maps(camera):
    return np.stack(cv2.convertMaps(*camera._rectify_maps, cv2.CV_32FC1), axis=-1)


@pytest.mark.parametrize(('model', 'coefficients'), MODELS)
def test_maps_point_to_where_opencv_projects(model, coefficients):
    camera = raw_camera(model, coefficients)
    expected = raw_pixels(model, coefficients, camera.rays.reshape(-1, 3).astype(np.float64))
    np.testing.assert_allclose(
        float_maps(camera).reshape(-1, 2), expected, atol=FIXED_POINT)


@pytest.mark.parametrize(('model', 'coefficients'), MODELS)
def test_a_point_is_found_where_the_rectified_camera_projects_it(model, coefficients):
    camera = raw_camera(model, coefficients)
    point = np.array([[0.35, 0.2, 1.0]])
    column, row = np.rint(raw_pixels(model, coefficients, point)[0]).astype(int)
    image = np.zeros(SIZE[::-1], np.float32)
    cv2.circle(image, (int(column), int(row)), 4, 1.0, -1)
    moments = cv2.moments(camera.rectify(image))
    found = moments['m10'] / moments['m00'], moments['m01'] / moments['m00']
    np.testing.assert_allclose(found, camera.project(point)[0, :2], atol=0.8)


@pytest.mark.parametrize(('model', 'coefficients'), MODELS)
def test_roi_and_binning_keep_raw_and_rectified_aligned(model, coefficients):
    whole = raw_camera(model, coefficients)
    part = raw_camera(model, coefficients, roi=(40, 30, 240, 180), binning=(3, 3))
    expected = float_maps(whole)[31:31 + 180:3, 41:41 + 240:3]
    np.testing.assert_allclose(
        (float_maps(part) + 0.5) * 3 - 0.5 + (40, 30), expected, atol=4 * FIXED_POINT)


def test_pixels_without_source_are_known():
    """A barrel that is rectified at its own focal length shows beyond the picture."""
    camera = raw_camera('plumb_bob', (0.3, 0, 0, 0), r=(), p=np.zeros(12))
    maps = float_maps(camera)
    beyond = ((maps < -1) | (maps > np.array(SIZE))).any(axis=-1)
    within = ((maps > 0) & (maps < np.array(SIZE) - 1)).all(axis=-1)
    assert beyond.any()
    assert camera.unseen[beyond].all()
    assert not camera.unseen[within].any()
    assert raw_camera('plumb_bob', (-0.3, 0, 0, 0), r=(), p=np.zeros(12)).unseen is None
    assert Camera(*SIZE, 200.0, 200.0, 160.0, 120.0).unseen is None


@pytest.mark.parametrize('rotation', [(), np.zeros(9)])
def test_a_lens_without_distortion_and_rotation_changes_nothing(rotation):
    image = np.random.default_rng(0).integers(0, 255, SIZE[::-1], np.uint8)
    camera = raw_camera('', [], r=rotation, p=np.zeros(12))
    np.testing.assert_array_equal(camera.rectify(image), image)
