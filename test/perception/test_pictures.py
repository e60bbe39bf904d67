"""Every encoding that is understood, and every way in which a picture can be broken."""

from array import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from deepsight_ros.perception.pictures import decode
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import ENCODINGS
from deepsight_ros.perception.pictures import PictureError
from deepsight_ros.perception.pictures import to_depth
from deepsight_ros.perception.pictures import to_rgb

WIDTH, HEIGHT = 24, 16
COLOUR = (200, 120, 40)


def message(rows, encoding, *, padding=0, big_endian=False, width=WIDTH, height=HEIGHT):
    """Message with the fields of sensor_msgs/Image whose rows [H, bytes] are padded."""
    rows = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=7)
    return SimpleNamespace(
        width=width, height=height, encoding=encoding, is_bigendian=int(big_endian),
        step=padded.shape[1], data=array('B', padded.tobytes()))


def plain(encoding):
    """Rows of a picture of one colour in an encoding without subsampling, and its RGB."""
    red, green, blue = COLOUR
    dtype = np.uint16 if encoding.endswith('16') else np.uint8
    scale = 257 if dtype is np.uint16 else 1
    if encoding in ('mono8', 'mono16', '8UC1'):
        return np.full((HEIGHT, WIDTH), green * scale, dtype), (green, green, green)
    pixel = {'rgb': [red, green, blue], 'bgr': [blue, green, red]}['rgb' if encoding.startswith(
        'rgb') else 'bgr']
    if 'a' in encoding or encoding == '8UC4':
        pixel.append(9)
    return np.full((HEIGHT, WIDTH, len(pixel)), pixel, dtype) * dtype(scale), COLOUR


