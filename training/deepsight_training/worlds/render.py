"""Pictures of a world with MuJoCo's OpenGL renderer (EGL or OSMesa), and depth and ids from it."""

from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from deepsight_training.worlds.raycast import Surfaces
from deepsight_training.worlds.scene import CAMERA
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.sky import sky_colours
from deepsight_training.worlds.viewpoint import Pinhole
from deepsight_training.worlds.world import World

OVERSAMPLING = 2
"""Pictures are rendered this many times larger and averaged, which smooths their edges."""


class Renderer:
    """Renders one world at one size; use as a context manager, since it holds a GL context."""

    def __init__(self, world: World, camera: Pinhole) -> None:
        self.world = world
        self.camera = camera
        fine = camera.scaled(OVERSAMPLING)
        try:
            self._fine = mujoco.Renderer(world.model, fine.height, fine.width)
            self._plain = mujoco.Renderer(world.model, camera.height, camera.width)
        except Exception as error:  # every GL platform raises its own kind
            raise WorldError(
                f'cannot open an OpenGL context ({error}); install libosmesa6 and set '
                'MUJOCO_GL=osmesa, or libegl1 and MUJOCO_GL=egl') from error
        world.set_fov(camera.vertical_fov)

    def __enter__(self) -> 'Renderer':
        return self

    def __exit__(self, *_: object) -> None:
        self._fine.close()
        self._plain.close()

    def _draw(self, renderer: mujoco.Renderer) -> npt.NDArray[Any]:
        renderer.update_scene(self.world.data, CAMERA)
        # Rays meet both sides of a surface; the picture must show both as well.
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = False
        return np.asarray(renderer.render())

    def colours(self, camera_to_world: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Linear picture [H, W, 3] in 0..1 of the present state, sky included."""
        picture = self._draw(self._fine).astype(np.float32) / 255.0
        self._fine.enable_segmentation_rendering()
        sky = self._draw(self._fine)[..., 0] < 0
        self._fine.disable_segmentation_rendering()
        if sky.any():
            fine = self.camera.scaled(OVERSAMPLING)
            rays = fine.rays()[sky] @ camera_to_world[:3, :3].T
            picture[sky] = sky_colours(self.world.atmosphere, rays)
        n = OVERSAMPLING
        blocks = picture.reshape(self.camera.height, n, self.camera.width, n, 3)
        return np.asarray(blocks.mean((1, 3)), np.float32)

    def surfaces(self) -> Surfaces:
        """Depth and geom ids of the present state from the rasterizer.

        Equal to :func:`cast` but for the facets of round things, and about twenty times faster.
        """
        self._plain.enable_segmentation_rendering()
        geoms = self._draw(self._plain)[..., 0].astype(np.int32)
        self._plain.disable_segmentation_rendering()
        self._plain.enable_depth_rendering()
        depth = self._draw(self._plain).astype(np.float32)
        self._plain.disable_depth_rendering()
        return Surfaces(np.where(geoms >= 0, depth, np.float32(np.inf)), geoms)
