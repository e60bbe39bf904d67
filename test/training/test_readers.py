from collections.abc import Callable
from pathlib import Path

import cv2
from deepsight_training.datasets.camvid import admit_grass
from deepsight_training.datasets.camvid import read_camvid
from deepsight_training.datasets.idd import read_idd
from deepsight_training.datasets.kitti import read_kitti_drive
from deepsight_training.datasets.kitti import read_kitti_object
from deepsight_training.datasets.labels import ANY_BACKGROUND
from deepsight_training.datasets.labels import ANY_GROUND
from deepsight_training.datasets.labels import ANY_VERTICAL
from deepsight_training.datasets.labels import ANY_VERTICAL_OR_SKY
from deepsight_training.datasets.labels import BACKGROUND_OR_GRASS
from deepsight_training.datasets.labels import DRIVABLE
from deepsight_training.datasets.labels import LOW_VEGETATION
from deepsight_training.datasets.labels import ROADSIDE
from deepsight_training.datasets.labels import SIDE_GROUND
from deepsight_training.datasets.lidar_labels import fit_ground
from deepsight_training.datasets.lidar_labels import height_above_ground
from deepsight_training.datasets.mixture import Mixture
from deepsight_training.datasets.nyu import read_nyu
from deepsight_training.datasets.rendered import read_rendered
from deepsight_training.datasets.rgbd import camera_points
from deepsight_training.datasets.rgbd import fit_floor
from deepsight_training.datasets.rgbd import floor_labels
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample
import numpy as np
import pytest

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID

SHAPE = (375, 1242)
MATRIX = np.array([[721.0, 0.0, 609.0], [0.0, 721.0, 172.0], [0.0, 0.0, 1.0]])


def scan_of_a_street() -> np.ndarray:
    """Points [N, 3] in the camera's frame: tilted ground, kerb-high pavement, a box on it."""
    x, z = np.meshgrid(np.arange(-12, 12, 0.05), np.arange(3, 45, 0.15))
    y = 1.65 + 0.01 * z + 0.005 * x
    ground = np.stack([x, y, z], -1).reshape(-1, 3)
    u, v = np.meshgrid(np.arange(1.0, 3.0, 0.05), np.arange(0.0, 1.6, 0.05))
    box = np.stack([u, 1.65 + 0.01 * 10 + 0.005 * u - v, np.full_like(u, 10.0)], -1).reshape(-1, 3)
    hidden = (ground[:, 2] > 10) & (ground[:, 0] / ground[:, 2] > 0.1)
    hidden &= ground[:, 0] / ground[:, 2] < 0.3
    return np.concatenate([ground[~hidden], box])


def write_kitti(root: Path, points: np.ndarray) -> None:
    """KITTI's axes: the scanner looks along x, z is up; the camera sits in the same place."""
    for folder in ('image_2', 'velodyne', 'calib', 'label_2'):
        (root / folder).mkdir(parents=True)
    cv2.imwrite(str(root / 'image_2' / '000000.png'), np.zeros((*SHAPE, 3), np.uint8))
    scan = np.column_stack([points[:, 2], -points[:, 0], -points[:, 1], np.zeros(len(points))])
    scan.astype(np.float32).tofile(root / 'velodyne' / '000000.bin')
    projection = ' '.join(map(str, np.column_stack([MATRIX, np.zeros(3)]).ravel()))
    (root / 'calib' / '000000.txt').write_text(
        f'P2: {projection}\nR0_rect: 1 0 0 0 1 0 0 0 1\n'
        'Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n')
    (root / 'label_2' / '000000.txt').write_text(
        'Car 0 0 0 0 0 0 0 1.6 1.0 2.0 2.0 1.76 10.3 0.0\n')


def pixel(point: tuple[float, float, float]) -> tuple[int, int]:
    u, v, w = MATRIX @ point
    return round(v / w), round(u / w)


