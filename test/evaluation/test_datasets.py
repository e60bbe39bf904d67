"""Readers of data sets, on tiny ones written in the same layouts."""

from datetime import datetime
from datetime import timezone

from layouts import kitti_eigen
from layouts import kitti_raw
from layouts import LAYOUTS
from layouts import row
from layouts import sevenscenes
from layouts import write_drive
from layouts import write_picture
from layouts import write_raw_calibration
from layouts import write_text
import numpy as np
import pytest
from streets import HEIGHT

from deepsight_ros.evaluation.datasets import DatasetError
from deepsight_ros.evaluation.datasets import DATASETS
from deepsight_ros.evaluation.datasets import GroundOptions
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.datasets.sunrgbd import decode_depth

LENGTHS = {'kitti-raw': 3, 'kitti-object': 2, 'kitti-eigen': 2, 'nyu': 2, 'tum': 2,
           'sevenscenes': 2, 'sunrgbd': 1, 'worlds': 1}
POSED = GroundOptions(gravity=(0, 0, -1), floor=0.0)
OPTIONS = {'nyu': GroundOptions(HEIGHT), 'sunrgbd': GroundOptions(HEIGHT), 'sevenscenes': POSED,
           'tum': POSED}
QUANTUM = {'kitti-eigen': 1 / 256, 'worlds': 1 / 256}


def test_every_reader_has_a_layout():
    assert LAYOUTS.keys() == DATASETS.keys()


@pytest.mark.parametrize('name', DATASETS)
def test_layout_is_read(name, street, tmp_path):
    LAYOUTS[name](tmp_path, street)
    dataset = open_dataset(name, tmp_path, OPTIONS.get(name))
    assert len(dataset) == LENGTHS[name]
    frames = [dataset[index] for index in range(len(dataset))]
    assert [frame.stamp_ns for frame in frames] == sorted({frame.stamp_ns for frame in frames})
    frame = frames[-1]
    assert np.abs(frame.image.astype(int) - street.image).mean() <= (2 if name == 'worlds' else 0)
    assert frame.ground.height == pytest.approx(HEIGHT, abs=1e-6)
    assert np.allclose(frame.ground.normal, (0, 1, 0), atol=1e-6)
    if name not in ('nyu', 'tum'):  # those two bring their own intrinsics
        assert np.allclose(frame.camera.matrix, street.camera.matrix)
    truth = frame.truth_points()
    column, line = np.rint(truth[:, :2]).astype(int).T
    # TUM's 16 bits end at 13 m; of a scan, points at the picture's border may be rounded out.
    assert len(truth) > 0.95 * np.count_nonzero(street.depth < (13 if name == 'tum' else 40))
    assert np.allclose(truth[:, 2], street.depth[line, column], atol=QUANTUM.get(name, 1e-3))


@pytest.mark.parametrize('name', DATASETS)
def test_empty_folder_names_the_layout(name, tmp_path):
    with pytest.raises(DatasetError, match=r'expected|missing'):
        open_dataset(name, tmp_path, OPTIONS.get(name))


@pytest.mark.parametrize(('name', 'folder'), [('kitti', '.'), ('nyu', 'nowhere')])
def test_unknown_data_set_or_folder(name, folder, tmp_path):
    with pytest.raises(DatasetError):
        open_dataset(name, tmp_path / folder)


@pytest.mark.parametrize(('name', 'options', 'words'), [
    ('nyu', GroundOptions(), '--camera-height'),
    ('kitti-raw', POSED, 'no poses'),
    ('sevenscenes', GroundOptions(1.2), 'poses'),
    ('worlds', GroundOptions(1.2), 'leave out'),
])
def test_ground_that_does_not_fit_the_data_set(name, options, words, street, tmp_path):
    LAYOUTS[name](tmp_path, street)
    with pytest.raises(DatasetError, match=words):
        open_dataset(name, tmp_path, options)


def test_height_and_pitch_of_the_camera_can_be_given(street, tmp_path):
    kitti_raw(tmp_path, street)
    ground = open_dataset('kitti-raw', tmp_path, GroundOptions(1.5, 0.02))[0].ground
    assert (ground.height, ground.pitch) == (1.5, pytest.approx(0.02))
    calibrated = open_dataset('kitti-raw', tmp_path, GroundOptions(1.5))[0].ground
    assert calibrated.mount_sigma < ground.mount_sigma


def test_floor_below_the_camera_only(street, tmp_path):
    sevenscenes(tmp_path, street)
    dataset = open_dataset('sevenscenes', tmp_path, GroundOptions(gravity=(0, 0, -1), floor=-5.0))
    with pytest.raises(DatasetError, match='below the floor'):
        dataset[0]


