"""Rooms: living rooms, offices, kitchens, bedrooms and halls with furniture and people."""

from dataclasses import dataclass
from dataclasses import field

import mujoco
import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.furniture import FOOTPRINTS
from deepsight_training.worlds.interior import build_shell
from deepsight_training.worlds.interior import ceiling_lamps
from deepsight_training.worlds.interior import door
from deepsight_training.worlds.interior import INDOOR_AIR
from deepsight_training.worlds.interior import picture
from deepsight_training.worlds.interior import Shell
from deepsight_training.worlds.interior import window
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import quad
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.people import seated
from deepsight_training.worlds.plants import bush_model
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.textures import cloth
from deepsight_training.worlds.textures import vary
from deepsight_training.worlds.viewpoint import camera_pose
from deepsight_training.worlds.world import World


@dataclass
class FloorPlan:
    """Free and taken floor of an interior."""

    shell: Shell
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Rectangles (x low, y low, x high, y high) [m]."""

    def free(self, x: float, y: float, half_x: float, half_y: float) -> bool:
        """Whether a rectangle lies inside the walls and touches nothing."""
        shell = self.shell
        if not (half_x <= x <= shell.length - half_x and
                abs(y) <= shell.width / 2 - half_y):
            return False
        return all(x + half_x < a or x - half_x > c or y + half_y < b or y - half_y > d
                   for a, b, c, d in self.taken)

    def take(self, x: float, y: float, half_x: float, half_y: float) -> bool:
        """Reserve a rectangle when it is free."""
        if not self.free(x, y, half_x, half_y):
            return False
        self.taken.append((x - half_x, y - half_y, x + half_x, y + half_y))
        return True

    def take_turned(self, x: float, y: float, deep: float, wide: float, yaw: float) -> bool:
        """Reserve the rectangle around a footprint that is turned by ``yaw``, when it is free."""
        c, s = abs(np.cos(yaw)), abs(np.sin(yaw))
        return self.take(x, y, (c * deep + s * wide) / 2, (s * deep + c * wide) / 2)


def empty_room(
    rng: np.random.Generator, smallest: tuple[float, float, float],
    largest: tuple[float, float, float], lamps: int,
) -> tuple[SceneBuilder, FloorPlan]:
    """Shell between two sizes (length, width, height) [m] with lamps and a free floor."""
    build = SceneBuilder()
    length, width, height = (float(v) for v in rng.uniform(smallest, largest))
    plan = FloorPlan(Shell(length, width, height))
    build_shell(build, rng, plan.shell)
    ceiling_lamps(build, rng, plan.shell, lamps, 0.7)
    return build, plan


STYLES: dict[str, tuple[str, ...]] = {
    'living': ('sofa', 'shelf', 'cabinet', 'sofa', 'cabinet', 'shelf', 'boxes'),
    'office': ('table', 'shelf', 'cabinet', 'table', 'shelf', 'bin', 'table'),
    'kitchen': ('counter', 'counter', 'cabinet', 'bin', 'shelf'),
    'bedroom': ('bed', 'cabinet', 'shelf', 'chair', 'cabinet'),
    'hall': ('shelf', 'boxes', 'boxes', 'cabinet', 'table', 'boxes', 'shelf')}
"""Pieces that stand along the walls."""


def _along_walls(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan,
                 pieces: tuple[str, ...]) -> None:
    for name in pieces:
        maker, deep, wide = FOOTPRINTS[name]
        for _ in range(6):
            index = int(rng.integers(4))
            room = plan.shell.wall(index)[2] - wide
            if room <= 0:
                continue
            place, yaw = plan.shell.on_wall(index, float(rng.uniform(-.5, .5)) * room,
                                            deep / 2 + 0.03)
            half = (deep / 2, wide / 2) if index % 2 == 0 else (wide / 2, deep / 2)
            if plan.take(float(place[0]), float(place[1]), *half):
                maker(build.thing(name, SceneClass.STRUCTURE, place, yaw), rng)
                break


def _in_the_middle(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan,
                   groups: int) -> None:
    """Tables with chairs and people, rugs, lone pieces."""
    shell = plan.shell
    for _ in range(groups):
        x = float(rng.uniform(1.2, shell.length - 1.2))
        y = float(rng.uniform(-1, 1)) * max(shell.width / 2 - 1.2, 0.1)
        if not plan.take(x, y, 1.0, 1.2):
            continue
        if rng.random() < 0.4:
            rug = quad(((x - 1.2, y - .9, .004), (x + 1.2, y - .9, .004), (x + 1.2, y + .9, .004),
                        (x - 1.2, y + .9, .004)))
            build.surface(rug, build.texture(cloth(rng, vary(rng, (.5, .4, .38), .4)), 1.2),
                          SceneClass.TERRAIN)
        name = str(rng.choice(['table', 'table', 'coffee table']))
        FOOTPRINTS[name][0](build.thing(name, SceneClass.STRUCTURE, (x, y, 0)), rng)
        for side in (-1.0, 1.0):
            for along in (-0.4, 0.4):
                if rng.random() < 0.7 and name == 'table':
                    yaw = (0.0 if side < 0 else np.pi) + float(rng.normal(0, 0.2))
                    place = np.array([x + side * rng.uniform(.55, .75), y + along, 0.0])
                    FOOTPRINTS['chair'][0](
                        build.thing('chair', SceneClass.STRUCTURE, place, yaw), rng)
                    if rng.random() < 0.25:
                        seated(build, rng, place, yaw)


def build_room(seed: int, style: str | None = None) -> tuple[World, FloorPlan]:
    """Build the room of ``seed``."""
    rng = np.random.default_rng([seed, 3])
    build = SceneBuilder()
    drawn = str(rng.choice(list(STYLES)))
    style = style or drawn
    low, high = ((8.0, 6.0, 3.0), (16.0, 11.0, 4.5)) if style == 'hall' else (
        (3.6, 3.0, 2.35), (8.5, 6.0, 3.0))
    length, width, height = (float(v) for v in rng.uniform(low, high))
    plan = FloorPlan(Shell(length, width, height))
    build_shell(build, rng, plan.shell)
    ceiling_lamps(build, rng, plan.shell, 1 + (length > 6) + (length > 11),
                  float(rng.uniform(0.55, 0.85)))
    _openings(build, rng, plan)
    _along_walls(build, rng, plan, STYLES[style])
    _in_the_middle(build, rng, plan, int(rng.integers(1, 3 + int(length * width / 12))))
    shrub = bush_model(build, rng)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0.5, length - 0.5), rng.uniform(-.5, .5) * (width - 1.0)
        if not plan.take(float(x), float(y), 0.35, 0.35):
            continue
        kind = int(rng.integers(4))
        if kind == 0:
            pedestrian(build, rng, np.array([x, y, 0.0]), float(rng.uniform(0, 6.28)))
        elif kind == 1:
            clay = build.paint(vary(rng, (.6, .4, .3), .3))
            plant = build.thing('plant', SceneClass.STRUCTURE, (x, y, 0),
                                float(rng.uniform(0, 6.28)))
            plant.cylinder((0, 0, 0), (0, 0, 0.35), 0.2, clay)
            build.add_geom(plant, SceneClass.VEGETATION, shrub[1], pos=(0, 0, 0.3),
                           type=mujoco.mjtGeom.mjGEOM_MESH, meshname=shrub[0])
        else:
            name = ('boxes', 'chair')[kind - 2]
            FOOTPRINTS[name][0](build.thing(name, SceneClass.STRUCTURE, (x, y, 0),
                                            float(rng.uniform(0, 6.28))), rng)
    return World(build, INDOOR_AIR), plan


def _openings(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan) -> None:
    """Doors with free floor before them, windows and pictures."""
    shell = plan.shell
    walls = rng.permutation(4)
    for index in walls[:int(rng.integers(1, 3))]:
        along = float(rng.uniform(-.5, .5)) * (shell.wall(int(index))[2] - 1.4)
        door(build, rng, shell, int(index), along)
        place, _ = shell.on_wall(int(index), along, 0.5)
        plan.take(float(place[0]), float(place[1]), 0.5, 0.5)
    for index in walls[2:2 + int(rng.integers(1, 3))]:
        wide = min(float(rng.uniform(0.9, 2.6)), shell.wall(int(index))[2] - 0.8)
        room = shell.wall(int(index))[2] - wide - 0.4
        window(build, rng, shell, int(index), float(rng.uniform(-.5, .5)) * room, wide)
    for _ in range(int(rng.integers(0, 6))):
        index = int(rng.integers(4))
        picture(build, rng, shell, index,
                float(rng.uniform(-.5, .5)) * (shell.wall(index)[2] - 1.5))


def room_camera(rng: np.random.Generator, plan: FloorPlan) -> Floats:
    """Draw a camera on a robot (low, level) or in a hand (higher, looking down)."""
    shell = plan.shell
    x = y = 0.0
    for _ in range(50):
        x = float(rng.uniform(0.3, shell.length - 0.3))
        y = float(rng.uniform(-.5, .5)) * (shell.width - 0.6)
        if plan.free(x, y, 0.25, 0.25):
            break
    toward = np.arctan2(-y, shell.length / 2 - x)
    yaw = float(toward + rng.normal(0, 0.8))
    if rng.random() < 0.55:
        return camera_pose((x, y, float(rng.uniform(0.2, 1.0))), yaw,
                           float(rng.normal(0.02, 0.06)), float(rng.normal(0, 0.015)))
    return camera_pose((x, y, float(rng.uniform(1.0, 1.8))), yaw, float(rng.uniform(0.0, 0.7)),
                       float(rng.normal(0, 0.05)))