def test_camvid(tmp_path: Path):
    for folder in ('train', 'trainannot'):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / 'train' / 'a.jpg'), np.full((6, 8, 3), (200, 0, 0), np.uint8))
    ids = np.zeros((6, 8), np.uint8)
    ids[0], ids[1], ids[2] = 3, 10, 11
    cv2.imwrite(str(tmp_path / 'trainannot' / 'a.png'), ids)
    (sample,) = read_camvid(tmp_path, 'train')
    assert sample.image[0, 0, 2] > 150, 'pictures are RGB'
    assert sample.labels[:4, 0].tolist() == [
        SceneClass.ROAD, SceneClass.PERSON, VOID, SceneClass.SKY]
    ids[:] = 5
    cv2.imwrite(str(tmp_path / 'trainannot' / 'a.png'), ids)
    grass = admit_grass(read_camvid(tmp_path, 'train')[0])
    assert grass.labels[:, 0].tolist() == [SceneClass.VEGETATION] * 3 + [LOW_VEGETATION] * 3
    with pytest.raises(DatasetError, match='val'):
        read_camvid(tmp_path, 'val')


def test_idd(tmp_path: Path):
    pictures, labels = (tmp_path / folder / 'train' / '7' for folder in ('leftImg8bit', 'gtFine'))
    pictures.mkdir(parents=True)
    labels.mkdir(parents=True)
    cv2.imwrite(str(pictures / '12_image.jpg'), np.full((6, 8, 3), (200, 0, 0), np.uint8))
    ids = np.full((6, 8), 5, np.uint8)
    ids[:, 1:8] = [0, 1, 2, 3, 4, 6, 255]
    cv2.imwrite(str(labels / '12_label.png'), ids)
    (sample,) = read_idd(tmp_path, 'train')
    assert sample.image[0, 0, 2] > 150, 'pictures are RGB'
    assert sample.labels[0].tolist() == [
        ANY_BACKGROUND, DRIVABLE, SIDE_GROUND, SceneClass.PERSON, SceneClass.VEHICLE, ROADSIDE,
        SceneClass.SKY, VOID]
    assert sample.labels[5, 0] == BACKGROUND_OR_GRASS
    (labels / '12_label.png').unlink()
    with pytest.raises(DatasetError, match='12_image.jpg lacks a label'):
        read_idd(tmp_path, 'train')


