"""Collects geometry with its classes and objects and compiles it into a MuJoCo model.

World frame: x forward along the scene, y left, z up, ground at z = 0, metres (REP-103).
"""

from dataclasses import dataclass
from dataclasses import field
from typing import Final

import mujoco
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.meshes import Mesh
from deepsight_training.worlds.textures import Colour
from deepsight_training.worlds.textures import Image

Vector = npt.ArrayLike
CAMERA: Final = 'camera'
RIG: Final = 'rig'
"""Name of the movable body that carries the camera."""


class WorldError(ValueError):
    """A world cannot be built or rendered as asked."""


@dataclass(frozen=True)
class Material:
    """Finish of a surface: a named MuJoCo material, a colour, the size of its texture tile [m]."""

    name: str
    colour: Colour = (1.0, 1.0, 1.0)
    tile: tuple[float, float] = (1.0, 1.0)
    alpha: float = 1.0


@dataclass(frozen=True)
class Atmosphere:
    """Light and air of a scene, as the renderer and the sky need them."""

    sun_direction: tuple[float, float, float]
    """Unit vector along which the sun's light travels."""
    zenith: Colour = (0.25, 0.45, 0.8)
    horizon: Colour = (0.75, 0.82, 0.9)
    cloud_cover: float = 0.3
    """Share of the sky covered by clouds, 0..1."""
    visibility: float = 2000.0
    """Distance [m] at which haze hides all but 5 % of the contrast."""
    seed: int = 0


@dataclass
class Thing:
    """One object of a scene: a body with a class and an id; geoms are placed in its frame."""

    builder: 'SceneBuilder'
    id: int
    name: str
    scene_class: SceneClass
    body: 'mujoco.MjsBody'
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def _geom(self, shape: int, material: Material, **fields: object) -> None:
        self.builder.add_geom(self, self.scene_class, material, type=shape, **fields)

    def box(self, centre: Vector, size: Vector, material: Material, yaw: float = 0.0) -> None:
        """Box with full ``size`` around ``centre``."""
        self._geom(mujoco.mjtGeom.mjGEOM_BOX, material, pos=np.asarray(centre, float),
                   size=np.asarray(size, float) / 2, quat=yaw_quaternion(yaw))

    def cylinder(self, start: Vector, end: Vector, radius: float, material: Material) -> None:
        """Cylinder between two points."""
        self._geom(mujoco.mjtGeom.mjGEOM_CYLINDER, material,
                   fromto=np.r_[np.asarray(start, float), np.asarray(end, float)],
                   size=(radius, 0, 0))

    def capsule(self, start: Vector, end: Vector, radius: float, material: Material) -> None:
        """Cylinder with round ends."""
        self._geom(mujoco.mjtGeom.mjGEOM_CAPSULE, material,
                   fromto=np.r_[np.asarray(start, float), np.asarray(end, float)],
                   size=(radius, 0, 0))

    def ellipsoid(self, centre: Vector, size: Vector, material: Material) -> None:
        """Ellipsoid with full ``size``."""
        self._geom(mujoco.mjtGeom.mjGEOM_ELLIPSOID, material, pos=np.asarray(centre, float),
                   size=np.asarray(size, float) / 2)

    def mesh(self, mesh: Mesh | str, material: Material) -> None:
        """Mesh in the object's frame, or the name of one added before."""
        name = mesh if isinstance(mesh, str) else self.builder.add_mesh(mesh, material.tile)
        self._geom(mujoco.mjtGeom.mjGEOM_MESH, material, meshname=name)


def yaw_quaternion(yaw: float) -> tuple[float, float, float, float]:
    """Quaternion (w, x, y, z) of a rotation about z [rad]."""
    return float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))


