"""Halls with things from everywhere: what a thing is must show in its shape, not in the place.

In the other layouts cars stand on streets and chairs in rooms, and a model that learns from these
alone knows a car by its street.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.furniture import FOOTPRINTS
from deepsight_training.worlds.interior import door
from deepsight_training.worlds.interior import INDOOR_AIR
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.plants import bush
from deepsight_training.worlds.plants import bush_model
from deepsight_training.worlds.room import empty_room
from deepsight_training.worlds.room import FloorPlan
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.street_furniture import bench
from deepsight_training.worlds.street_furniture import bollard
from deepsight_training.worlds.street_furniture import fence
from deepsight_training.worlds.vehicles import car
from deepsight_training.worlds.vehicles import parked_bicycle
from deepsight_training.worlds.world import World

Maker = Callable[[SceneBuilder, np.random.Generator, Floats, float], None]
MOST_KINDS: Final = 6
MOST_OF_A_KIND: Final = 8


def _furniture(name: str) -> tuple[Maker, float, float]:
    maker, deep, wide = FOOTPRINTS[name]

    def make(build: SceneBuilder, rng: np.random.Generator, position: Floats,
             yaw: float) -> None:
        maker(build.thing(name, SceneClass.STRUCTURE, position, yaw), rng)
    return make, deep, wide


def _car(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    car(build.thing('car', SceneClass.VEHICLE, position, yaw), rng)


def _fence(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    fence(build, rng, position, yaw, float(rng.uniform(1.5, 3.0)))


def _bush(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    bush(build, rng, bush_model(build, rng), position)


def _bollard(build: SceneBuilder, rng: np.random.Generator, position: Floats,
             yaw: float) -> None:
    bollard(build, rng, position)


_KINDS: Final[dict[str, tuple[Maker, float, float]]] = {
    **{name: _furniture(name) for name in FOOTPRINTS},
    'car': (_car, 5.0, 2.1), 'person': (pedestrian, 0.6, 0.6), 'bench': (bench, 0.7, 1.7),
    'bicycle': (parked_bicycle, 1.8, 0.6), 'fence': (_fence, 3.0, 0.4), 'bush': (_bush, 1.5, 1.5),
    'bollard': (_bollard, 0.3, 0.3)}
"""Maker and largest footprint (x, y) [m] of what stands in halls."""
_OFTEN: Final = ('shelf', 'car', 'chair', 'cabinet', 'pillar')


def build_hall(seed: int) -> tuple[World, FloorPlan]:
    """Build the hall of ``seed``: up to six kinds of things, alone or side by side."""
    rng = np.random.default_rng([seed, 10])
    build, plan = empty_room(rng, (7.0, 5.0, 2.3), (26.0, 17.0, 6.0), 3)
    door(build, rng, plan.shell, int(rng.integers(4)), 0.0)
    kinds = rng.choice([*_KINDS, 'pillar', *_OFTEN], int(rng.integers(3, MOST_KINDS + 1)))
    for kind in dict.fromkeys(kinds.tolist()):
        _place(build, rng, plan, kind, int(rng.integers(1, MOST_OF_A_KIND + 1)))
    return World(build, INDOOR_AIR), plan


def _pillar(build: SceneBuilder, rng: np.random.Generator, height: float) -> tuple[Maker, float]:
    """Maker of pillars up to a ceiling, all alike, and how wide they are."""
    wide, is_round = float(rng.uniform(0.2, 0.8)), rng.random() < 0.4
    material = build.paint((0.6, 0.6, 0.58))

    def make(build: SceneBuilder, rng: np.random.Generator, position: Floats,
             yaw: float) -> None:
        thing = build.thing('pole', SceneClass.STRUCTURE, position, yaw)
        if is_round:
            thing.cylinder((0, 0, 0), (0, 0, height), wide / 2, material)
        else:
            thing.box((0, 0, height / 2), (wide, wide, height), material)
    return make, wide


def _place(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan, kind: str,
           count: int) -> None:
    """Put up to ``count`` pieces down, each anywhere or beside the one before."""
    if kind == 'pillar':
        maker, deep = _pillar(build, rng, plan.shell.height)
        wide, gap = deep, float(rng.uniform(1.5, 6.0))
    else:
        maker, deep, wide = _KINDS[kind]
        gap = float(rng.exponential(0.4)) + 0.05
    x, y, yaw = 0.0, 0.0, 0.0
    together = float(rng.choice([0.0, 0.5, 0.9]))
    turned = rng.random() < 0.5
    for number in range(count):
        for attempt in range(6):
            if number and attempt == 0 and rng.random() < together:
                # Beside it along its front.
                x, y = x - np.sin(yaw) * (wide + gap), y + np.cos(yaw) * (wide + gap)
            else:
                x = float(rng.uniform(0.3, plan.shell.length - 0.3))
                y = float(rng.uniform(-.5, .5)) * (plan.shell.width - 0.6)
                yaw = float(rng.uniform(0, 2 * np.pi)) if turned else (
                    np.pi / 2 * float(rng.integers(4)))
            if plan.take_turned(x, y, deep, wide, yaw):
                maker(build, rng, np.array([x, y, 0.0]), yaw)
                break