def test_nyu(tmp_path: Path):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'labels40').mkdir()
    (tmp_path / 'train.txt').write_text('3\n')
    ids = np.array([[0, 1, 2, 7, 20, 31, 26, 40]] * 2, np.uint8)
    cv2.imwrite(str(tmp_path / 'images' / '3.jpg'), np.zeros((2, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'labels40' / '3.png'), ids)
    (sample,) = read_nyu(tmp_path, 'train')
    assert sample.labels[0].tolist() == [
        VOID, SceneClass.STRUCTURE, SceneClass.TERRAIN, SceneClass.STRUCTURE, SceneClass.TERRAIN,
        SceneClass.PERSON, VOID, SceneClass.STRUCTURE]
    with pytest.raises(DatasetError, match='test.txt'):
        read_nyu(tmp_path, 'test')


def test_ground_is_found_on_a_slope():
    points = scan_of_a_street()
    plane = fit_ground(points, 1.6)
    assert plane == pytest.approx([0.005, 0.01, 1.65], abs=2e-3)
    above = height_above_ground(points, plane)
    assert np.nanmax(np.abs(above[:1000])) < 0.05
    assert above[-1] == pytest.approx(1.55, abs=0.05)


def test_kitti_object_labels(tmp_path: Path):
    write_kitti(tmp_path, scan_of_a_street())
    (sample,) = read_kitti_object(tmp_path)
    assert sample.labels.shape == SHAPE
    assert sample.labels[pixel((0.0, 1.75, 10.0))] == ANY_GROUND
    assert sample.labels[pixel((2.0, 0.9, 10.0))] == SceneClass.VEHICLE
    assert sample.labels[5, 600] == ANY_VERTICAL_OR_SKY
    (tmp_path / 'label_2' / '000000.txt').write_text('')
    (sample,) = read_kitti_object(tmp_path)
    assert sample.labels[pixel((2.0, 0.9, 10.0))] == ANY_BACKGROUND


def test_ground_that_glass_may_show_is_void(tmp_path: Path):
    """A car's windows return no points: what the scanner sees there lies behind the car."""
    street = scan_of_a_street()
    u, v = np.meshgrid(np.arange(-2.0, -0.5, 0.03), np.arange(0.2, 0.8, 0.03))
    body = np.stack([u, 1.71 + 0.005 * u - v, np.full_like(u, 6.0)], -1).reshape(-1, 3)
    behind = pixel((-3.2, 1.65 + 0.16 - 0.016, 16.0))
    for name, points, label in (
        ('road', street, ANY_GROUND), ('car', np.concatenate([street, body]), VOID),
    ):
        write_kitti(tmp_path / name, points)
        (sample,) = read_kitti_object(tmp_path / name)
        assert sample.labels[behind] == label, name


def test_floor_of_a_room():
    """A camera 1.5 m above the floor, pitched down by 25 degrees, a box in front of it."""
    matrix = (525.0, 525.0, 319.5, 239.5)
    pitch = np.radians(25.0)
    down = np.array([0.0, np.cos(pitch), np.sin(pitch)])
    rays = camera_points(np.ones((480, 640)), matrix)
    depth = np.clip(1.5 / np.maximum(rays @ down, 1e-3), 0.0, 3.5)
    depth[200:330, 250:400] = 1.2
    points = camera_points(depth, matrix)
    labels = floor_labels(depth, 1.5 - points @ down)
    assert labels[450, 320] == SceneClass.TERRAIN
    assert labels[260, 320] == SceneClass.STRUCTURE
    assert labels[330, 320] == VOID, 'borders are left out'
    fitted = fit_floor(points, depth, np.random.default_rng(0))
    assert fitted[450, 320] == pytest.approx(0.0, abs=0.02)


def test_rendered(tmp_path: Path):
    cv2.imwrite(str(tmp_path / '000000.png'), np.zeros((4, 6, 3), np.uint8))
    cv2.imwrite(str(tmp_path / '000000.label.png'), np.full((4, 6), 7, np.uint8))
    assert read_rendered(tmp_path)[0].labels[0, 0] == SceneClass.SKY
    cv2.imwrite(str(tmp_path / '000000.label.png'), np.full((4, 6), 9, np.uint8))
    with pytest.raises(DatasetError, match='no SceneClass'):
        read_rendered(tmp_path)


def test_views_are_reproducible_and_aligned(make_sample: Callable[[int], Sample]):
    def mixture(seed: int) -> Mixture:
        samples = {'a': [make_sample(0)], 'b': [make_sample(1)]}
        return Mixture(samples, {'a': 0.3, 'b': 0.7}, 12, 4, stride=2, seed=seed)

    first, second = mixture(5), mixture(5)
    for i in (3, 0, 11):
        assert (first[i]['image'] == second[i]['image']).all()
        assert (first[i]['labels'] == second[i]['labels']).all()
    assert not (first[0]['image'] == mixture(6)[0]['image']).all()
    assert first[0]['image'].shape[:2] == first[3]['image'].shape[:2] != first[4]['image'].shape
    height, width = first[0]['image'].shape[:2]
    assert first[0]['labels'].shape == (height // 2, width // 2)


def test_a_missing_source_is_named(make_sample: Callable[[int], Sample]):
    with pytest.raises(DatasetError, match='worlds'):
        Mixture({'a': [make_sample(0)]}, {'a': 1.0, 'worlds': 1.0}, 8, 4, 2, 0)


def test_real_drive(shared_data: Path, tmp_path: Path):
    """Two real frames: most LiDAR points find a label, the road in front is ground."""
    source = shared_data / 'kitti_drive'
    for name in ('calib_cam_to_cam.txt', 'calib_velo_to_cam.txt'):
        (tmp_path / name).symlink_to(source / name)
    for folder, suffix in (('image_02', 'png'), ('velodyne_points', 'bin')):
        (tmp_path / folder / 'data').mkdir(parents=True)
        for i in (0, 20):
            name = f'{i:010d}.{suffix}'
            (tmp_path / folder / 'data' / name).symlink_to(source / folder / 'data' / name)
    for sample in read_kitti_drive(tmp_path):
        assert (sample.labels == ANY_GROUND).mean() > 0.1
        assert (sample.labels == ANY_VERTICAL).mean() > 0.2
        assert (sample.labels[355:, 560:620] == ANY_GROUND).mean() > 0.8
