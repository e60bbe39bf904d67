"""Camera: fields of CameraInfo, their errors, ROI, binning, scaling, projection."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import CameraError

WIDTH, HEIGHT = 640, 480
K = (500.0, 0, 320, 0, 510, 240, 0, 0, 1)
P = (450.0, 0, 310, 0, 0, 460, 230, 0, 0, 0, 1, 0)
POINT = np.array([[0.4, -0.2, 3.0]])


def camera(**changes):
    fields = {'width': WIDTH, 'height': HEIGHT, 'k': K, 'p': P} | changes
    return Camera.from_fields(**fields)


def test_rectified_pictures_use_p_and_ignore_d():
    result = camera(d=(0.1, 0.2, 0, 0, 0), distortion_model='no such model')
    assert (result.fx, result.fy, result.cx, result.cy) == (450, 460, 310, 230)
    assert result.distortion is None
    assert not result.warnings


@pytest.mark.parametrize('r', [np.full(9, np.nan), np.eye(4)])
def test_rectified_pictures_use_no_rotation(r):
    assert camera(r=r) == camera()


def test_zero_p_falls_back_to_k_with_one_warning():
    result = camera(p=np.zeros(12))
    assert (result.fx, result.fy, result.cx, result.cy) == (500, 510, 320, 240)
    assert len(result.warnings) == 1
    assert 'P is all zero' in result.warnings[0]


def test_offset_of_p_moves_the_optical_centre():
    p = np.array(P).reshape(3, 4)
    p[:, 3] = (44.857, 0.2164, 0.002746)
    result = camera(p=p)
    assert 'translation' in result.warnings[0]
    np.testing.assert_allclose(result.projection, p)
    u, v, z = p @ np.append(POINT[0], 1)
    projected = result.project(POINT + np.array(result.offset))[0]
    np.testing.assert_allclose(projected, (u / z, v / z, z))


def test_camera_info_messages_are_read():
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    info = SimpleNamespace(width=WIDTH, height=HEIGHT, k=K, d=[], r=np.eye(3).ravel(), p=P,
                           distortion_model='plumb_bob', binning_x=0, binning_y=0, roi=roi)
    assert Camera.from_camera_info(info) == camera()


@pytest.mark.parametrize(('changes', 'words'), [
    ({'width': 0}, 'width x height'),
    ({'k': np.zeros(9), 'p': np.zeros(12)}, 'K has focal lengths 0, 0'),
    ({'k': np.array(K) * np.nan, 'p': np.zeros(12)}, 'K contains NaN'),
    ({'k': (-500, 0, 320, 0, 510, 240, 0, 0, 1), 'p': np.zeros(12)}, 'K has focal lengths -500'),
    ({'k': K[:8]}, 'K has 8 numbers, expected 9'),
    ({'p': P[:9]}, 'P has 9 numbers, expected 12'),
    ({'p': (-450, *P[1:])}, 'P has focal lengths -450'),
    ({'p': (np.inf, *P[1:])}, 'P contains NaN or infinity'),
    ({'r': np.eye(4), 'rectified': False}, 'R has 16 numbers'),
    ({'p': (*P[:10], 0, 0)}, r'P has the third row \[0.0, 0.0, 0.0, 0.0\]'),
    ({'k': (*K[:8], 0), 'p': np.zeros(12)}, 'K has the third row'),
    ({'k': (*K[:8], 0), 'rectified': False}, 'K has the third row'),
    ({'roi': (600, 0, 100, 480)}, 'roi 100x480.600.0 does not fit'),
    ({'roi': (0, 0, 100, 0)}, 'roi 100x0'),
    ({'k': np.zeros(9), 'rectified': False}, 'K has focal lengths'),
    ({'distortion_model': 'fov', 'd': [0.9], 'rectified': False}, "'fov' is unknown"),
    ({'distortion_model': 'plumb_bob', 'd': [0.1] * 3, 'rectified': False}, 'D has 3 numbers'),
    ({'distortion_model': 'equidistant', 'd': [0.1] * 5, 'rectified': False}, 'D has 5 numbers'),
    ({'distortion_model': 'plumb_bob', 'd': [np.nan] * 5, 'rectified': False}, 'D contains NaN'),
])
def test_bad_fields_are_named(changes, words):
    with pytest.raises(CameraError, match=words):
        camera(**changes)


@pytest.mark.parametrize('name', ['fx', 'fy', 'cx', 'cy'])
def test_intrinsics_must_be_finite(name):
    numbers = {'fx': 1.0, 'fy': 1.0, 'cx': 1.0, 'cy': 1.0} | {name: float('nan')}
    with pytest.raises(CameraError, match=f'{name} is not finite'):
        Camera(WIDTH, HEIGHT, **numbers)


def test_focal_lengths_must_be_positive():
    with pytest.raises(CameraError, match='fy is 0, must be positive'):
        Camera(WIDTH, HEIGHT, 1.0, 0.0, 0.0, 0.0)


def test_roi_shifts_the_picture():
    part = camera(roi=(100, 50, 200, 150))
    assert part.size == (200, 150)
    shift = camera().project(POINT)[0] - part.project(POINT)[0]
    np.testing.assert_allclose(shift, (100, 50, 0))


def test_binning_merges_pixels():
    binned = camera(binning=(2, 4))
    assert binned.size == (320, 120)
    u, v, _ = camera().project(POINT)[0]
    expected = (u + 0.5) / 2 - 0.5, (v + 0.5) / 4 - 0.5, 3
    np.testing.assert_allclose(binned.project(POINT)[0], expected)


def test_binning_an_odd_size_drops_the_rest():
    odd, even = camera(width=641, height=483, binning=(2, 4)), camera(binning=(2, 4))
    assert odd == even


def test_roi_is_in_full_resolution_and_binning_follows():
    both = camera(roi=(100, 50, 200, 150), binning=(2, 2))
    assert both == camera(roi=(100, 50, 200, 150)).scaled(100, 75)


sizes = st.integers(1, 2000)


@given(width=sizes, height=sizes)
def test_scaling_keeps_every_ray_at_its_place_in_the_picture(width, height):
    full, scaled = camera(), camera().scaled(width, height)
    u, v, z = full.project(POINT)[0]
    place = (u + 0.5) / WIDTH, (v + 0.5) / HEIGHT
    u, v, same_z = scaled.project(POINT)[0]
    np.testing.assert_allclose(((u + 0.5) / width, (v + 0.5) / height), place)
    assert same_z == z


@given(width=sizes, height=sizes)
def test_scaling_there_and_back_changes_nothing(width, height):
    there_and_back = camera().scaled(width, height).scaled(WIDTH, HEIGHT)
    np.testing.assert_allclose(there_and_back.matrix, camera().matrix)


def test_rays_project_onto_their_own_pixels():
    small = camera().scaled(32, 24)
    v, u = np.mgrid[:24, :32]
    projected = small.project(2.5 * small.rays.reshape(-1, 3).astype(np.float64))
    np.testing.assert_allclose(projected[:, 0], u.ravel(), atol=1e-4)
    np.testing.assert_allclose(projected[:, 1], v.ravel(), atol=1e-4)
    assert not small.rays.flags.writeable


def test_points_behind_the_camera_have_no_pixel():
    assert np.isnan(camera().project(np.array([[0, 0, -1.0], [0, 0, 0]]))).all()


def test_points_must_be_three_columns():
    with pytest.raises(CameraError, match=r'shape \(3,\)'):
        camera().project(np.zeros(3))


def test_rectified_pictures_are_passed_through():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert camera().rectify(image) is image


def test_picture_of_another_size_is_refused():
    with pytest.raises(CameraError, match='image is 100x50, camera_info says 640x480'):
        camera().rectify(np.zeros((50, 100), np.uint8))
