"""The shell of rooms and corridors: floor, walls, ceiling, doors, windows, pictures, lamps.

An interior spans x from 0 to ``length`` and y from -``width``/2 to ``width``/2.
"""

from dataclasses import dataclass

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.facades import poster
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import grid
from deepsight_training.worlds.meshes import quad
from deepsight_training.worlds.scene import Atmosphere
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import cloth
from deepsight_training.worlds.textures import Colour
from deepsight_training.worlds.textures import concrete
from deepsight_training.worlds.textures import paving
from deepsight_training.worlds.textures import planks
from deepsight_training.worlds.textures import tiles
from deepsight_training.worlds.textures import vary

INDOOR_AIR = Atmosphere(sun_direction=(0.0, 0.0, -1.0), visibility=1e5)
WALL_COLOURS: tuple[Colour, ...] = (
    (0.88, 0.87, 0.84), (0.85, 0.8, 0.7), (0.72, 0.76, 0.78), (0.78, 0.8, 0.7),
    (0.8, 0.68, 0.6), (0.6, 0.64, 0.68), (0.9, 0.9, 0.9))


@dataclass(frozen=True)
class Shell:
    """Inner measures of a room or corridor [m]."""

    length: float
    width: float
    height: float

    def wall(self, index: int) -> tuple[Floats, float, float]:
        """Middle of wall 0..3 (x = 0, y > 0, x = length, y < 0), yaw into the room, its width."""
        x, y = self.length, self.width / 2
        middle = ((0.0, 0.0), (x / 2, y), (x, 0.0), (x / 2, -y))[index]
        yaw = (0.0, -np.pi / 2, np.pi, np.pi / 2)[index]
        return np.array([*middle, 0.0]), yaw, self.width if index % 2 == 0 else self.length

    def on_wall(self, index: int, along: float, out: float = 0.0) -> tuple[Floats, float]:
        """Point at ``along`` metres left of a wall's middle and ``out`` from it, and the yaw."""
        middle, yaw, _ = self.wall(index)
        return middle + (out * np.cos(yaw) - along * np.sin(yaw),
                         out * np.sin(yaw) + along * np.cos(yaw), 0.0), yaw


def floor_material(build: SceneBuilder, rng: np.random.Generator) -> Material:
    """Wood, tiles, carpet, vinyl or bare concrete."""
    kind = int(rng.integers(5))
    if kind == 0:
        return build.texture(planks(rng), (2.4, 1.0), gloss=0.25)
    if kind == 1:
        grey = float(rng.uniform(0.4, 0.85))
        image = tiles(rng, vary(rng, (grey, .97 * grey, .92 * grey)), 4, 4, joint=.03,
                      contrast=.06)
        return build.texture(image, float(rng.uniform(1.2, 2.6)), gloss=.3)
    if kind == 2:
        return build.texture(cloth(rng, vary(rng, (0.4, 0.38, 0.38), 0.35), 512), 1.5)
    if kind == 3:
        return build.texture(paving(rng), 2.0, gloss=0.1)
    return build.texture(concrete(rng, vary(rng, (0.55, 0.54, 0.5), 0.2)), 3.0, gloss=0.2)


