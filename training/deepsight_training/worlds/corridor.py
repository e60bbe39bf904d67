"""Corridors with doors, notice boards, benches, boxes, plants and people."""

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
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.room import FloorPlan
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.textures import vary
from deepsight_training.worlds.viewpoint import camera_pose
from deepsight_training.worlds.world import World


def build_corridor(seed: int) -> tuple[World, FloorPlan]:
    """Build the corridor of ``seed`` along +x."""
    rng = np.random.default_rng([seed, 4])
    build = SceneBuilder()
    length, width, height = (float(v) for v in rng.uniform((9.0, 1.5, 2.3), (28.0, 3.6, 3.2)))
    plan = FloorPlan(Shell(length, width, height))
    build_shell(build, rng, plan.shell)
    ceiling_lamps(build, rng, plan.shell, min(2 + int(length / 6), 5),
                  float(rng.uniform(0.45, 0.7)))
    for index in (1, 3):
        for x in np.arange(rng.uniform(1.0, 3.0), length - 1.0, rng.uniform(2.2, 5.0)):
            along = (x - length / 2) * (1.0 if index == 1 else -1.0)
            if rng.random() < 0.75:
                door(build, rng, plan.shell, index, float(along))
            elif rng.random() < 0.6:
                picture(build, rng, plan.shell, index, float(along))
    if rng.random() < 0.5:
        window(build, rng, plan.shell, 2, 0.0, min(width - 0.3, 1.8))
    else:
        door(build, rng, plan.shell, 2, 0.0)
    _clutter(build, rng, plan)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(2.0, length - 1.0), rng.uniform(-.5, .5) * (width - 0.8)
        if plan.take(float(x), float(y), 0.3, 0.3):
            yaw = float(rng.choice([0, np.pi])) + float(rng.normal(0, 0.4))
            pedestrian(build, rng, np.array([x, y, 0.0]), yaw)
    return World(build, INDOOR_AIR), plan


def _clutter(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan) -> None:
    """Shallow things along the walls, such that a way stays free."""
    shell = plan.shell
    for _ in range(int(rng.integers(1, 7))):
        index = int(rng.choice([1, 3]))
        names = ['boxes', 'bin', 'chair'] + (['cabinet', 'shelf'] if shell.width > 2.0 else [])
        name = str(rng.choice(names))
        maker, deep, wide = FOOTPRINTS[name]
        place, yaw = shell.on_wall(index, float(rng.uniform(-.5, .5)) * (shell.length - 2.0),
                                   deep / 2 + 0.03)
        if plan.take(float(place[0]), float(place[1]), wide / 2, deep / 2):
            maker(build.thing(name, SceneClass.STRUCTURE, place, yaw), rng)
    if rng.random() < 0.5:
        place, yaw = shell.on_wall(1, float(rng.uniform(-.4, .4)) * shell.length, 0.08)
        thing = build.thing('extinguisher', SceneClass.STRUCTURE, place, yaw)
        thing.capsule((0, 0, 0.55), (0, 0, 0.95), 0.07, build.paint(vary(rng, (.7, .06, .05))))


def corridor_camera(rng: np.random.Generator, plan: FloorPlan) -> Floats:
    """Draw a robot's camera that looks along the corridor, at times across it."""
    shell = plan.shell
    x = y = 0.0
    for _ in range(50):
        x = float(rng.uniform(0.4, 0.85 * shell.length))
        y = float(rng.uniform(-.5, .5)) * (shell.width - 0.7)
        if plan.free(x, y, 0.25, 0.25):
            break
    back = x > shell.length / 2 and rng.random() < 0.6
    yaw = (np.pi if back else 0.0) + float(rng.normal(0, 0.6 if rng.random() < 0.2 else 0.15))
    return camera_pose((x, y, float(rng.uniform(0.2, 1.7))), yaw, float(rng.normal(0.04, 0.08)),
                       float(rng.normal(0, 0.02)))
