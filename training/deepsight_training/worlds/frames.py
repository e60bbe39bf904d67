"""One rendered frame with everything that is known about it, and its files."""

from dataclasses import dataclass
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.raycast import Surfaces
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.viewpoint import Pinhole
from deepsight_training.worlds.world import World

Floats = npt.NDArray[np.float64]
DEPTH_UNIT = 256.0
"""Stored depth = metres * 256 as uint16 (KITTI's convention), 0 where there is none or sky."""


@dataclass(frozen=True)
class WorldObject:
    """An object that is visible in a frame."""

    id: int
    name: str
    scene_class: SceneClass
    pixels: int
    """Number of visible pixels."""
    box_2d: tuple[int, int, int, int]
    """Visible part: left, top, right, bottom pixel, all inclusive."""
    centre: Floats
    """Centre of the 3D box in the camera's optical frame [3], metres."""
    size: Floats
    """Full size of the 3D box along its own axes [3], metres; x is the object's front."""
    rotation: Floats
    """Box axes in the camera's optical frame [3, 3] (columns)."""


@dataclass(frozen=True)
class WorldFrame:
    """A picture of a world with its exact truth. Shapes are [H, W] unless stated."""

    rgb: npt.NDArray[np.uint8] | None
    """[H, W, 3], or None where only geometry was asked for."""
    depth: npt.NDArray[np.float32]
    """Metres along the optical axis, +Inf for sky."""
    labels: npt.NDArray[np.uint8]
    """:class:`SceneClass` ids."""
    instances: npt.NDArray[np.int32]
    """Object ids, 0 for ground, shell and sky."""
    objects: tuple[WorldObject, ...]
    camera: Pinhole
    camera_to_world: Floats
    """Optical frame to world [4, 4]."""

    @property
    def gravity(self) -> Floats:
        """Unit vector down, in the camera's optical frame [3]."""
        return np.asarray(-self.camera_to_world[2, :3])

    @property
    def height(self) -> float:
        """Height of the camera above z = 0 [m]."""
        return float(self.camera_to_world[2, 3])


def make_frame(world: World, surfaces: Surfaces, camera: Pinhole, camera_to_world: Floats,
               rgb: npt.NDArray[np.uint8] | None) -> WorldFrame:
    """Combine the surfaces seen and the picture into a frame."""
    instances = world.geom_thing[surfaces.geoms]
    world_to_camera = np.linalg.inv(camera_to_world)
    objects = []
    for thing in world.things:
        rows, columns = np.nonzero(instances == thing.id)
        if len(rows) == 0:
            continue
        pose = world_to_camera @ world.pose(thing)
        objects.append(WorldObject(
            thing.id, thing.name, thing.scene_class, len(rows),
            (int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())),
            pose[:3, :3] @ thing.centre + pose[:3, 3], thing.size, pose[:3, :3]))
    return WorldFrame(rgb, surfaces.depth, world.geom_class[surfaces.geoms], instances,
                      tuple(objects), camera, camera_to_world)


def save_frame(frame: WorldFrame, stem: Path, quality: int = 92) -> None:
    """Write ``stem`` + .jpg, .label.png, .depth.png and .json."""
    written = [
        cv2.imwrite(f'{stem}.label.png', frame.labels),
        cv2.imwrite(f'{stem}.depth.png', encode_depth(frame.depth))]
    if frame.rgb is not None:
        written.append(cv2.imwrite(f'{stem}.jpg', frame.rgb[..., ::-1],
                                   [cv2.IMWRITE_JPEG_QUALITY, quality]))
    if not all(written):
        raise WorldError(f'cannot write {stem}.*; check that the folder exists and has space')
    Path(f'{stem}.json').write_text(json.dumps(describe(frame), indent=1) + '\n', 'utf8')


def encode_depth(depth: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Depth as uint16 (metres * 256); what does not fit or is sky becomes 0."""
    stored = np.where(np.isfinite(depth), depth, 0.0) * DEPTH_UNIT + 0.5
    return np.asarray(np.where(stored < 65536, stored, 0), np.uint16)


def describe(frame: WorldFrame) -> dict[str, object]:
    """Return everything about a frame but its images, for JSON; lengths in metres."""
    return {
        'width': frame.camera.width, 'height': frame.camera.height,
        'K': frame.camera.matrix.ravel().tolist(),
        'camera_to_world': np.round(frame.camera_to_world, 9).ravel().tolist(),
        'gravity': np.round(frame.gravity, 9).tolist(),
        'camera_height': frame.height,
        'objects': [{
            'id': thing.id, 'name': thing.name, 'class': thing.scene_class.name,
            'pixels': thing.pixels, 'box_2d': list(thing.box_2d),
            'centre': np.round(thing.centre, 4).tolist(),
            'size': np.round(thing.size, 4).tolist(),
            'rotation': np.round(thing.rotation, 6).ravel().tolist(),
        } for thing in frame.objects]}
