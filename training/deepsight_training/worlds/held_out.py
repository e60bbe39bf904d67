"""Layouts that nothing trains on: class rooms, warehouses, car parks, wards and markets.

They hold the things of the other layouts in arrangements of their own. Wards and markets were
built when the training data were complete; what the others showed helped to choose them.
"""

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.interior import door
from deepsight_training.worlds.interior import INDOOR_AIR
from deepsight_training.worlds.interior import Shell
from deepsight_training.worlds.interior import window
from deepsight_training.worlds.meshes import grid
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.room import empty_room
from deepsight_training.worlds.room import FloorPlan
from deepsight_training.worlds.scatter import place
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.street_furniture import bench
from deepsight_training.worlds.textures import asphalt
from deepsight_training.worlds.vehicles import car
from deepsight_training.worlds.world import World


def _strew(build: SceneBuilder, rng: np.random.Generator, plan: FloorPlan, kind: str, count: int,
           within: tuple[float, float]) -> None:
    """Put up to ``count`` pieces down anywhere.

    ``within`` is the free margin at both ends [m] and the largest share of the width off the axis.
    """
    (margin, aside), shell = within, plan.shell
    for _ in range(count):
        place(build, rng, plan, kind, float(rng.uniform(margin, shell.length - margin)),
              float(rng.uniform(-aside, aside)) * shell.width, float(rng.uniform(0, 6.28)))


def build_classroom(seed: int) -> tuple[World, FloorPlan]:
    """Rows of tables with one or two chairs behind each, a cabinet, a few people."""
    rng = np.random.default_rng([seed, 6])
    build, plan = empty_room(rng, (6.5, 5.0, 2.6), (11.0, 8.5, 3.5), 3)
    shell = plan.shell
    for along in np.arange(-shell.length / 2 + 1.2, shell.length / 2 - 1.0, 2.4):
        window(build, rng, shell, 1, float(along), 1.6)
    door(build, rng, shell, 3, -shell.length / 2 + 1.5)
    step, aisle = rng.uniform((1.6, 2.2), (2.3, 2.8))
    for x in np.arange(2.2, shell.length - 1.5, step):
        for y in np.arange(-shell.width / 2 + 1.3, shell.width / 2 - 1.2, aisle):
            if rng.random() < 0.85 and place(build, rng, plan, 'table', float(x), float(y), np.pi):
                for side in (-0.4, 0.4):
                    if rng.random() < 0.6:
                        place(build, rng, plan, 'chair', float(x) + 0.75, float(y) + side, np.pi)
    place(build, rng, plan, 'cabinet', 0.4, shell.width / 2 - 1.2, 0.0)
    _strew(build, rng, plan, 'person', int(rng.integers(0, 4)), (0.6, 0.4))
    return World(build, INDOOR_AIR), plan


def build_warehouse(seed: int) -> tuple[World, FloorPlan]:
    """Long rows of shelves with aisles between them, boxes and people in the aisles."""
    rng = np.random.default_rng([seed, 7])
    build, plan = empty_room(rng, (12.0, 8.0, 3.5), (24.0, 16.0, 6.0), 4)
    shell = plan.shell
    door(build, rng, shell, 0, 0.0)
    for y in np.arange(-shell.width / 2 + 1.5, shell.width / 2 - 1.0, rng.uniform(2.4, 3.6)):
        for x in np.arange(2.5, shell.length - 2.0, 1.45):
            if rng.random() < 0.9:
                place(build, rng, plan, 'shelf', float(x), float(y),
                      np.pi / 2 * float(rng.choice([-1, 1])))
    for kind, most in (('boxes', 7), ('bin', 3), ('person', 4)):
        _strew(build, rng, plan, kind, int(rng.integers(0, most)), (1.0, 0.45))
    return World(build, INDOOR_AIR), plan


