"""Readers on real frames; what is expected comes from the notes of the data sets."""

import cv2
import numpy as np
import pytest

from deepsight_ros.evaluation.datasets import GroundOptions
from deepsight_ros.evaluation.datasets import open_dataset
from deepsight_ros.evaluation.datasets.sunrgbd import decode_depth
from deepsight_ros.evaluation.scoring import unproject
from deepsight_ros.evaluation.true_ground import fit_near_plane

KITCHEN = GroundOptions(gravity=(-0.00834, 0.89308, 0.44982), floor=1.521)


def need(folder):
    if not folder.is_dir():
        pytest.skip(f'real frames are not here: {folder} is missing')
    return folder


def test_kitti_drive_shows_the_road_where_it_is(shared_data):
    """1.67 +- 0.02 m below the camera, pitch wandering by 0.2 degrees."""
    dataset = open_dataset('kitti-raw', need(shared_data / 'kitti_drive'))
    assert len(dataset) == 39
    heights = []
    for index in (0, 19, 38):
        frame = dataset[index]
        assert frame.stamp_ns == index * 100_000_000
        plane = fit_near_plane(unproject(frame.truth_points(), frame.camera), frame.ground)
        heights.append(plane.height)
        assert abs(np.degrees(plane.pitch)) < 0.5
    assert np.median(heights) == pytest.approx(1.67, abs=0.03)


def test_kitti_object_frames(shared_data):
    dataset = open_dataset('kitti-object', need(shared_data / 'kitti_object'))
    assert [dataset[index].name for index in range(len(dataset))] == [f'{i:06}' for i in range(6)]
    assert all(len(dataset[index].truth) > 10_000 for index in range(len(dataset)))


def test_kitchen_floor_is_where_pose_and_gravity_say(shared_data):
    dataset = open_dataset('sevenscenes', need(shared_data / 'sevenscenes_kitchen'), KITCHEN)
    frame = dataset[0]
    points = unproject(frame.truth_points(), frame.camera)
    near = np.abs(frame.ground.height_of(points)) < 0.1
    assert near.sum() > 10_000
    assert abs(np.median(frame.ground.height_of(points[near]))) < 0.02


def test_kitchen_floor_is_found_without_being_told(shared_data):
    """As good as the published direction and offset: a degree, and 3 cm at the camera."""
    folder = need(shared_data / 'sevenscenes_kitchen')
    found = open_dataset('sevenscenes', folder)
    given = open_dataset('sevenscenes', folder, KITCHEN)
    for index in (0, 100, 249):
        ours, theirs = found[index].ground, given[index].ground
        assert np.degrees(np.arccos(np.dot(ours.normal, theirs.normal))) < 1.0
        assert ours.height == pytest.approx(theirs.height, abs=0.03)


def test_sun_sample(shared_data):
    path = need(shared_data / 'rgbd_samples' / 'other_formats') / 'SUN_depth.png'
    depth = decode_depth(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert 0.4 < np.nanpercentile(depth, 1) < np.nanpercentile(depth, 99) < 10


def test_raw_nyu_sample_is_registered(shared_data):
    """The floor of the room fits one plane; the picture's depth edges were looked at."""
    root = need(shared_data / 'rgbd_samples' / 'other_formats')
    frame = open_dataset('nyu', root, GroundOptions(1.3))[0]
    assert len(frame.truth) > 200_000
    floor = frame.truth[(frame.truth[:, 1] > 400) & (frame.truth[:, 0] > 200)]
    points = unproject(floor, frame.camera).astype(np.float64)
    centred = points - points.mean(axis=0)
    assert np.linalg.svd(centred, compute_uv=False)[2] / len(points)**0.5 < 0.02
