"""From messages to depth without ROS: what node and replay share."""

from array import array
import math
from pathlib import Path
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import OUTSIDE
from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.frames import EmbodiedDepthFrames
from deepsight_ros.perception.preview import depth_preview
from deepsight_ros.perception.segmentation import Segmentation

sys.path.insert(0, str(Path(__file__).parents[1] / 'geometry'))

from painted_road import CAMERA  # noqa: E402
from painted_road import level_camera  # noqa: E402
from painted_road import paint_road  # noqa: E402

WIDTH, HEIGHT, FOCAL = 64, 32, 50.0


def header(stamp):
    return SimpleNamespace(frame_id='camera', stamp=SimpleNamespace(
        sec=int(stamp), nanosec=round(stamp % 1 * 1e9)))


def picture(stamp=1.0, height=HEIGHT, red=0):
    rows = np.full((height, WIDTH, 3), red, np.uint8)
    rows[:height // 2] = 7 * 32
    return SimpleNamespace(
        header=header(stamp), width=WIDTH, height=height, encoding='rgb8', is_bigendian=0,
        step=WIDTH * 3, data=array('B', rows.tobytes()))


def camera_info(focal=FOCAL, distortion=(), model='plumb_bob'):
    k = [focal, 0, WIDTH / 2, 0, focal, HEIGHT / 2, 0, 0, 1]
    return SimpleNamespace(
        header=header(0), width=WIDTH, height=HEIGHT, distortion_model=model, d=distortion, k=k,
        r=np.eye(3).ravel(), p=[*k[:3], 0, *k[3:6], 0, *k[6:], 0], binning_x=0, binning_y=0,
        roi=SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0))


ROAD_INFO = camera_info()
ROAD_INFO.width, ROAD_INFO.height = CAMERA.size
ROAD_INFO.p = [CAMERA.fx, 0, CAMERA.cx, 0, 0, CAMERA.fy, CAMERA.cy, 0, 0, 0, 1, 0]
ROAD_INFO.k = [CAMERA.fx, 0, CAMERA.cx, 0, CAMERA.fy, CAMERA.cy, 0, 0, 1]


def painted_picture(ground, stamp, *, blank=False):
    """A road with its classes in the red channel, as the painted bundle reads them."""
    rows, classes = paint_road(ground)
    if blank:
        rows[:] = 128
    rows[..., 0] = 32 * classes + 16
    return SimpleNamespace(
        header=header(stamp), width=CAMERA.width, height=CAMERA.height, encoding='rgb8',
        is_bigendian=0, step=CAMERA.width * 3, data=array('B', rows.tobytes()))


@pytest.fixture(scope='session')
def segmentation(painted_bundle):
    return Segmentation.load(painted_bundle)


def frames_of(segmentation, extrinsics=None, **options):
    return EmbodiedDepthFrames(segmentation, extrinsics or Extrinsics(height=1.5),
                               **{'refine_ground': False, **options})


def test_depth_of_the_ground(segmentation):
    frame = frames_of(segmentation)(picture(), camera_info())
    depth = frame.result.scene.depth
    assert depth[-1, 5] == pytest.approx(1.5 * FOCAL / (HEIGHT / 2 - 1), rel=1e-5)
    assert np.isposinf(depth[0]).all()
    assert frame.warnings == {}
    assert set(frame.seconds) == {
        'decode', 'extrinsics', 'segmentation', 'refinement', 'embodied'}


@pytest.mark.parametrize(('topic', 'rectified', 'is_told'), [
    ('/camera/image_raw', True, True), ('/camera/image_raw/compressed', True, True),
    ('/camera/image_raw', False, False), ('/camera/image_rect', True, False)])
def test_raw_pictures_that_are_taken_as_rectified_are_told(
        topic, rectified, is_told, segmentation):
    info = camera_info()
    frames = frames_of(segmentation, topic=topic, rectified=rectified)
    assert 'camera_info' not in frames(picture(), info).warnings
    info.d = [-0.3, 0.1, 0.0, 0.0, 0.0]
    assert ('distortion' in frames(picture(), info).warnings.get('camera_info', '')) is is_told


def test_new_calibration_is_taken(segmentation):
    frames = frames_of(segmentation)
    near = frames(picture(), camera_info()).result.scene.depth[-1, 0]
    far = frames(picture(), camera_info(focal=2 * FOCAL)).result.scene.depth[-1, 0]
    assert far == pytest.approx(2 * near)


def test_bad_calibration_does_not_leave_the_old_one_in_use(segmentation):
    frames = frames_of(segmentation)
    frames(picture(), camera_info())
    with pytest.raises(CameraError):
        frames(picture(), camera_info(focal=0))
    with pytest.raises(CameraError):
        frames(picture(), camera_info(focal=0))
    frames(picture(), camera_info())


