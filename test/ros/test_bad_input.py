"""Bad input: one clear line with the remedy, nothing wrong published, and the node goes on."""

import math
import re

import numpy as np
import pytest
from ros_peer import as_array
from ros_peer import camera_info
from ros_peer import HEIGHT
from ros_peer import image
from ros_peer import stamp_of
from ros_peer import street
from ros_peer import WIDTH

from deepsight_ros.perception.pictures import ENCODINGS

DEPTH_ENCODINGS = ('16UC1', '32FC1')
NO_PICTURE = np.zeros((HEIGHT, WIDTH * 8), np.uint8)


def lines_with(capfd, text):
    """Lines of the log that match ``text``."""
    return [line for line in capfd.readouterr().err.splitlines() if re.search(text, line)]


def bytes_of(encoding):
    """Bytes of a pixel."""
    if encoding in DEPTH_ENCODINGS:
        return {'16UC1': 2, '32FC1': 4}[encoding]
    if encoding.startswith(('yuv', 'uyvy', 'yuyv')):
        return 2
    channels = 1
    if encoding[:3] in ('rgb', 'bgr') or encoding == '8UC3':
        channels = 4 if encoding[3] == 'a' else 3
    if encoding == '8UC4':
        channels = 4
    return channels * (2 if encoding.endswith('16') else 1)


def test_every_encoding_is_published_or_refused(peer):
    node = peer.start_node()
    peer.listen('image')
    peer.connect()
    peer.send(camera_info())
    peer.next_result('image', image())
    for index, encoding in enumerate(ENCODINGS):
        rows = HEIGHT * 3 // 2 if encoding == 'nv21' else HEIGHT
        step = WIDTH * bytes_of(encoding)
        picture = image(2.0 + index, encoding=encoding, step=step, data=b'\x40' * (rows * step))
        if encoding in DEPTH_ENCODINGS:
            peer.send(picture)
            peer.wait_until(lambda name=encoding: f'encoding {name} holds depth' in node.problem)
        else:
            result = peer.next_result('image', picture, what=encoding)
            assert stamp_of(result) == 2.0 + index


def test_unknown_encoding(peer, capfd):
    peer.start_node()
    peer.refuses(lambda stamp: [camera_info(stamp), image(stamp, encoding='yuv444')],
                 "encoding 'yuv444' is not supported; publish one of mono8")
    assert len(lines_with(capfd, 'yuv444')) == 1


def test_truncated_data(peer, capfd):
    peer.start_node()
    peer.refuses(lambda stamp: [camera_info(stamp), image(stamp, data=b'\x00' * 100)],
                 'data has 100 bytes.*truncated')
    assert len(lines_with(capfd, 'truncated')) == 1


def test_step_larger_than_the_row_is_padding(peer):
    peer.start_node()
    peer.listen('image')
    peer.connect()
    peer.send(camera_info())
    plain = as_array(peer.next_result('image', image(1.0)))
    padded = np.zeros((HEIGHT, WIDTH * 3 + 20), np.uint8)
    padded[:, :WIDTH * 3] = street().reshape(HEIGHT, -1)
    result = peer.next_result('image', image(2.0, step=padded.shape[1], data=padded.tobytes()))
    np.testing.assert_array_equal(as_array(result), plain)


def test_step_smaller_than_the_row(peer, capfd):
    peer.start_node()
    peer.refuses(lambda stamp: [camera_info(stamp), image(stamp, step=WIDTH)], 'step is 128')
    assert len(lines_with(capfd, 'step is')) == 1


def test_picture_of_another_size_than_camera_info(peer, capfd):
    peer.start_node()
    peer.refuses(lambda stamp: [camera_info(stamp, 64, 32), image(stamp)],
                 'image is 128x64, camera_info says 64x32; set ROI')
    assert len(lines_with(capfd, 'camera_info says')) == 1


@pytest.mark.parametrize('value, match', [(0.0, 'publishes no calibration'),
                                          (math.nan, 'NaN'), (-100.0, 'must be positive')])
def test_calibration_of_no_camera(peer, capfd, value, match):
    peer.start_node()
    peer.refuses(lambda stamp: [camera_info(stamp, focal=value), image(stamp)], match)
    assert len(lines_with(capfd, match)) == 1


