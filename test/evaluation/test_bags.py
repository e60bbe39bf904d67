"""Bags: written and read back, damaged, incomplete, ambiguous."""

from bags import as_sqlite
from bags import CAMERA_INFO
from bags import cut_in_half
from bags import DEPTH
from bags import DEPTH_INFO
from bags import IMAGE
from bags import POINTS
from bags import START_NS
from bags import with_damage
from bags import write_bag
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_topics import BagTopics
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.bag_truth import BagTruth
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.evaluation.bag_writer import quaternion_of
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.errors import MessageError
from deepsight_ros.evaluation.ground_frame import ground_from_camera
from deepsight_ros.evaluation.point_cloud import points_of
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.transforms import matrix_from
from deepsight_ros.perception.pictures import to_depth
from deepsight_ros.perception.pictures import to_rgb

ANGLE = st.floats(-np.pi, np.pi)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_round_trip(storage, street, tmp_path):
    path = write_bag(tmp_path / 'bag', street, truth='depth')
    if storage == 'sqlite3':
        path = as_sqlite(path, tmp_path / 'sqlite')
    with BagReader(path) as bag:
        assert bag.count(IMAGE) == 4
        messages = list(bag.messages([IMAGE, DEPTH]))
        assert [message.topic for message in messages] == [IMAGE, DEPTH] * 4
        assert messages[-1].time_ns == stamp_of(messages[-1].content) == START_NS + 300_000_000
        assert np.array_equal(to_rgb(messages[0].content), street.image)
        assert np.array_equal(to_depth(messages[1].content), street.depth, equal_nan=True)
        assert Camera.from_camera_info(bag.first(CAMERA_INFO)) == street.camera
        ground = read_transforms(bag).lookup('base_footprint', 'camera', START_NS)
        assert np.allclose(ground, ground_from_camera(street.ground))


def test_points_round_trip(tmp_path):
    points = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    with BagWriter(tmp_path / 'bag') as writer:
        writer.points(POINTS, START_NS, 'scanner', points)
        writer.imu('/imu', START_NS, 'imu', np.array([0, 0, 9.8]), np.zeros(3))
    with BagReader(tmp_path / 'bag') as bag:
        message = bag.first(POINTS)
        assert np.array_equal(points_of(message), points)
        message.data = message.data[:-1]
        with pytest.raises(BagError, match='truncated'):
            points_of(message)
        message.fields = message.fields[:2]
        with pytest.raises(BagError, match='x, y and z'):
            points_of(message)
        assert bag.first('/imu').linear_acceleration.z == 9.8


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_bag_cut_in_half(storage, street, tmp_path):
    path = write_bag(tmp_path / 'bag', street)
    if storage == 'sqlite3':
        path = as_sqlite(path, tmp_path / 'sqlite')
    cut_in_half(path)
    with pytest.raises(BagError, match='cannot be read'), BagReader(path) as bag:
        list(bag.messages([IMAGE]))


def test_one_damaged_message_hides_no_other(street, tmp_path):
    write_bag(tmp_path / 'bag', street)
    path = with_damage(tmp_path / 'bag', tmp_path / 'damaged', (IMAGE, 0), ('/tf_static', 1))
    with BagReader(path) as bag:
        messages = bag.messages([IMAGE])
        with pytest.raises(MessageError, match=f'{IMAGE} at 1700000000.000 s is damaged'):
            next(messages)
        assert len(list(messages)) == 3
        assert stamp_of(bag.first(IMAGE)) > START_NS
        assert read_transforms(bag).lookup('base_footprint', 'camera', START_NS) is not None


def test_nothing_but_damage_on_a_topic(street, tmp_path):
    write_bag(tmp_path / 'bag', street, frames=1)
    path = with_damage(tmp_path / 'bag', tmp_path / 'damaged', (IMAGE, 0))
    with BagReader(path) as bag, pytest.raises(BagError, match=f'no readable message on {IMAGE}'):
        bag.first(IMAGE)


@pytest.mark.parametrize('name', ['bag', 'bag.mcap'])
def test_interrupted_bag_leaves_nothing(name, street, tmp_path):
    with pytest.raises(KeyboardInterrupt), BagWriter(tmp_path / name) as bag:
        bag.image(IMAGE, START_NS, 'camera', street.image)
        assert not (tmp_path / name).exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with BagWriter(tmp_path / name) as bag:
        bag.image(IMAGE, START_NS, 'camera', street.image)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize('content', [None, 'metadata.yaml', 'text'])
