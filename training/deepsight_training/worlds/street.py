"""Streets: urban, suburban, rural and industrial layouts with traffic."""

import numpy as np

from deepsight_training.worlds.buildings import building
from deepsight_training.worlds.buildings import building_style
from deepsight_training.worlds.buildings import BuildingStyle
from deepsight_training.worlds.buildings import skyline
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.plants import bush
from deepsight_training.worlds.plants import bush_model
from deepsight_training.worlds.plants import hedge
from deepsight_training.worlds.plants import tree
from deepsight_training.worlds.plants import tree_model
from deepsight_training.worlds.plants import wood_model
from deepsight_training.worlds.road import CentreLine
from deepsight_training.worlds.road import lay_road
from deepsight_training.worlds.road import paint_marks
from deepsight_training.worlds.road import street_plan
from deepsight_training.worlds.road import StreetPlan
from deepsight_training.worlds.scene import Atmosphere
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.street_furniture import advert
from deepsight_training.worlds.street_furniture import bench
from deepsight_training.worlds.street_furniture import bin_box
from deepsight_training.worlds.street_furniture import bollard
from deepsight_training.worlds.street_furniture import fence
from deepsight_training.worlds.street_furniture import lamp_post
from deepsight_training.worlds.street_furniture import sign
from deepsight_training.worlds.street_furniture import traffic_light
from deepsight_training.worlds.textures import foliage
from deepsight_training.worlds.traffic import camera_lane
from deepsight_training.worlds.traffic import drive
from deepsight_training.worlds.traffic import park
from deepsight_training.worlds.traffic import walk
from deepsight_training.worlds.viewpoint import camera_pose
from deepsight_training.worlds.world import World


def weather(build: SceneBuilder, rng: np.random.Generator) -> Atmosphere:
    """Draw sun and sky, add the lights, return the air."""
    cover = float(rng.choice([0.05, 0.3, 0.6, 0.95]))
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(18, 65))
    sun = -np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height),
                     np.sin(height)])
    strength = float(rng.uniform(0.5, 0.75)) * (1.0 - 0.85 * max(cover - 0.3, 0) / 0.65)
    low = float(np.clip((35 - np.degrees(height)) / 35, 0, 1))
    build.daylight(sun, strength, float(rng.uniform(0.34, 0.46) + 0.45 * max(cover - 0.3, 0)),
                   (1.0, 1.0 - 0.1 * low, 0.95 - 0.25 * low))
    grey = float(rng.uniform(0.75, 0.95))
    clear = np.array([rng.uniform(0.15, 0.35), rng.uniform(0.35, 0.5), rng.uniform(0.65, 0.85)])
    zenith = clear + max(cover - 0.5, 0) * 1.6 * (grey * 0.85 - clear)
    horizon = np.array([0.75, 0.83, 0.9]) + cover * (grey - np.array([0.75, 0.83, 0.9]))
    return Atmosphere(
        (float(sun[0]), float(sun[1]), float(sun[2])),
        (float(zenith[0]), float(zenith[1]), float(zenith[2])),
        (float(horizon[0]), float(horizon[1]), float(horizon[2])),
        cover, float(np.exp(rng.uniform(np.log(400), np.log(4000)))), int(rng.integers(2**31)))


def place_houses(build: SceneBuilder, rng: np.random.Generator, line: CentreLine, plan: StreetPlan,
            style: BuildingStyle) -> None:
    """Rows of buildings on both sides with gaps between them."""
    for side in (1.0, -1.0):
        s = float(rng.uniform(-45, -35))
        while s < 175:
            if plan.style == 'urban':
                width, gap = float(rng.uniform(9, 24)), float(rng.choice([0.0, 0.0, 0.2, 5.0]))
                height, depth, gabled = float(rng.uniform(7, 22)), 12.0, rng.random() < 0.3
            elif plan.style == 'industrial':
                width, gap = float(rng.uniform(18, 45)), float(rng.uniform(5, 25))
                height, depth, gabled = float(rng.uniform(4.5, 10)), 18.0, False
            else:
                width, gap = float(rng.uniform(8, 14)), float(rng.uniform(3, 12))
                height, depth, gabled = float(rng.uniform(3.2, 7)), 9.0, True
                gap += 40.0 if plan.style == 'rural' else 0.0
            middle = s + width / 2
            d = side * (plan.front + depth / 2 + float(rng.uniform(0, 0.15)) * plan.setback)
            yaw = line.heading(middle) + (-np.pi / 2 if side > 0 else np.pi / 2)
            building(build, rng, style, line.point(middle, d, plan.kerb - 0.01), yaw,
                     (depth, width, height), gabled)
            s += width + gap


