"""Rooms with many pieces of few kinds at random places: for counting, and cheap to vary."""

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.furniture import FOOTPRINTS
from deepsight_training.worlds.interior import door
from deepsight_training.worlds.interior import INDOOR_AIR
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.room import empty_room
from deepsight_training.worlds.room import FloorPlan
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.world import World

KINDS = ('table', 'chair', 'sofa', 'shelf', 'cabinet', 'bed', 'boxes', 'bin', 'person')


def place(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan, kind: str,
          x: float, y: float, yaw: float) -> bool:
    """Put a piece of furniture or a person down where the floor is free."""
    if kind == 'person':
        if not plan.take(x, y, 0.3, 0.3):
            return False
        pedestrian(build, rng, np.array([x, y, 0.0]), yaw)
        return True
    maker, deep, wide = FOOTPRINTS[kind]
    if not plan.take_turned(x, y, deep, wide, yaw):
        return False
    maker(build.thing(kind, SceneClass.STRUCTURE, (x, y, 0), yaw), rng)
    return True


def build_scatter(seed: int) -> tuple[World, FloorPlan]:
    """Build the room of ``seed``: up to seven pieces of each of one to five kinds."""
    rng = np.random.default_rng([seed, 5])
    return _room(rng, rng.permutation(KINDS)[:int(rng.integers(1, 6))], 1,
                 (4.0, 3.5, 2.3), (12.0, 10.0, 4.0))


def build_crowd(seed: int) -> tuple[World, FloorPlan]:
    """Build the hall of ``seed``: three to nine pieces of one or two small kinds."""
    rng = np.random.default_rng([seed, 9])
    small = ('chair', 'person', 'boxes', 'bin', 'table')
    return _room(rng, rng.permutation(small)[:int(rng.integers(1, 3))], 3,
                 (7.0, 5.0, 2.6), (12.0, 9.0, 4.0))


def _room(rng: np.random.Generator, kinds: np.ndarray, fewest: int,
          smallest: tuple[float, float, float],
          largest: tuple[float, float, float]) -> tuple[World, FloorPlan]:
    """Scatter ``fewest`` pieces or up to six more of each kind over the floor of a room."""
    build, plan = empty_room(rng, smallest, largest, 2)
    door(build, rng, plan.shell, int(rng.integers(4)), 0.0)
    for kind in kinds:
        for _ in range(int(rng.integers(fewest, fewest + 7))):
            for _ in range(4):
                x = rng.uniform(0.3, plan.shell.length - 0.3)
                y = rng.uniform(-.5, .5) * (plan.shell.width - 0.6)
                if place(build, rng, plan, str(kind), float(x), float(y),
                         float(rng.uniform(0, 2 * np.pi))):
                    break
    return World(build, INDOOR_AIR), plan