def build_car_park(seed: int) -> tuple[World, FloorPlan]:
    """Two rows of cars under a low ceiling on pillars, people between them."""
    rng = np.random.default_rng([seed, 8])
    build = SceneBuilder()
    plan = FloorPlan(Shell(float(rng.uniform(22, 40)), float(rng.uniform(15, 18)),
                           float(rng.uniform(2.4, 3.2))))
    shell = plan.shell
    x, y, z = shell.length, shell.width / 2, shell.height
    floor = build.texture(asphalt(rng), 4.0)
    build.surface(grid(((0, -y, 0), (x, -y, 0), (x, y, 0), (0, y, 0)), 2.0), floor,
                  SceneClass.ROAD)
    grey = build.paint((0.6, 0.6, 0.58))
    build.surface(grid(((0, y, z), (x, y, z), (x, -y, z), (0, -y, z)), 2.0), grey,
                  SceneClass.STRUCTURE)
    for a, b in (((0, y), (0, -y)), ((x, y), (0, y)), ((x, -y), (x, y)), ((0, -y), (x, -y))):
        build.surface(grid(((*a, 0), (*b, 0), (*b, z), (*a, z)), 2.0), grey, SceneClass.STRUCTURE)
    build.ambient(0.6)
    for side in (-1.0, 1.0):
        for along in np.arange(1.6, x - 1.5, float(rng.uniform(2.5, 2.9))):
            if rng.random() < 0.6 and plan.take(float(along), side * (y - 2.7), 1.0, 2.5):
                yaw = side * np.pi / 2 * float(rng.choice([-1, 1]))
                car(build.thing('car', SceneClass.VEHICLE, (along, side * (y - 2.7), 0), yaw), rng)
    for along in np.arange(5.0, x - 3.0, 7.5):
        for side in (-1.0, 1.0):
            pillar = build.thing('pole', SceneClass.STRUCTURE, (along, side * (y - 5.6), 0))
            pillar.box((0, 0, z / 2), (0.4, 0.4, z), grey)
            plan.take(float(along), side * (y - 5.6), 0.3, 0.3)
    for _ in range(int(rng.integers(0, 5))):
        px, py = float(rng.uniform(2, x - 2)), float(rng.uniform(-.3, .3)) * shell.width
        if plan.take(px, py, 0.3, 0.3):
            pedestrian(build, rng, np.array([px, py, 0.0]), float(rng.uniform(0, 6.28)))
    return World(build, INDOOR_AIR), plan


def build_ward(seed: int) -> tuple[World, FloorPlan]:
    """Beds along both long walls, chairs and bins between them, a desk at the end, people."""
    rng = np.random.default_rng([seed, 13])
    build, plan = empty_room(rng, (9.0, 6.8, 2.6), (18.0, 9.0, 3.6), 3)
    shell = plan.shell
    door(build, rng, shell, 0, 0.0)
    step = float(rng.uniform(2.4, 3.2))
    for index in (1, 3):
        for along in np.arange(-shell.length / 2 + 1.6, shell.length / 2 - 2.2, step):
            (x, y, _), yaw = shell.on_wall(index, float(along), 1.1)
            if rng.random() < 0.85:
                place(build, rng, plan, 'bed', float(x), float(y), yaw)
            (x, y, _), yaw = shell.on_wall(index, float(along) + step / 2, 0.4)
            if rng.random() < 0.6:
                place(build, rng, plan, str(rng.choice(['chair', 'chair', 'bin'])), float(x),
                      float(y), yaw)
    place(build, rng, plan, 'table', shell.length - 1.0, 0.0, np.pi)
    _strew(build, rng, plan, 'person', int(rng.integers(0, 5)), (1.0, 0.15))
    return World(build, INDOOR_AIR), plan


def build_market(seed: int) -> tuple[World, FloorPlan]:
    """Blocks of stalls (tables with boxes around them), benches at the walls, many people."""
    rng = np.random.default_rng([seed, 14])
    build, plan = empty_room(rng, (12.0, 9.0, 3.2), (22.0, 15.0, 6.0), 4)
    shell = plan.shell
    door(build, rng, shell, 0, 0.0)
    for x in np.arange(3.0, shell.length - 2.0, float(rng.uniform(3.5, 4.5))):
        for y in np.arange(-shell.width / 2 + 2.0, shell.width / 2 - 1.5, 3.4):
            if rng.random() < 0.8:
                place(build, rng, plan, 'table', float(x), float(y), 0.0)
            for _ in range(int(rng.integers(0, 3))):
                place(build, rng, plan, 'boxes', float(x + rng.uniform(-1.4, 1.4)),
                      float(y + rng.uniform(-1.5, 1.5)), float(rng.uniform(0, 6.28)))
    for index in (1, 3):
        for along in np.arange(-shell.length / 2 + 2, shell.length / 2 - 2, 3.5):
            position, yaw = shell.on_wall(index, float(along), 0.4)
            if rng.random() < 0.4 and plan.take(float(position[0]), float(position[1]), 0.9, 0.4):
                bench(build, rng, position, yaw)
    for kind, most in (('person', 10), ('bin', 4)):
        _strew(build, rng, plan, kind, int(rng.integers(1, most)), (1.0, 0.45))
    return World(build, INDOOR_AIR), plan