def place_green(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
           plan: StreetPlan) -> None:
    """Trees along the road and in gardens, hedges and fences along the front."""
    trees = [tree_model(build, rng) for _ in range(3)]
    shrub = bush_model(build, rng)
    leaves = build.texture(foliage(rng), 1.2)
    many = rng.random() < (0.9 if plan.style != 'urban' else 0.45)
    spacing = float(rng.uniform(7, 16))
    offset = (plan.kerb_line + 0.6 if plan.pavement else plan.kerb_line + 2.0)
    for side in (1.0, -1.0):
        if many and rng.random() < 0.75:
            for s in np.arange(rng.uniform(-30, -20), 150, spacing):
                if rng.random() < 0.8:
                    tree(build, rng, trees[int(rng.integers(3))],
                         line.point(s, side * (offset + rng.uniform(0, 0.4)), plan.kerb - 0.02))
        if plan.setback < 2.0:
            continue
        outer = plan.pavement_outer if plan.pavement else plan.kerb_line + 3.0
        kind = int(rng.integers(4))
        for s in np.arange(-30.0, 140.0, 9.0):
            if kind < 3 and rng.random() < 0.75:
                place, yaw = line.point(s, side * (outer + 0.5), plan.kerb - 0.02), line.heading(s)
                if kind == 0:
                    hedge(build, rng, place, yaw, 8.3, leaves)
                else:
                    fence(build, rng, place, yaw, 8.8)
            for _ in range(int(rng.integers(0, 3))):
                d = side * rng.uniform(outer + 1.2, max(plan.front - 0.8, outer + 1.5))
                bush(build, rng, shrub, line.point(s + rng.uniform(-4, 4), d, plan.kerb - 0.02))
            if rng.random() < 0.35 and plan.setback > 4:
                reach = outer + (rng.uniform(3, 25) if plan.style == 'rural' else 2.5)
                tree(build, rng, trees[int(rng.integers(3))],
                     line.point(s, side * reach, plan.kerb - 0.02))


def place_furniture(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
               plan: StreetPlan) -> None:
    """Lamp posts, signs, lights, bins, benches and bollards on the kerb side of the pavement."""
    kerb_side = plan.kerb_line + (0.45 if plan.pavement else 1.0)
    for side in (1.0, -1.0):
        inward = -np.pi / 2 if side > 0 else np.pi / 2
        if rng.random() < 0.75:
            for s in np.arange(rng.uniform(-20, 0), 150, rng.uniform(18, 35)):
                lamp_post(build, rng, line.point(s, side * kerb_side, plan.kerb),
                          line.heading(s) + inward)
        for s in rng.uniform(5, 110, int(rng.integers(1, 5))):
            toward = np.pi if side < 0 else 0.0
            maker = traffic_light if rng.random() < 0.25 else sign
            maker(build, rng, line.point(s, side * kerb_side, plan.kerb),
                  line.heading(s) + toward + float(rng.normal(0, 0.15)))
        if not plan.pavement:
            continue
        for s in rng.uniform(0, 70, int(rng.integers(0, 6))):
            inner = side * (plan.pavement_outer - 0.5)
            maker = (bin_box, bench, advert)[int(rng.choice(3, p=(.5, .25, .25)))]
            maker(build, rng, line.point(s, inner, plan.kerb), line.heading(s) + inward)
        if rng.random() < 0.2:
            for s in np.arange(5, 60, rng.uniform(1.5, 3.0)):
                bollard(build, rng, line.point(s, side * (plan.kerb_line + 0.35), plan.kerb))


def place_all_that_stands(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
                          plan: StreetPlan) -> None:
    """Lay the road and place everything along it that does not move."""
    lay_road(build, rng, line, plan)
    paint_marks(build, rng, line, plan)
    style = building_style(build, rng)
    place_houses(build, rng, line, plan, style)
    skyline(build, rng, style, 200.0, wood_model(build, rng), build.texture(foliage(rng), 6.0))
    place_green(build, rng, line, plan)
    place_furniture(build, rng, line, plan)
    park(build, rng, line, plan)


def build_street(seed: int) -> tuple[World, CentreLine, StreetPlan]:
    """Build the street of ``seed``."""
    rng = np.random.default_rng([seed, 1])
    build = SceneBuilder()
    plan = street_plan(rng)
    line = CentreLine(float(rng.choice([0.0, 1.0, -1.0], p=(.4, .3, .3)) / rng.uniform(90, 400)))
    air = weather(build, rng)
    place_all_that_stands(build, rng, line, plan)
    drive(build, rng, line, plan, float(rng.choice([0.4, 1.0, 2.0])))
    walk(build, rng, line, plan, int(rng.integers(4, 22)) if plan.style != 'rural' else 2)
    return World(build, air), line, plan


def street_camera(rng: np.random.Generator, line: CentreLine, plan: StreetPlan) -> Floats:
    """Draw a camera as a car or robot carries it: mostly along a lane, 1.2 to 2 m high."""
    s = float(rng.uniform(0, 70))
    on_pavement = plan.pavement > 0 and rng.random() < 0.12
    if on_pavement:
        side = float(rng.choice([-1.0, 1.0]))
        d, ground = side * (plan.pavement_inner + plan.pavement_outer) / 2, plan.kerb
    else:
        d, ground = camera_lane(plan) + float(rng.normal(0, 0.35)), 0.0
    wide = rng.random() < 0.15
    yaw = line.heading(s) + float(rng.normal(0, 0.9 if wide else 0.07))
    return camera_pose(line.point(s, d, ground + float(rng.uniform(1.2, 2.0))), yaw,
                       float(rng.normal(0.015, 0.035)), float(rng.normal(0, 0.015)))
