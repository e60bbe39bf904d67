"""Worlds without OpenGL: depth, labels and boxes come from ray casting."""

import json
from pathlib import Path
import subprocess
import sys

import cv2
from deepsight_training.worlds.frames import DEPTH_UNIT
from deepsight_training.worlds.frames import save_frame
from deepsight_training.worlds.frames import WorldFrame
from deepsight_training.worlds.generate import FRAMES_PER_LAYOUT
from deepsight_training.worlds.generate import layout_frames
from deepsight_training.worlds.scene import WorldError
import numpy as np
import pytest

from deepsight_ros.geometry.scene_classes import SceneClass

ROOT = Path(__file__).resolve().parents[2]
SIZE = (96, 64)


@pytest.fixture(scope='module')
def street() -> list[WorldFrame]:
    """Frames of a street layout, geometry only."""
    return layout_frames('street', 0, SIZE, pictures=False)


@pytest.fixture(scope='module')
def room() -> list[WorldFrame]:
    """Frames of a room layout, geometry only."""
    return layout_frames('room', 0, SIZE, pictures=False)


def test_same_seed_gives_the_same_frame(room):
    again = layout_frames('room', 0, SIZE, pictures=False)
    other = layout_frames('room', 1, SIZE, pictures=False)
    assert len(room) == FRAMES_PER_LAYOUT
    for first, second in zip(room, again, strict=True):
        np.testing.assert_array_equal(first.depth, second.depth)
        np.testing.assert_array_equal(first.labels, second.labels)
    assert not np.array_equal(room[0].depth, other[0].depth)


@pytest.mark.parametrize('kind', ['street', 'room', 'corridor'])
def test_ground_depth_follows_the_camera_pose(kind):
    flat = SceneClass.ROAD if kind == 'street' else SceneClass.TERRAIN
    checked = 0
    for frame in layout_frames(kind, 3, SIZE, pictures=False):
        cosine = frame.camera.rays() @ frame.gravity
        ground = frame.labels == flat
        assert cosine[ground].min() > 0
        expected = frame.height / cosine[ground]
        error = np.abs(frame.depth[ground] - expected) / expected
        # Paint, contact shadows and rugs lie up to 4 mm above the plane.
        assert np.all(error < 1e-4 + 0.004 / frame.height)
        checked += int(ground.sum())
    assert checked > 200


def test_sky_is_where_nothing_is_hit(street):
    for frame in street:
        np.testing.assert_array_equal(np.isinf(frame.depth), frame.labels == SceneClass.SKY)
    seen = np.unique(np.concatenate([frame.labels.ravel() for frame in street]))
    assert {SceneClass.ROAD, SceneClass.STRUCTURE, SceneClass.SKY} <= set(seen.tolist())


def test_gravity_points_down_the_picture(street):
    for frame in street:
        assert np.linalg.norm(frame.gravity) == pytest.approx(1.0)
        assert frame.gravity[1] > 0.9
        assert 1.2 <= frame.height <= 2.2


def test_visible_points_lie_in_their_3d_boxes(street, room):
    checked = 0
    for frame in (*street, *room):
        points = frame.camera.rays() * frame.depth[..., None]
        for thing in frame.objects:
            mask = frame.instances == thing.id
            assert mask.sum() == thing.pixels
            inside = (points[mask] - thing.centre) @ thing.rotation
            assert np.all(np.abs(inside) <= thing.size / 2 + 1e-3), thing.name
            left, top, right, bottom = thing.box_2d
            rows, columns = np.nonzero(mask)
            assert (columns.min(), rows.min(), columns.max(), rows.max()) == (
                left, top, right, bottom)
            checked += 1
    assert checked > 10


def test_a_plant_in_its_pot_is_one_thing():
    frames = layout_frames('room', 104, SIZE, pictures=False)
    names = {thing.name for frame in frames for thing in frame.objects}
    assert 'plant' in names and not names & {'pot', 'bush'}
    assert any((frame.labels == SceneClass.VEGETATION).any() for frame in frames)


def test_frame_files(room, tmp_path):
    frame = room[0]
    save_frame(frame, tmp_path / '000000')
    depth = cv2.imread(str(tmp_path / '000000.depth.png'), cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    np.testing.assert_allclose(depth / DEPTH_UNIT, frame.depth, atol=0.5 / DEPTH_UNIT + 1e-6)
    labels = cv2.imread(str(tmp_path / '000000.label.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(labels, frame.labels)
    record = json.loads((tmp_path / '000000.json').read_text())
    pose = np.reshape(record['camera_to_world'], (4, 4))
    np.testing.assert_allclose(pose, frame.camera_to_world, atol=1e-8)
    np.testing.assert_allclose(record['gravity'], -pose[2, :3], atol=1e-8)
    assert not (tmp_path / '000000.jpg').exists()


def test_unknown_kind_names_the_choices():
    with pytest.raises(WorldError, match='street, room, corridor'):
        layout_frames('moon', 0, SIZE)


def run(*arguments: str) -> subprocess.CompletedProcess:
    """Run the command line of the worlds."""
    return subprocess.run(
        [sys.executable, '-m', 'deepsight_training.worlds', *arguments], text=True,
        capture_output=True, cwd=ROOT / 'training', timeout=120,
        env={'PATH': '/usr/bin:/bin', 'PYTHONPATH': f'{ROOT}:{ROOT / "training"}',
             'MUJOCO_GL': 'disable'})


def test_command_writes_geometry_without_a_graphics_library(tmp_path):
    result = run('render', '--kind', 'corridor', '--frames', '4', '--seed', '5', '--size', '64x48',
                 '--out', str(tmp_path / 'frames'), '--geometry-only')
    assert result.returncode == 0, result.stderr
    names = sorted(path.name for path in (tmp_path / 'frames').iterdir())
    assert names == [f'{i:06d}.{suffix}' for i in range(4)
                     for suffix in ('depth.png', 'json', 'label.png')]


def test_command_says_how_to_get_a_graphics_library(tmp_path):
    result = run('render', '--kind', 'corridor', '--frames', '1', '--size', '64x48',
                 '--out', str(tmp_path / 'frames'))
    assert result.returncode == 1
    assert 'libosmesa6' in result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(('option', 'value', 'remedy'), [
    ('--size', '640by384', '640x384'), ('--size', '4000x3000', '32..1280'),
    ('--frames', '0', 'less than 1'), ('--seed', '-1', 'less than 0')])
def test_command_refuses_bad_options(tmp_path, option, value, remedy):
    result = run('render', '--kind', 'room', option, value, '--out', str(tmp_path))
    assert result.returncode == 2
    assert remedy in result.stderr