def build_shell(build: SceneBuilder, rng: np.random.Generator, shell: Shell) -> None:
    """Floor (terrain), walls and ceiling (structure) with skirting."""
    x, y, z = shell.length, shell.width / 2, shell.height
    build.surface(grid(((0, -y, 0), (x, -y, 0), (x, y, 0), (0, y, 0)), 0.5),
                  floor_material(build, rng), SceneClass.TERRAIN)
    if rng.random() < 0.6:
        white = build.texture(concrete(rng, (0.88, 0.88, 0.86), 256, 0.03), 2.0)
    else:
        white = build.texture(
            tiles(rng, (0.86, 0.86, 0.85), 2, 2, joint=.02, contrast=.03, size=256), 1.2)
    build.surface(grid(((0, y, z), (x, y, z), (x, -y, z), (0, -y, z)), 0.5), white,
                  SceneClass.STRUCTURE)
    paint = vary(rng, WALL_COLOURS[int(rng.integers(len(WALL_COLOURS)))], 0.06)
    plain = build.texture(concrete(rng, paint, 512, float(rng.uniform(0.01, 0.08))), 3.0)
    accent = plain
    if rng.random() < 0.35:
        accent = build.texture(cloth(rng, vary(rng, (0.6, 0.5, 0.45), 0.3)), 0.8)
    skirting = build.paint(vary(rng, (0.75, 0.72, 0.68), 0.3))
    dado = rng.random() < 0.2
    lower = build.paint(vary(rng, (0.45, 0.5, 0.5), 0.25))
    for index in range(4):
        middle, yaw, wide = shell.wall(index)
        side = np.array([-np.sin(yaw), np.cos(yaw), 0]) * wide / 2
        up = np.array([0, 0, z])
        build.surface(grid((middle - side, middle + side, middle + side + up, middle - side + up),
                           0.4), accent if index == 2 else plain, SceneClass.STRUCTURE)
        thing = build.thing('skirting', SceneClass.STRUCTURE, middle, yaw)
        thing.box((0.008, 0, 0.05), (0.016, wide, 0.1), skirting)
        if dado:
            thing.box((0.005, 0, 0.6), (0.01, wide, 1.0), lower)


def door(build: SceneBuilder, rng: np.random.Generator, shell: Shell, index: int,
         along: float) -> None:
    """Closed door with frame and handle."""
    position, yaw = shell.on_wall(index, along)
    thing = build.thing('door', SceneClass.STRUCTURE, position, yaw)
    frame = build.paint(vary(rng, (0.7, 0.68, 0.64), 0.25))
    leaf = build.texture(planks(rng, 128), (4.0, 2.0)) if rng.random() < 0.5 else \
        build.paint(vary(rng, ((.85, .84, .8), (.3, .35, .45), (.5, .3, .2))[
            int(rng.integers(3))], 0.15))
    width = float(rng.uniform(0.8, 1.05))
    thing.box((0.02, 0, 1.02), (0.05, width, 2.04), leaf)
    for side in (-1.0, 1.0):
        thing.box((0.03, side * (width / 2 + 0.04), 1.05), (0.08, 0.08, 2.1), frame)
    thing.box((0.03, 0, 2.09), (0.08, width + 0.16, 0.08), frame)
    thing.capsule((0.09, 0.38 * width, 1.02), (0.09, 0.26 * width, 1.02), 0.012,
                  build.paint((0.6, 0.6, 0.6), gloss=0.6))
    if rng.random() < 0.25:
        thing.box((0.035, 0, 1.5), (0.04, 0.5 * width, 0.6), build.paint((.6, .65, .68), gloss=.6))


def window(build: SceneBuilder, rng: np.random.Generator, shell: Shell, index: int,
           along: float, width: float) -> None:
    """Bright window with frame, sill and at times curtains; it lights the room."""
    position, yaw = shell.on_wall(index, along)
    thing = build.thing('window', SceneClass.STRUCTURE, position, yaw)
    bottom = float(rng.uniform(0.5, 1.0))
    top = min(float(rng.uniform(2.0, 2.4)), shell.height - 0.1)
    middle, tall = (bottom + top) / 2, top - bottom
    glow = float(rng.uniform(0.5, 0.9))
    outside = build.texture(_view(rng, glow), (width, tall), emission=0.9)
    h = width / 2
    thing.mesh(quad(((.01, -h, bottom), (.01, h, bottom), (.01, h, top), (.01, -h, top))), outside)
    frame = build.paint(vary(rng, (0.85, 0.85, 0.83), 0.2))
    for y in np.linspace(-h, h, int(rng.integers(2, 4)) + 1):
        thing.box((0.03, y, middle), (0.06, 0.06, tall), frame)
    for z in (bottom, top):
        thing.box((0.03, 0, z), (0.06, width, 0.06), frame)
    thing.box((0.08, 0, bottom - 0.03), (0.2, width + 0.1, 0.03), frame)
    if rng.random() < 0.5:
        _curtains(thing, rng, h, top)
    inward = np.array([np.cos(yaw), np.sin(yaw), -0.45])
    build.light(position + (0.05 * np.cos(yaw), 0.05 * np.sin(yaw), 1.9), inward,
                np.array([0.95, 1.0, 1.1]) * 0.5 * glow, attenuation=(0.5, 0.0, 0.06), cutoff=85)