def test_full_drive_has_stamps_and_imu(street, tmp_path):
    """Calibration one level up, time stamps, and inertial packets in the vehicle's frame."""
    drive = tmp_path / '2011_09_26_drive_0001_sync'
    write_drive(drive, street, frames=1)
    write_raw_calibration(tmp_path, street)
    write_text(tmp_path / 'calib_imu_to_velo.txt', f'R: {row(np.eye(3))}', 'T: 0 0 0')
    write_text(drive / 'image_02' / 'timestamps.txt', '2011-09-26 13:02:25.964389445')
    packet = np.arange(30.0)
    packet[11:14] = 0.1, 0.2, 9.8
    write_text(drive / 'oxts' / 'data' / '0000000000.txt', row(packet))
    frame = open_dataset('kitti-raw', drive)[0]
    moment = datetime(2011, 9, 26, 13, 2, 25, tzinfo=timezone.utc).timestamp()
    assert frame.stamp_ns == int(moment) * 10**9 + 964389445
    force, rates = frame.imu
    assert np.allclose(force, [-0.2, -9.8, 0.1])
    assert np.allclose(rates, [-18, -19, 17])


def test_pictures_without_a_scan_are_left_out(street, tmp_path):
    kitti_raw(tmp_path, street)
    (tmp_path / 'velodyne_points/data/0000000001.bin').unlink()
    dataset = open_dataset('kitti-raw', tmp_path)
    assert [dataset[index].name for index in range(len(dataset))] == ['0000000000', '0000000002']


def test_eigen_list_and_scans(street, tmp_path):
    """The list decides; without improved truth the scans are used."""
    kitti_eigen(tmp_path, street)
    drive = '2011_09_26/2011_09_26_drive_0002_sync'
    write_text(tmp_path / 'eigen_test_files_with_gt.txt',
               *(f'{drive}/image_02/data/{index:010}.png None 721.5' for index in (1, 2)))
    dataset = open_dataset('kitti-eigen', tmp_path)
    assert [dataset[0].name, len(dataset)] == ['2011_09_26_drive_0002_sync/0000000002', 1]
    for path in tmp_path.glob('**/groundtruth/image_02/*.png'):
        path.unlink()
    dataset = open_dataset('kitti-eigen', tmp_path)
    assert len(dataset) == 2
    kept = dataset[0].truth
    assert kept.shape[1] == 3
    # As Eigen et al. did: what is near hides nothing beside it.
    with next(tmp_path.glob('**/velodyne_points/data/0000000001.bin')).open('ab') as scan:
        scan.write(np.array([2, 0, -0.3, 0], np.float32).tobytes())
    assert len(dataset[0].truth) >= len(kept) and dataset[0].truth[:, 2].min() < 2.1


@pytest.mark.parametrize(('name', 'file', 'content'), [
    ('kitti-raw', 'image_02/data/0000000000.png', b'no picture'),
    ('kitti-raw', 'velodyne_points/data/0000000000.bin', b'cut off'),
    ('kitti-object', 'training/calib/000000.txt', b'P2: 1 2 3'),
    ('kitti-object', 'training/velodyne/000000.bin', None),
    ('nyu', 'bathroom/sync_depth_00001.png', b'no picture'),
    ('sevenscenes', 'frame-000000.pose.txt', b'1 0 0'),
    ('sevenscenes', 'frame-000000.depth.png', None),
    ('sunrgbd', 'kv1/NYUdata/NYU0001/intrinsics.txt', b'f = 500'),
    ('worlds', '000000.json', b'{}'),
    ('worlds', '000000.depth.png', None),
])
def test_broken_or_missing_file_is_named(name, file, content, street, tmp_path):
    LAYOUTS[name](tmp_path, street)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(DatasetError, match=file.rpartition('/')[2]):
        open_dataset(name, tmp_path, OPTIONS.get(name))[0]


def test_sun_depth_bits():
    """The documented formula, for every value."""
    stored = np.arange(2**16, dtype=np.uint16)
    expected = ((stored.astype(int) >> 3) | (stored.astype(int) << 13)) % 2**16 / 1000
    assert np.allclose(decode_depth(stored[1:, None])[:, 0], expected[1:])
    assert np.isnan(decode_depth(stored[:1, None])).all()


def test_raw_kinect_recording(street, tmp_path):
    """A wall 2 m away: each picture gets the depth recorded last before it, in either byte order.

    351.3 / (1092.5 - 916.85) = 2 m.
    """
    disparity = np.full((480, 640), 917, np.uint16)
    disparity[:, :320] = 2047
    image = np.zeros((480, 640, 3), np.uint8)
    for index, stamp in enumerate(('10.1-5', '10.2-7')):
        write_picture(tmp_path / f'd-{stamp}.pgm', disparity.byteswap() if index else disparity)
        write_picture(tmp_path / f'r-{stamp[:-1]}9.ppm', image)
    dataset = open_dataset('nyu', tmp_path, GroundOptions(1.2))
    assert len(dataset) == 2
    for frame in (dataset[0], dataset[1]):
        assert np.allclose(frame.truth[:, 2], 2.0, atol=0.02)
        assert 300 < frame.truth[:, 0].min() < 330
        assert frame.camera.distortion is None
