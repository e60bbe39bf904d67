"""Worlds with OpenGL: the picture's own depth and ids agree with ray casting."""

from deepsight_training.worlds.corridor import build_corridor
from deepsight_training.worlds.corridor import corridor_camera
from deepsight_training.worlds.generate import layout_frames
from deepsight_training.worlds.raycast import cast
from deepsight_training.worlds.render import Renderer
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.sky import sky_colours
from deepsight_training.worlds.street import build_street
from deepsight_training.worlds.street import street_camera
from deepsight_training.worlds.viewpoint import Pinhole
import numpy as np
import pytest

from deepsight_ros.geometry.scene_classes import SceneClass

CAMERA = Pinhole.from_fov(160, 96, 1.3)


@pytest.fixture(scope='module', autouse=True)
def graphics() -> None:
    """Skip where no OpenGL context can be made."""
    world, _ = build_corridor(0)
    try:
        Renderer(world, CAMERA).__exit__()
    except WorldError as error:
        pytest.skip(f'pictures need OpenGL: {error}')


@pytest.mark.parametrize('kind', ['street', 'corridor'])
def test_rasterizer_agrees_with_rays(kind):
    rng = np.random.default_rng(4)
    if kind == 'street':
        world, line, plan = build_street(4)
        pose = street_camera(rng, line, plan)
    else:
        world, plan = build_corridor(4)
        pose = corridor_camera(rng, plan)
    world.set_camera(pose)
    rays = cast(world, pose, CAMERA)
    with Renderer(world, CAMERA) as renderer:
        drawn = renderer.surfaces()
    same = drawn.geoms == rays.geoms
    assert same.mean() > 0.995
    assert np.mean(world.geom_class[drawn.geoms] == world.geom_class[rays.geoms]) > 0.998
    hit = same & (rays.geoms >= 0)
    error = np.abs(drawn.depth[hit] - rays.depth[hit]) / rays.depth[hit]
    # Spheres and capsules are drawn as facets: a few pixels differ by more.
    assert np.median(error) < 1e-5
    assert np.percentile(error, 95) < 1e-3


def test_picture_shows_the_labelled_sky():
    world, line, plan = build_street(6)
    pose = street_camera(np.random.default_rng(6), line, plan)
    world.set_camera(pose)
    with Renderer(world, CAMERA) as renderer:
        picture = renderer.colours(pose)
        sky = world.geom_class[renderer.surfaces().geoms] == SceneClass.SKY
    assert picture.shape == (96, 160, 3)
    assert 0.0 <= picture.min() <= picture.max() <= 1.0
    assert sky.mean() > 0.05
    rays = CAMERA.rays()[sky] @ pose[:3, :3].T
    difference = np.abs(picture[sky] - sky_colours(world.atmosphere, rays)).max(1)
    # Pixels on an outline mix sky and foreground.
    assert np.median(difference) < 0.02


def test_frames_are_photographs():
    first, *_ = layout_frames('room', 2, (160, 96))
    again, *_ = layout_frames('room', 2, (160, 96))
    assert first.rgb.dtype == np.uint8
    assert first.rgb.shape == (96, 160, 3)
    assert first.rgb.std() > 15
    np.testing.assert_array_equal(first.rgb, again.rgb)