def test_projection_of_zeros_falls_back_to_k_with_a_warning(peer, capfd):
    peer.start_node()
    peer.listen('image')
    peer.connect()
    peer.send(camera_info(p=[0.0] * 12))
    for stamp in (1.0, 2.0):
        peer.next_result('image', image(stamp))
    assert len(lines_with(capfd, 'P is all zero')) == 1


def test_unknown_distortion_model(peer, capfd):
    peer.start_node(rectified=False)
    peer.refuses(lambda stamp: [camera_info(stamp, distortion_model='fancy'), image(stamp)],
                 "distortion_model 'fancy' is unknown")
    assert len(lines_with(capfd, 'fancy')) == 1


def test_no_camera_info(peer, capfd):
    node = peer.start_node()
    peer.listen('image')
    peer.connect()
    problem = peer.send_until(lambda: node.problem, image())
    assert 'no camera_info for this picture' in problem
    assert not peer.received['image']
    peer.send(camera_info())
    peer.next_result('image', image(2.0))
    assert len(lines_with(capfd, 'no camera_info')) == 1


def test_camera_info_that_changes_size(peer):
    peer.start_node()
    peer.listen('image', 'camera_info')
    peer.connect()
    for width, height in [(128, 64), (64, 32), (256, 128)]:
        peer.send_until(
            lambda w=width: [m for m in peer.received['camera_info'] if m.k[0] == w],
            camera_info(1.0, width, height, focal=width), image(1.0, street(width, height)))
        peer.wait_until(lambda w=width: peer.received['image'][-1].width == w)
        assert peer.received['image'][-1].height == height


def test_stamps_that_jump_back(peer, capfd):
    peer.start_node(refine_ground=True)
    peer.listen('image')
    peer.connect()
    peer.send(camera_info())
    for stamp in (100.0, 100.1, 3.0, 3.1):
        result = peer.next_result('image', image(stamp))
        assert stamp_of(result) == pytest.approx(stamp)
    assert len(lines_with(capfd, 'stamps jumped back')) == 1


def test_camera_that_looks_at_the_sky(peer, capfd):
    peer.start_node(camera_pitch=-1.2)
    peer.listen('image', 'diagnostics')
    peer.connect()
    peer.send(camera_info())
    sky = np.full((HEIGHT, WIDTH, 3), 7 * 32, np.uint8)
    depth = as_array(peer.next_result('image', image(picture=sky)))
    assert np.isposinf(depth).all()
    road = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    depth = as_array(peer.next_result('image', image(2.0, picture=road)))
    assert not np.isfinite(depth).any()
    assert len(lines_with(capfd, 'no ground is in view; check camera_pitch')) == 1
    peer.next_result('image', image(3.0, picture=road))
    peer.wait_until(lambda: ('no ground is in view' in peer.status()['message']
                             if peer.received['diagnostics'] else False))
    assert peer.status()['level'] == b'\x01'


@pytest.mark.parametrize('height', [0.0, -1.5])
def test_height_that_no_camera_has(peer, capfd, height):
    node = peer.start_node(camera_height=height, ground_frame='')
    assert 'camera_height' in node.problem
    peer.listen('image', 'diagnostics')
    peer.wait_until(lambda: peer.received['diagnostics'], 'diagnostics')
    assert peer.status()['level'] == b'\x02'
    assert 'camera_height' in peer.status()['message']
    assert len(lines_with(capfd, 'configure failed.*camera_height')) == 1


def test_bundle_with_a_changed_byte(peer, painted_bundle, tmp_path, capfd):
    broken = tmp_path / 'broken'
    broken.mkdir()
    for file in painted_bundle.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    data = bytearray((broken / 'model.onnx').read_bytes())
    data[len(data) // 2] ^= 1
    (broken / 'model.onnx').write_bytes(data)
    peer.start_node(segmentation_bundle=str(broken))
    assert len(lines_with(capfd, 'does not match its hash.*reinstall')) == 1


def test_bundle_that_does_not_exist(peer, capfd):
    peer.start_node(segmentation_bundle='no_such_bundle')
    assert len(lines_with(capfd, "configure failed: model bundle 'no_such_bundle'")) == 1