def test_what_is_no_bag(content, tmp_path):
    path = tmp_path / 'bag'
    if content:
        path.mkdir()
        (path / content).write_text('rosbag2_bagfile_information:\n', 'utf8')
    with pytest.raises(BagError, match=str(path)), BagReader(path):
        pass


def test_bag_of_a_single_file(street, tmp_path):
    path = write_bag(tmp_path / 'drive.mcap', street)
    assert [entry.name for entry in tmp_path.iterdir()] == ['drive.mcap']
    with BagReader(path) as bag:
        assert bag.count(IMAGE) == 4
    with pytest.raises(BagError, match='exists already'):
        BagWriter(path)


def test_existing_bag_is_not_overwritten(tmp_path):
    with pytest.raises(BagError, match='exists already'):
        BagWriter(tmp_path)


def test_topics_are_found(street, tmp_path):
    write_bag(tmp_path / 'bag', street, truth='depth')
    with BagReader(tmp_path / 'bag') as bag:
        assert choose_topics(bag, ReplaySettings()) == BagTopics(
            IMAGE, CAMERA_INFO, depth=DEPTH, depth_camera_info=DEPTH_INFO)


def test_of_several_cameras_one_is_chosen(street, tmp_path):
    write_bag(tmp_path / 'bag', street, pictures=(IMAGE, '/camera/left'))
    with BagReader(tmp_path / 'bag') as bag:
        with pytest.raises(BagError, match='set image_topic'):
            choose_topics(bag, ReplaySettings())
        chosen = choose_topics(bag, ReplaySettings(image_topic='/camera/left'))
        assert (chosen.image, chosen.camera_info) == ('/camera/left', CAMERA_INFO)
        with pytest.raises(BagError, match='image_topic can be'):
            choose_topics(bag, ReplaySettings(image_topic='/camera/right'))


@pytest.fixture
def with_ours(street, tmp_path):
    """Camera, and what our node published in a namespace, as a driver of depth would."""
    path = tmp_path / 'with_ours'
    with BagWriter(path) as writer:
        writer.camera_info(CAMERA_INFO, START_NS, 'camera', street.camera)
        writer.image(IMAGE, START_NS, 'camera', street.image)
        for name in ('image', 'uncertainty'):
            writer.image(f'/robot/embodied_depth/{name}', START_NS, 'camera', street.depth)
        writer.image('/robot/embodied_depth/preview', START_NS, 'camera', street.image)
        writer.points(POINTS, START_NS, 'scanner', street.points())
    return path


def test_our_own_depth_is_no_truth(with_ours):
    with BagReader(with_ours) as bag:
        assert choose_topics(bag, ReplaySettings()) == BagTopics(IMAGE, CAMERA_INFO, points=POINTS)
        ours = '/robot/embodied_depth/image'
        assert choose_topics(bag, ReplaySettings(depth_topic=ours)).depth == ours
        chosen = choose_topics(bag, ReplaySettings(points_topic='none'))
        assert (chosen.depth, chosen.points) == ('', '')


def test_depth_of_others_can_be_left_out(street, tmp_path):
    write_bag(tmp_path / 'bag', street, truth='depth', pictures=(IMAGE,))
    with BagReader(tmp_path / 'bag') as bag:
        assert choose_topics(bag, ReplaySettings(depth_topic='none')).depth == ''
        with pytest.raises(BagError, match=f'depth_topic can be {DEPTH} or none'):
            choose_topics(bag, ReplaySettings(depth_topic='/depth'))
    with BagWriter(tmp_path / 'two') as writer:
        writer.camera_info(CAMERA_INFO, START_NS, 'camera', street.camera)
        writer.image(IMAGE, START_NS, 'camera', street.image)
        for topic in ('/a/depth', '/b/depth'):
            writer.image(topic, START_NS, 'camera', street.depth)
    with BagReader(tmp_path / 'two') as bag, \
            pytest.raises(BagError, match='set depth_topic .* to /a/depth or /b/depth or none'):
        choose_topics(bag, ReplaySettings())


def test_points_instead_of_depth(street, tmp_path):
    write_bag(tmp_path / 'bag', street, truth='depth')
    with BagReader(tmp_path / 'bag') as bag, pytest.raises(BagError, match='points_topic can'):
        choose_topics(bag, ReplaySettings(points_topic='/scan'))