def bayer(encoding):
    pattern, bits = encoding[6:10], encoding[10:]
    values = dict(zip('rgb', COLOUR, strict=True))
    rows = np.empty((HEIGHT, WIDTH), np.uint16 if bits == '16' else np.uint8)
    for index, letter in enumerate(pattern):
        rows[index // 2::2, index % 2::2] = values[letter] * (257 if bits == '16' else 1)
    return rows, COLOUR


def yuv(encoding):
    """Rows of a 4:2:2 or NV21 picture from OpenCV's own planar conversion."""
    planar = cv2.cvtColor(np.full((HEIGHT, WIDTH, 3), COLOUR, np.uint8), cv2.COLOR_RGB2YUV_I420)
    y, u, v = planar[0, 0], planar[HEIGHT, 0], planar[-1, -1]
    if encoding == 'nv21':
        chroma = np.tile(np.array([v, u], np.uint8), (HEIGHT // 2, WIDTH // 2))
        return np.vstack([np.full((HEIGHT, WIDTH), y, np.uint8), chroma]), COLOUR
    order = [y, u, y, v] if encoding in ('yuyv', 'yuv422_yuy2') else [u, y, v, y]
    return np.tile(np.array(order, np.uint8), (HEIGHT, WIDTH // 2)), COLOUR


def sample(encoding):
    """Rows in an encoding and the RGB colour that they mean."""
    if encoding.startswith('bayer'):
        return bayer(encoding)
    if encoding.startswith(('yuv', 'uyvy', 'yuyv', 'nv21')):
        return yuv(encoding)
    return plain(encoding)


@pytest.mark.parametrize('padding', [0, 12])
@pytest.mark.parametrize('encoding', sorted(set(ENCODINGS) - {'16UC1', '32FC1'}))
def test_every_colour_encoding_gives_its_colour(encoding, padding):
    rows, colour = sample(encoding)
    picture = to_rgb(message(rows, encoding, padding=padding))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    tolerance = 3 if encoding.startswith(('yuv', 'uyvy', 'yuyv', 'nv21')) else 0
    assert np.abs(picture.astype(int) - colour).max() <= tolerance


@pytest.mark.parametrize('encoding', ['rgb8', 'mono8', '32FC1', '16UC1'])
def test_decode_is_a_view(encoding):
    size = {'rgb8': 3, 'mono8': 1, '32FC1': 4, '16UC1': 2}[encoding]
    picture = message(np.zeros((HEIGHT, WIDTH * size), np.uint8), encoding, padding=5)
    view = decode(picture)
    picture.data[picture.step] = 1
    assert view[1].any()
    assert not view[0].any()


@pytest.mark.parametrize('encoding, dtype', [('mono16', 'u2'), ('rgb16', 'u2'), ('32FC1', 'f4')])
def test_byte_order_is_respected(encoding, dtype):
    channels = 3 if encoding == 'rgb16' else 1
    values = np.arange(HEIGHT * WIDTH * channels).reshape(HEIGHT, -1)
    little = decode(message(values.astype(f'<{dtype}'), encoding))
    big = decode(message(values.astype(f'>{dtype}'), encoding, big_endian=True))
    np.testing.assert_array_equal(little, big)
    assert big[0].ravel()[1] == 1


def test_depth_in_millimetres_becomes_metres_and_zero_is_invalid():
    depth = to_depth(message(np.full((HEIGHT, WIDTH), 1500, np.uint16), '16UC1'))
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, 1.5)
    assert np.isnan(to_depth(message(np.zeros((HEIGHT, WIDTH), np.uint16), '16UC1'))).all()


def test_depth_in_metres_keeps_nan_and_infinity():
    values = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    values[0, :2] = np.nan, np.inf
    np.testing.assert_array_equal(to_depth(message(values, '32FC1')), values)
    swapped = message(values.astype('>f4'), '32FC1', big_endian=True)
    np.testing.assert_array_equal(to_depth(swapped), values)


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_is_no_camera_picture(encoding):
    size = {'16UC1': 2, '32FC1': 4}[encoding]
    with pytest.raises(PictureError, match='remap image'):
        to_rgb(message(np.zeros((HEIGHT, WIDTH * size), np.uint8), encoding))


def test_camera_picture_is_no_depth():
    with pytest.raises(PictureError, match='32FC1 in metres'):
        to_depth(message(sample('rgb8')[0], 'rgb8'))


@pytest.mark.parametrize('encoding', ['64FC1', 'nv24', 'RGB8', ''])
def test_unknown_encoding_lists_the_known_ones(encoding):
    with pytest.raises(PictureError, match='rgb8.*bayer_rggb8'):
        to_rgb(message(np.zeros((HEIGHT, WIDTH), np.uint8), encoding))


@pytest.mark.parametrize('lost', [1, 100, HEIGHT * WIDTH * 3])
def test_truncated_data(lost):
    picture = message(sample('rgb8')[0], 'rgb8')
    picture.data = picture.data[:len(picture.data) - lost]
    with pytest.raises(PictureError, match='truncated'):
        to_rgb(picture)


def test_too_much_data():
    picture = message(sample('rgb8')[0], 'rgb8')
    picture.data.append(0)
    with pytest.raises(PictureError, match='data has'):
        to_rgb(picture)


def test_step_smaller_than_a_row():
    picture = message(sample('rgb8')[0], 'rgb8')
    picture.step -= 1
    with pytest.raises(PictureError, match='step is'):
        to_rgb(picture)


@pytest.mark.parametrize('field', ['width', 'height'])
def test_empty_picture(field):
    picture = message(sample('rgb8')[0], 'rgb8')
    setattr(picture, field, 0)
    with pytest.raises(PictureError, match='empty'):
        to_rgb(picture)


def test_odd_size_of_subsampled_picture():
    picture = message(np.zeros((HEIGHT, 46), np.uint8), 'yuyv', width=23)
    with pytest.raises(PictureError, match='even'):
        to_rgb(picture)


def compressed(name, cut=0):
    picture = np.full((HEIGHT, WIDTH, 3), COLOUR[::-1], np.uint8)
    data = cv2.imencode(name, picture)[1].tobytes()
    return SimpleNamespace(format=name[1:], data=array('B', data[:len(data) - cut]))


@pytest.mark.parametrize('name', ['.jpg', '.png'])
def test_compressed_picture(name):
    picture = decode_compressed(compressed(name))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(picture.astype(int) - COLOUR).max() <= 2


@pytest.mark.parametrize('name', ['.jpg', '.png'])
@pytest.mark.parametrize('left', [0, 1, 9, 200])
def test_compressed_picture_cut_short(name, left):
    message = compressed(name)
    message.data = message.data[:min(left, len(message.data) - 12)]
    with pytest.raises(PictureError, match='truncated'):
        decode_compressed(message)


def test_jpeg_with_padding_after_its_end():
    message = compressed('.jpg')
    message.data.extend([0] * 64)
    assert decode_compressed(message).shape == (HEIGHT, WIDTH, 3)


def test_compressed_depth_is_refused():
    with pytest.raises(PictureError, match='compressed depth'):
        decode_compressed(SimpleNamespace(format='16UC1; compressedDepth png', data=array('B')))