def _view(rng: np.random.Generator, glow: float) -> np.ndarray:
    """Blurred view out of a window: sky above, something dark below."""
    rows = np.linspace(1.0, 0.0, 64)[:, None, None]
    low = np.asarray(vary(rng, (0.4, 0.45, 0.4), 0.3))
    image = low + (np.array([0.9, 0.95, 1.0]) - low) * np.clip(rows * 3 - 1.0, 0, 1)
    shade = np.interp(np.arange(64), np.arange(0, 65, 8), rng.uniform(0.8, 1.1, 9))[None, :, None]
    return np.asarray(np.clip(image * shade * (0.6 + 0.4 * glow) * 255, 0, 255), np.uint8)


def _curtains(thing: Thing, rng: np.random.Generator, half: float, top: float) -> None:
    fabric = thing.builder.texture(cloth(rng, vary(rng, (0.6, 0.55, 0.5), 0.4)), 0.8)
    for side in (-1.0, 1.0):
        for i in range(4):
            y = side * (half + 0.25 - 0.09 * i)
            thing.capsule((0.1, y, 0.15), (0.1, y, top + 0.15), 0.045, fabric)


def picture(build: SceneBuilder, rng: np.random.Generator, shell: Shell, index: int,
            along: float) -> None:
    """Framed picture, poster, notice board or screen."""
    position, yaw = shell.on_wall(index, along)
    thing = build.thing('picture', SceneClass.STRUCTURE, position, yaw)
    width, tall = rng.uniform(0.3, 1.3), rng.uniform(0.3, 0.9)
    z = float(rng.uniform(1.4, 1.8))
    thing.box((0.012, 0, z), (0.024, width + 0.06, tall + 0.06),
              build.paint(vary(rng, (0.3, 0.25, 0.2), 0.6)))
    h, v = width / 2, tall / 2
    thing.mesh(quad(((.026, -h, z - v), (.026, h, z - v), (.026, h, z + v), (.026, -h, z + v))),
               build.texture(poster(rng), (float(width), float(tall))))


def ceiling_lamps(build: SceneBuilder, rng: np.random.Generator, shell: Shell, count: int,
                  level: float) -> None:
    """``count`` lamps along the middle: panels or globes, the first two with shadows."""
    warm = rng.random() < 0.5
    tone = np.array([1.0, 0.9, 0.75] if warm else [0.97, 1.0, 1.02])
    glow = build.paint((1.0, 0.97, 0.9), emission=1.0)
    globe = rng.random() < 0.35
    for i, x in enumerate((np.arange(count) + 0.5) * shell.length / count):
        thing = build.thing('lamp', SceneClass.STRUCTURE, (x, 0, shell.height))
        drop = 0.04
        if globe:
            drop = float(rng.uniform(0.3, 0.5))
            thing.cylinder((0, 0, -drop + .1), (0, 0, 0), 0.01, build.paint((.1, .1, .1)))
            thing.ellipsoid((0, 0, -drop), (0.3, 0.3, 0.26), glow)
        else:
            thing.box((0, 0, -0.02), (1.2, 0.3 if rng.random() < .5 else .6, 0.04), glow)
        build.light((x, 0, shell.height - drop - 0.15), (0, 0, -1), level * tone,
                    attenuation=(0.45, 0.0, 0.07), cutoff=88, shadow=i < 2, specular=0.3)
    build.ambient(float(rng.uniform(0.3, 0.5)), (1.0, 0.98, 0.94) if warm else (0.97, 1.0, 1.02))