def test_several_imus_matter_only_with_a_height(street, tmp_path):
    """Cameras with accelerometer and gyroscope publish two."""
    with BagWriter(tmp_path / 'bag') as writer:
        writer.camera_info(CAMERA_INFO, START_NS, 'camera', street.camera)
        writer.image(IMAGE, START_NS, 'camera', street.image)
        for topic in ('/camera/accel', '/camera/gyro'):
            writer.imu(topic, START_NS, 'camera', np.array([0, -9.8, 0]), np.zeros(3))
    with BagReader(tmp_path / 'bag') as bag:
        assert choose_topics(bag, ReplaySettings()).imu == ''
        with pytest.raises(BagError, match='set imu_topic'):
            choose_topics(bag, ReplaySettings(camera_height=1.0))
        settings = ReplaySettings(camera_height=1.0, imu_topic='none')
        assert choose_topics(bag, settings).imu == ''
        settings = ReplaySettings(camera_height=1.0, imu_topic='/camera/accel')
        assert choose_topics(bag, settings).imu == '/camera/accel'


def test_bag_without_camera_info(street, tmp_path):
    write_bag(tmp_path / 'bag', street, info=False)
    with BagReader(tmp_path / 'bag') as bag, pytest.raises(BagError, match='no camera_info'):
        choose_topics(bag, ReplaySettings())


def test_camera_info_elsewhere_must_be_named(street, tmp_path):
    write_bag(tmp_path / 'bag', street, pictures=('/left/image',))
    with BagReader(tmp_path / 'bag') as bag:
        with pytest.raises(BagError, match='set camera_info_topic'):
            choose_topics(bag, ReplaySettings())
        settings = ReplaySettings(camera_info_topic=CAMERA_INFO)
        assert choose_topics(bag, settings).camera_info == CAMERA_INFO


def test_bag_without_pictures(street, tmp_path):
    write_bag(tmp_path / 'bag', street, pictures=())
    with BagReader(tmp_path / 'bag') as bag, pytest.raises(BagError, match='no pictures'):
        choose_topics(bag, ReplaySettings())


def test_scan_is_brought_into_the_picture(street, tmp_path):
    """By the transform of the scanner, and by the nearest stamp."""
    write_bag(tmp_path / 'bag', street, truth='points')
    with BagReader(tmp_path / 'bag') as bag:
        truth = BagTruth(bag, choose_topics(bag, ReplaySettings()), read_transforms(bag))
        points = truth.points(START_NS, 'camera', street.camera)
        column, line = np.rint(points[:, :2]).astype(int).T
        assert len(points) > 1000
        assert np.allclose(points[:, 2], street.depth[line, column], atol=1e-3)
        assert truth.points(START_NS + 10**9, 'camera', street.camera) is None


@pytest.mark.parametrize('scale', [0.5, 1.0, 2.0])
def test_depth_of_another_resolution(scale, street, tmp_path):
    """Depth of the same view, with its own camera_info, or none."""
    small = street.camera.scaled(round(192 * scale), round(64 * scale))
    depth = street.ground.depth(small)
    with BagWriter(tmp_path / 'bag') as writer:
        if scale > 1:
            writer.camera_info(DEPTH_INFO, START_NS, 'camera', small)
        writer.image(DEPTH, START_NS, 'camera', depth)
    info = DEPTH_INFO if scale > 1 else ''
    with BagReader(tmp_path / 'bag') as bag:
        topics = BagTopics(IMAGE, CAMERA_INFO, depth=DEPTH, depth_camera_info=info)
        points = BagTruth(bag, topics, read_transforms(bag)).points(
            START_NS, 'camera', street.camera)
    assert len(points) == np.count_nonzero(np.isfinite(depth))
    expected = street.ground.height / ((points[:, 1] - street.camera.cy) / street.camera.fy)
    assert np.allclose(points[:, 2], expected, rtol=1e-4)


@given(ANGLE, st.floats(-1.4, 1.4), ANGLE)
def test_quaternion_of_any_rotation(yaw, pitch, roll):
    half = np.array([yaw, pitch, roll]) / 2
    parts = [np.r_[np.sin(a) * axis, np.cos(a)] for a, axis in zip(half, np.eye(3), strict=True)]
    rotation = np.eye(3)
    for part in parts:
        rotation = rotation @ matrix_from(np.zeros(3), part)[:3, :3]
    quaternion = quaternion_of(rotation)
    assert quaternion[3] >= 0
    assert np.allclose(matrix_from(np.zeros(3), quaternion)[:3, :3], rotation, atol=1e-9)


@given(st.floats(0.1, 3), st.floats(-1.5, 1.57), st.floats(-3, 3))
def test_ground_frame_inverts_the_plane(height, pitch, roll):
    plane = GroundPlane.from_height(height, pitch, roll)
    matrix = ground_from_camera(plane)
    back = GroundPlane.from_transform(matrix)
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert np.allclose(back.normal, plane.normal, atol=1e-6)
    assert back.height == pytest.approx(height)
