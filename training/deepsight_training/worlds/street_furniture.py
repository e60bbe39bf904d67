"""Poles, signs, lamps, traffic lights, fences, bins and benches beside a road."""

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.facades import poster
from deepsight_training.worlds.facades import wall as masonry
from deepsight_training.worlds.meshes import box
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import quad
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import planks
from deepsight_training.worlds.textures import vary

STEEL = (0.45, 0.46, 0.47)


def lamp_post(build: SceneBuilder, rng: np.random.Generator, position: Floats,
              yaw: float) -> None:
    """Street lamp whose arm points along ``yaw``."""
    thing = build.thing('lamp post', SceneClass.VEGETATION, position, yaw)
    paint = build.paint(vary(rng, STEEL, 0.3), gloss=0.2)
    height, arm = float(rng.uniform(4.5, 9.0)), float(rng.uniform(0.4, 1.8))
    thing.cylinder((0, 0, 0), (0, 0, 1.0), 0.09, paint)
    thing.cylinder((0, 0, 1.0), (0, 0, height), 0.06, paint)
    thing.capsule((0, 0, height), (arm, 0, height + 0.2), 0.04, paint)
    thing.box((arm, 0, height + 0.2), (0.6, 0.25, 0.1), paint)


def sign(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    """Traffic sign that faces along ``yaw``: disc, triangle, square or board."""
    thing = build.thing('sign', SceneClass.VEGETATION, position, yaw)
    height = float(rng.uniform(2.0, 2.6))
    thing.cylinder((0, 0, 0), (0, 0, height), 0.035, build.paint(STEEL))
    kind = int(rng.integers(4))
    red, white = build.paint((0.7, 0.06, 0.06)), build.paint((0.92, 0.92, 0.9))
    blue = build.paint((0.06, 0.2, 0.6))
    top = height - 0.35
    if kind == 0:
        thing.cylinder((.04, 0, top), (.06, 0, top), 0.32, red if rng.random() < .6 else blue)
        thing.cylinder((.06, 0, top), (.068, 0, top), 0.23, white)
        thing.box((.07, 0, top), (0.01, 0.2, 0.12), build.paint((0.08, 0.08, 0.08)))
    elif kind == 1:
        for scale, paint, x in ((0.42, red, 0.045), (0.28, white, 0.055)):
            thing.mesh(quad(((x, -scale, top - .55 * scale), (x, scale, top - .55 * scale),
                             (x, .01, top + scale), (x, -.01, top + scale))), paint)
    elif kind == 2:
        thing.box((.05, 0, top), (0.02, 0.6, 0.6), blue)
        thing.box((.062, 0, top), (0.01, 0.25, 0.35), white)
    else:
        width = float(rng.uniform(0.8, 2.0))
        thing.box((.05, 0, height), (0.03, width, 0.6), build.paint(
            ((.06, .2, .55), (.05, .4, .2), (.9, .85, .2), (.9, .9, .9))[int(rng.integers(4))]))
        for line in (-0.12, 0.1):
            thing.box((.068, -0.1, height + line), (0.005, 0.7 * width, 0.07), white)


def traffic_light(build: SceneBuilder, rng: np.random.Generator, position: Floats,
                  yaw: float) -> None:
    """Traffic light that faces along ``yaw``."""
    thing = build.thing('traffic light', SceneClass.VEGETATION, position, yaw)
    dark = build.paint((0.07, 0.08, 0.08))
    thing.cylinder((0, 0, 0), (0, 0, 3.4), 0.06, build.paint(vary(rng, STEEL, 0.3)))
    thing.box((0.12, 0, 2.9), (0.2, 0.32, 0.95), dark)
    lit = int(rng.integers(3))
    for i, colour in enumerate(((0.9, 0.1, 0.05), (0.95, 0.65, 0.1), (0.1, 0.85, 0.4))):
        red, green, blue = colour
        bulb = build.paint(colour, emission=0.8) if i == lit else build.paint(
            (0.15 * red, 0.15 * green, 0.15 * blue))
        thing.cylinder((0.2, 0, 3.2 - 0.3 * i), (0.24, 0, 3.2 - 0.3 * i), 0.1, bulb)


def bollard(build: SceneBuilder, rng: np.random.Generator, position: Floats) -> None:
    """Short post."""
    thing = build.thing('bollard', SceneClass.VEGETATION, position)
    thing.capsule((0, 0, 0), (0, 0, float(rng.uniform(0.7, 1.0))), float(rng.uniform(.05, .1)),
                  build.paint(vary(rng, (0.3, 0.3, 0.3), 0.5)))


def bin_box(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    """Litter bin, cabinet or post box."""
    thing = build.thing('bin', SceneClass.STRUCTURE, position, yaw)
    size = rng.uniform((0.4, 0.4, 0.8), (0.7, 1.1, 1.3))
    paint = build.paint(vary(rng, ((.2, .3, .2), (.45, .45, .43), (.75, .6, .1), (.15, .2, .35))[
        int(rng.integers(4))], 0.2))
    thing.box((0, 0, size[2] / 2), size, paint)
    thing.box((0, 0, size[2]), size * (1.08, 1.08, 0.06), build.paint((0.15, 0.15, 0.15)))


def bench(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    """Bench that faces along ``yaw``."""
    thing = build.thing('bench', SceneClass.STRUCTURE, position, yaw)
    wood = build.texture(planks(rng, 128), 0.8)
    steel = build.paint((0.15, 0.15, 0.15))
    for y in (-0.7, 0.7):
        thing.box((0, y, 0.22), (0.4, 0.06, 0.44), steel)
    for x in (-0.15, 0.0, 0.15):
        thing.box((x, 0, 0.45), (0.12, 1.6, 0.03), wood)
    for z in (0.6, 0.75):
        thing.box((-0.24, 0, z), (0.03, 1.6, 0.1), wood)


def advert(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float) -> None:
    """Lit poster panel on a foot."""
    thing = build.thing('advert', SceneClass.STRUCTURE, position, yaw)
    thing.box((0, 0, 1.25), (0.18, 1.3, 2.3), build.paint((0.2, 0.2, 0.22)))
    picture = build.texture(poster(rng), (1.15, 1.8), emission=0.3)
    for x in (-0.1, 0.1):
        side = np.sign(x)
        thing.mesh(quad(((x, -.57 * side, .45), (x, .57 * side, .45), (x, .57 * side, 2.25),
                         (x, -.57 * side, 2.25))), picture)


def fence(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float,
          length: float) -> None:
    """Fence, wall or railing along x of the given pose, centred."""
    thing = build.thing('fence', SceneClass.STRUCTURE, position, yaw)
    kind = int(rng.integers(4))
    height = float(rng.uniform(0.8, 1.9))
    if kind == 0:
        thing.box((0, 0, height / 2), (length, 0.05, height), build.texture(
            planks(rng, 256), (1.0, 2.0)))
        return
    if kind == 1:
        _wall(thing, rng, length, height)
        return
    paint = build.paint(vary(rng, (0.25, 0.25, 0.25) if kind == 2 else (0.6, 0.5, 0.4), 0.4))
    spacing, thick = (0.16, 0.022) if kind == 2 else (1.5, 0.1)
    count = int(length / spacing)
    for x in np.linspace(-length / 2, length / 2, max(count, 2)):
        thing.box((x, 0, height / 2), (thick, thick, height), paint)
    for z in (0.15, 0.95) if kind == 2 else (0.35, 0.65, 0.92):
        thing.box((0, 0, z * height), (length, 0.04, 0.05 if kind == 2 else 0.13), paint)


def _wall(thing: Thing, rng: np.random.Generator, length: float, height: float) -> None:
    """Masonry with a coping."""
    thing.mesh(box((length, 0.25, height)), thing.builder.texture(masonry(rng, 256), 2.0))
    thing.box((0, 0, height), (length, 0.33, 0.08), thing.builder.paint((0.6, 0.59, 0.56)))
