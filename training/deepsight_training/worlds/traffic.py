"""What stands and moves on a street: parked and driving vehicles, riders, people."""

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import grid
from deepsight_training.worlds.people import cyclist
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.road import CentreLine
from deepsight_training.worlds.road import StreetPlan
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.vehicles import bus
from deepsight_training.worlds.vehicles import car
from deepsight_training.worlds.vehicles import parked_bicycle
from deepsight_training.worlds.vehicles import truck


def contact_shadow(build: SceneBuilder, position: Floats, yaw: float,
                   size: tuple[float, float]) -> None:
    """Darken the road under a vehicle; thin sheets that belong to the road."""
    c, s = np.cos(yaw), np.sin(yaw)
    dark = build.paint((0.0, 0.0, 0.0), alpha=0.28)
    for layer, grow in enumerate((-0.25, 0.0, 0.3)):
        x, y = size[0] / 2 + grow, size[1] / 2 + grow
        corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]]) @ np.array([[c, s], [-s, c]])
        sheet = np.column_stack([corners + position[:2], np.full(4, 0.0021 + 3e-4 * layer)])
        build.surface(grid(sheet, 9.0), dark, SceneClass.ROAD)


def vehicle(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float,
            kind: str, speed: float = 0.0) -> float:
    """Add a car, truck or bus that drives at ``speed`` [m/s]; returns its length [m]."""
    velocity = (speed * float(np.cos(yaw)), speed * float(np.sin(yaw)), 0.0)
    thing = build.thing(kind, SceneClass.VEHICLE, position, yaw, velocity)
    length = {'car': car, 'truck': truck, 'bus': bus}[kind](thing, rng)
    if not speed:
        contact_shadow(build, position, yaw, (length, 1.7 if kind == 'car' else 2.3))
    return length


def _kind(rng: np.random.Generator, heavy: float) -> str:
    if rng.random() >= heavy:
        return 'car'
    return 'truck' if rng.random() < 0.6 else 'bus'


def park(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
         plan: StreetPlan) -> None:
    """Fill the parking strips, some of them; without strips a few cars stand on the kerb side."""
    for side in (1.0, -1.0):
        share = float(rng.choice([0.0, 0.4, 0.75, 0.95])) if plan.parking else 0.0
        d = side * (plan.lanes_edge + plan.parking / 2)
        s = float(rng.uniform(-25, -15))
        while s < 110:
            step = float(rng.uniform(5.6, 7.0))
            if rng.random() < share:
                kind = _kind(rng, 0.03)
                step += 0.0 if kind == 'car' else 7.0
                turned = np.pi if side > 0 and rng.random() < 0.7 else 0.0
                place = line.point(s + step / 2, d + rng.normal(0, 0.06))
                vehicle(build, rng, place, line.heading(s + step / 2) + turned
                        + float(rng.normal(0, 0.02)), kind)
            s += step


def drive(build: SceneBuilder, rng: np.random.Generator, line: CentreLine, plan: StreetPlan,
          density: float) -> None:
    """Vehicles and cyclists in the lanes, on the right side; ``density`` 1 is one per 40 m."""
    for lane in range(plan.lanes):
        d = (lane + 0.5) * plan.lane_width - plan.lanes_edge
        forward = d < 0 or (plan.lanes % 2 == 1 and abs(d) < 0.1)
        s = float(rng.uniform(-30, 0))
        while s < 120:
            s += float(rng.exponential(28.0 / density)) + 9.0
            kind = 'cyclist' if rng.random() < 0.12 else _kind(rng, 0.2)
            yaw = line.heading(s) + (0.0 if forward else np.pi)
            offset = 0.0 if kind != 'cyclist' else (-1.0 if forward else 1.0)
            place = line.point(s, d + offset + rng.normal(0, 0.15))
            if kind == 'cyclist':
                cyclist(build, rng, place, yaw)
            else:
                s += vehicle(build, rng, place, yaw, kind)


def camera_lane(plan: StreetPlan) -> float:
    """Offset of the lane in which the camera drives: the innermost lane on the right."""
    if plan.lanes % 2 == 1:
        return 0.0
    return -plan.lane_width / 2


def walk(build: SceneBuilder, rng: np.random.Generator, line: CentreLine, plan: StreetPlan,
         count: int, crossing: float = 0.14) -> None:
    """People on the pavements, a share ``crossing`` on the road, and parked bicycles."""
    for _ in range(count):
        s = float(rng.uniform(2, 75)) if rng.random() < 0.75 else float(rng.uniform(-15, 110))
        side = float(rng.choice([-1.0, 1.0]))
        z = plan.kerb
        if plan.pavement:
            d = side * float(rng.uniform(plan.pavement_inner + .3, plan.pavement_outer - .3))
        else:
            d = side * (plan.kerb_line + float(rng.uniform(0.5, 2.0)))
        yaw = line.heading(s) + float(rng.choice([0.0, np.pi])) + float(rng.normal(0, 0.5))
        if rng.random() < crossing:
            d, z = float(rng.uniform(-1, 1)) * plan.kerb_line, 0.0
            yaw += np.pi / 2
        pedestrian(build, rng, line.point(s, d, z), yaw)
    if plan.pavement > 2.0:
        for _ in range(int(rng.integers(0, 4))):
            s, side = float(rng.uniform(3, 60)), float(rng.choice([-1.0, 1.0]))
            parked_bicycle(build, rng, line.point(s, side * (plan.pavement_outer - .4), plan.kerb),
                           line.heading(s) + float(rng.normal(0, 0.2)))
