"""A compiled scene: pose its camera and clock, ask which geom belongs to what."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.scene import Atmosphere
from deepsight_training.worlds.scene import CAMERA
from deepsight_training.worlds.scene import RIG
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import WorldError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WorldThing:
    """Object of a world with its box in its own frame (centre and full size, metres)."""

    id: int
    name: str
    scene_class: SceneClass
    body: int
    centre: Floats
    size: Floats


class World:
    """MuJoCo model and data of one layout, with class and object of every geom.

    ``geom_class`` [ngeom + 1] uint8 and ``geom_thing`` [ngeom + 1] int32 are indexed by geom id;
    their last entry (index -1) is the sky.
    """

    def __init__(self, builder: SceneBuilder, atmosphere: Atmosphere) -> None:
        try:
            self.model = builder.spec.compile()
        except ValueError as error:
            raise WorldError(f'MuJoCo rejects the scene: {error}') from error
        self.data = mujoco.MjData(self.model)
        self.atmosphere = atmosphere
        order = [self.model.geom(f'g{i}').id for i in range(len(builder.geom_class))]
        self.geom_class = np.full(self.model.ngeom + 1, SceneClass.SKY, np.uint8)
        self.geom_class[order] = builder.geom_class
        self.geom_thing = np.zeros(self.model.ngeom + 1, np.int32)
        self.geom_thing[order] = builder.geom_thing
        self._rig = int(self.model.body_mocapid[self.model.body(RIG).id])
        self._suns = np.flatnonzero(
            self.model.light_type == mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
        self._start = self.data.mocap_pos.copy()
        self._velocity = np.zeros_like(self._start)
        for thing in builder.things:
            body = self.model.body(thing.body.name).id
            if self.model.body_mocapid[body] >= 0:
                self._velocity[self.model.body_mocapid[body]] = thing.velocity
        mujoco.mj_forward(self.model, self.data)
        # The first thing is the ground: it has neither an id nor a box.
        self.geom_thing[self.geom_thing == 1] = 0
        self.things = tuple(
            self._boxed(thing.id, thing.name, thing.scene_class,
                        self.model.body(thing.body.name).id)
            for thing in builder.things[1:])

    def _boxed(self, identity: int, name: str, scene_class: SceneClass, body: int) -> WorldThing:
        """Return the object with the box of all its geoms in its body's frame."""
        first, count = self.model.body_geomadr[body], self.model.body_geomnum[body]
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        corners = [np.zeros((0, 3))]
        for geom in range(first, first + count):
            centre, half = self.model.geom_aabb[geom].reshape(2, 3)
            turn = np.zeros(9)
            mujoco.mju_quat2Mat(turn, self.model.geom_quat[geom])
            corners.append(self.model.geom_pos[geom] + (centre + signs * half)
                           @ turn.reshape(3, 3).T)
        points = np.concatenate(corners)
        if len(points) == 0:
            raise WorldError(f'object {name!r} has no geometry; give it at least one geom')
        low, high = points.min(0), points.max(0)
        return WorldThing(identity, name, scene_class, body, (low + high) / 2, high - low)

    def set_camera(self, camera_to_world: Floats, time: float = 0.0) -> None:
        """Place the camera (optical frame to world [4, 4]); move the traffic to ``time`` [s]."""
        self.data.mocap_pos[:] = self._start + time * self._velocity
        self.data.mocap_pos[self._rig] = camera_to_world[:3, 3]
        mujoco.mju_mat2Quat(self.data.mocap_quat[self._rig], camera_to_world[:3, :3].ravel())
        # Parallel light casts shadows inside a window around its position only.
        self.model.light_pos[self._suns] = (
            camera_to_world[:3, 3] + 12.0 * camera_to_world[:3, 2]
            - 40.0 * self.model.light_dir[self._suns])
        mujoco.mj_forward(self.model, self.data)

    def set_fov(self, vertical: float) -> None:
        """Set the vertical field of view [rad]."""
        self.model.cam_fovy[self.model.camera(CAMERA).id] = np.degrees(vertical)

    def pose(self, thing: WorldThing) -> Floats:
        """Object frame to world [4, 4]."""
        pose = np.eye(4)
        pose[:3, :3] = self.data.xmat[thing.body].reshape(3, 3)
        pose[:3, 3] = self.data.xpos[thing.body]
        return pose