@dataclass
class SceneBuilder:
    """Mutable scene: add materials, things and their geoms, then compile once."""

    spec: 'mujoco.MjsSpec' = field(default_factory=mujoco.MjSpec)
    things: list[Thing] = field(default_factory=list)
    geom_class: list[int] = field(default_factory=list)
    geom_thing: list[int] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.spec.stat.extent = 1.0
        self.spec.visual.map.znear = 0.05
        self.spec.visual.map.zfar = 700.0
        self.spec.visual.map.shadowclip = 45.0
        self.spec.visual.quality.shadowsize = 4096
        self.spec.visual.quality.offsamples = 0
        self.spec.visual.global_.offwidth = 2600
        self.spec.visual.global_.offheight = 1600
        self.spec.visual.headlight.active = 0
        rig = self.spec.worldbody.add_body(name=RIG, mocap=True)
        # The optical frame looks along z with y down, MuJoCo's camera along -z with y up.
        rig.add_camera(name=CAMERA, fovy=60.0, quat=(0.0, 1.0, 0.0, 0.0))
        self.thing('ground', SceneClass.TERRAIN, (0, 0, 0))

    def _name(self, prefix: str) -> str:
        self._count += 1
        return f'{prefix}{self._count}'

    def paint(self, colour: Colour, *, gloss: float = 0.0, emission: float = 0.0,
              alpha: float = 1.0) -> Material:
        """Return a plain coloured surface."""
        name = f'finish_{gloss:.2f}_{emission:.2f}'
        if self.spec.material(name) is None:
            self.spec.add_material(name=name, specular=gloss, shininess=0.3 + 0.6 * gloss,
                                   emission=emission)
        return Material(name, colour, alpha=alpha)

    def texture(self, image: Image, tile: float | tuple[float, float], *,
                gloss: float = 0.0, emission: float = 0.0) -> Material:
        """Return a surface with ``image`` repeated every ``tile`` metres (x, y)."""
        name = self._name('texture')
        height, width = image.shape[:2]
        texture = self.spec.add_texture(
            name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height,
            nchannel=image.shape[2])
        texture.data = np.ascontiguousarray(image).tobytes()
        material = self.spec.add_material(name=name, specular=gloss, shininess=0.5,
                                          emission=emission)
        slots = material.textures
        slots[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
        material.textures = slots
        size = tile if isinstance(tile, tuple) else (tile, tile)
        return Material(name, tile=size)

    def add_mesh(self, mesh: Mesh, tile: tuple[float, float] = (1.0, 1.0)) -> str:
        """Register a mesh and return its name; ``tile`` scales its texture coordinates."""
        name = self._name('mesh')
        asset = self.spec.add_mesh(name=name)
        asset.uservert = mesh.vertices.ravel()
        asset.usernormal = mesh.normals.ravel()
        asset.usertexcoord = (mesh.uv / tile).ravel()
        faces = mesh.faces.ravel()
        asset.userface = faces
        asset.userfacenormal = faces
        asset.userfacetexcoord = faces
        asset.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        return name

    def thing(self, name: str, scene_class: SceneClass, position: Vector, yaw: float = 0.0,
              velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Thing:
        """Add an object at ``position`` turned by ``yaw`` [rad] that moves with ``velocity``."""
        body = self.spec.worldbody.add_body(
            name=self._name('thing'), pos=np.asarray(position, float), quat=yaw_quaternion(yaw),
            mocap=any(velocity))
        thing = Thing(self, len(self.things) + 1, name, scene_class, body, velocity)
        self.things.append(thing)
        return thing

    def surface(self, mesh: Mesh, material: Material, scene_class: SceneClass) -> None:
        """Add part of the ground or of the shell that belongs to no object."""
        name = self.add_mesh(mesh, material.tile)
        self.add_geom(self.things[0], scene_class, material,
                      type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name)

    def add_geom(self, thing: Thing, scene_class: SceneClass, material: Material,
                 **fields: object) -> None:
        """Add one geom of ``thing``; the class may differ from the thing's."""
        thing.body.add_geom(
            name=f'g{len(self.geom_class)}', material=material.name, contype=0, conaffinity=0,
            rgba=(*material.colour, material.alpha), **fields)
        self.geom_class.append(int(scene_class))
        self.geom_thing.append(thing.id)

    def light(self, position: Vector, direction: Vector, diffuse: Vector, *,
              specular: float = 0.3, sun: bool = False,
              shadow: bool = False, attenuation: Vector = (1, 0, 0),
              cutoff: float = 90.0) -> None:
        """Add a light; ``sun``: parallel rays that follow the camera's position."""
        kind = mujoco.mjtLightType
        self.spec.worldbody.add_light(
            type=kind.mjLIGHT_DIRECTIONAL if sun else kind.mjLIGHT_SPOT,
            pos=np.asarray(position, float), dir=np.asarray(direction, float),
            diffuse=np.asarray(diffuse, float),
            specular=np.full(3, specular), castshadow=shadow,
            attenuation=np.asarray(attenuation, float), cutoff=cutoff, exponent=0.0)

    def ambient(self, level: float, tone: Colour = (1.0, 1.0, 1.0)) -> None:
        """Light that reaches every surface alike."""
        headlight = self.spec.visual.headlight
        headlight.active = 1
        headlight.ambient = level * np.asarray(tone)
        headlight.diffuse = headlight.specular = np.zeros(3)

    def daylight(self, sun: Vector, strength: float, sky: float, tone: Colour) -> None:
        """Sun and sky light from above, both with shadows, and weak light from the sides."""
        warm, blue = np.asarray(tone), np.array([0.92, 0.98, 1.08])
        self.ambient(0.55 * sky, (0.95, 0.99, 1.06))
        self.light((0, 0, 60), sun, strength * warm, sun=True, shadow=strength > 0.15)
        self.light((0, 0, 60), (0.15, 0.1, -1), 0.55 * sky * blue, sun=True, specular=0.0,
                   shadow=True)
        for direction, share in (((-0.6, -0.4, 0.15), 0.3), ((0.7, 0.5, 0.1), 0.22),
                                 ((0.3, -0.8, 0.2), 0.14)):
            self.light((0, 0, 60), direction, share * sky * warm, sun=True, specular=0.0)