def test_calibration_is_warned_about_once(segmentation):
    frames, info = frames_of(segmentation), camera_info()
    info.p = [0.0] * 12
    assert [set(frames(picture(), info).warnings) for _ in range(2)] == [{'camera_info'}, set()]


def test_numbers_that_nobody_reads_make_no_new_calibration(segmentation):
    frames, info = frames_of(segmentation), camera_info(distortion=[math.nan] * 5)
    info.p, info.r = [0.0] * 12, [math.nan] * 9
    assert [set(frames(picture(), info).warnings) for _ in range(2)] == [{'camera_info'}, set()]


def test_raw_picture_is_rectified(segmentation):
    frames = frames_of(segmentation, rectified=False)
    raw = picture()
    frame = frames(raw, camera_info(distortion=[-0.3, 0.1, 0, 0]))
    assert (frame.image != np.array(raw.data).reshape(HEIGHT, WIDTH, 3)).any()


def test_what_a_raw_picture_does_not_show_has_no_depth(segmentation):
    info = camera_info(distortion=[1.0, 0, 0, 0])
    frame = frames_of(segmentation, rectified=False)(picture(), info)
    unseen = frame.camera.unseen
    assert (frame.image[unseen] < 128).all()
    assert 0.1 < unseen.mean() < 0.9
    assert np.isnan(frame.result.scene.depth[unseen]).all()
    assert not frame.result.scene.label[unseen].any()
    assert np.isfinite(frame.result.scene.depth[HEIGHT - 10, WIDTH // 2])
    assert (frame.result.classes == OUTSIDE).mean() == pytest.approx(unseen.mean(), abs=0.05)


def test_missing_transform_names_the_frames(segmentation):
    frames = frames_of(segmentation, Extrinsics(transforms=TransformBuffer()))
    with pytest.raises(GroundError, match='base_footprint'):
        frames(picture(), camera_info())


def test_stamps_that_jump_back_are_noticed_once(segmentation):
    frames = frames_of(segmentation, refine_ground=True)
    warnings = [frames(picture(stamp), camera_info()).warnings for stamp in (5.0, 5.1, 1.0, 1.1)]
    assert [set(causes) for causes in warnings] == [set(), set(), {'stamps'}, set()]


def test_what_was_learned_about_one_source_is_not_put_on_another(segmentation):
    """Numbers that are wrong by two degrees are corrected; then the transform arrives."""
    transforms, truth = TransformBuffer(), level_camera(0.0)
    frames = frames_of(segmentation, Extrinsics(
        height=1.65, pitch=np.radians(-2.0), transforms=transforms), refine_ground=True)
    road, blank = painted_picture(truth, 1.0), painted_picture(truth, 1.1, blank=True)
    by_hand = frames(road, ROAD_INFO)
    assert by_hand.ground.source == 'parameters'
    assert by_hand.result.ground.pitch == pytest.approx(truth.pitch, abs=np.radians(0.2))
    transforms.set('base_footprint', 'camera', np.array([0, 0, 1.65]),
                   np.array([-0.5, 0.5, -0.5, 0.5]))
    by_transform = frames(blank, ROAD_INFO)
    assert by_transform.ground.source == 'transform'
    assert by_transform.result.ground == by_transform.ground.plane


def test_no_ground_in_view_is_noticed(segmentation):
    frames = frames_of(segmentation, Extrinsics(height=1.5, pitch=-1.2))
    frame = frames(picture(), camera_info())
    assert not np.isfinite(frame.result.scene.depth).any()
    assert 'no ground is in view; check camera_pitch' in frame.warnings['view']
    assert 'by parameters, 1.5 m below' in frame.warnings['view']


@pytest.mark.parametrize('max_range', [1.0, 2.0])
def test_preview_of_a_short_range(max_range):
    depth = max_range * np.array([[0.01, 0.025, 0.2, 1.0, np.inf, np.nan]], np.float32)
    nearer, near, between, far, sky, unknown = depth_preview(depth, max_range)[0].astype(int)
    assert (nearer == near).all()
    assert near[0] > near[2]
    assert far[2] > far[0]
    assert not (between == near).all() and not (between == far).all()
    assert (sky == 255).all()
    assert not unknown.any()


def test_preview_colours():
    depth = np.array([[0.5, 80.0, 10.0, np.inf, np.nan, 0.1, 500.0]], np.float32)
    near, far, between, sky, unknown, nearer, farther = depth_preview(depth, 80.0)[0].astype(int)
    assert near[0] > near[2]
    assert far[2] > far[0]
    assert not (between == near).all()
    assert (sky == 255).all()
    assert not unknown.any()
    assert (nearer == near).all()
    assert (farther == far).all()
