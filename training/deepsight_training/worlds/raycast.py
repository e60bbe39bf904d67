"""Exact depth and labels by casting one ray per pixel; needs no graphics library."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from deepsight_training.worlds.viewpoint import Pinhole
from deepsight_training.worlds.world import World


@dataclass(frozen=True)
class Surfaces:
    """The first surface that every pixel's ray meets."""

    depth: npt.NDArray[np.float32]
    """[H, W] metres along the optical axis, +Inf for sky."""
    geoms: npt.NDArray[np.int32]
    """[H, W] geom id, -1 for sky."""


def cast(world: World, camera_to_world: npt.NDArray[np.float64], camera: Pinhole,
         limit: float = 600.0) -> Surfaces:
    """Cast the rays of ``camera`` at the world's present state, up to ``limit`` metres."""
    return cast_rays(world, camera_to_world, camera.rays(), limit)


def cast_rays(world: World, camera_to_world: npt.NDArray[np.float64],
              rays: npt.NDArray[np.floating], limit: float = 600.0) -> Surfaces:
    """Cast ``rays`` [H, W, 3] (optical frame, z = 1) of any pinhole camera."""
    shape = rays.shape[:2]
    flat = rays.reshape(-1, 3).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1)
    directions = (flat / lengths[:, None]) @ camera_to_world[:3, :3].T
    geoms = np.zeros(len(flat), np.int32)
    distances = np.zeros(len(flat))
    mujoco.mj_multiRay(world.model, world.data, camera_to_world[:3, 3].copy(),
                       directions.ravel(), None, True, -1, geoms, distances, None, len(flat),
                       limit)
    depth = np.where(geoms >= 0, distances / lengths, np.inf).astype(np.float32)
    return Surfaces(depth.reshape(shape), geoms.reshape(shape))
