"""Furniture and clutter. Each maker fills a thing whose front faces +x and returns nothing;
``FOOTPRINTS`` tells how much floor (x, y) it takes.
"""

from collections.abc import Callable

import numpy as np

from deepsight_training.worlds.facades import books
from deepsight_training.worlds.facades import poster
from deepsight_training.worlds.meshes import quad
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import cloth
from deepsight_training.worlds.textures import planks
from deepsight_training.worlds.textures import vary

Maker = Callable[[Thing, np.random.Generator], None]


def wood(thing: Thing, rng: np.random.Generator) -> Material:
    """Wood grain or paint."""
    build = thing.builder
    if rng.random() < 0.6:
        return build.texture(planks(rng, 128), 1.5, gloss=0.1)
    return build.paint(vary(rng, ((.88, .87, .85), (.2, .2, .21), (.5, .52, .5))[
        int(rng.integers(3))], 0.2), gloss=0.1)


def fabric(thing: Thing, rng: np.random.Generator) -> Material:
    """Upholstery."""
    return thing.builder.texture(cloth(rng, vary(rng, (0.42, 0.4, 0.4), 0.5), 128), 0.7)


def _legs(thing: Thing, x: float, y: float, height: float, material: Material,
          thick: float = 0.05) -> None:
    for i in (-1, 1):
        for j in (-1, 1):
            thing.box((i * x, j * y, height / 2), (thick, thick, height), material)


def table(thing: Thing, rng: np.random.Generator) -> None:
    """Dining table or desk with things on it."""
    material = wood(thing, rng)
    x, y, z = rng.uniform((0.65, 1.1, 0.7), (0.9, 1.8, 0.78))
    thing.box((0, 0, z), (x, y, 0.04), material)
    _legs(thing, x / 2 - .06, y / 2 - .06, z, material)
    clutter(thing, rng, z + 0.02, x, y, int(rng.integers(0, 6)))


def coffee_table(thing: Thing, rng: np.random.Generator) -> None:
    """Low table."""
    material = wood(thing, rng)
    thing.box((0, 0, 0.42), (0.6, 1.0, 0.04), material)
    _legs(thing, 0.25, 0.44, 0.4, material)
    clutter(thing, rng, 0.44, 0.6, 1.0, int(rng.integers(0, 4)))


def clutter(thing: Thing, rng: np.random.Generator, z: float, x: float, y: float,
            count: int) -> None:
    """Cups, books, boxes, laptops and bottles at height ``z``."""
    build = thing.builder
    for _ in range(count):
        px, py = rng.uniform(-0.4, 0.4) * x, rng.uniform(-0.4, 0.4) * y
        paint = build.paint(vary(rng, (0.5, 0.45, 0.42), 0.6), gloss=0.2)
        kind = int(rng.integers(4))
        if kind == 0:
            thing.cylinder((px, py, z), (px, py, z + 0.1), 0.04, paint)
        elif kind == 1:
            thing.cylinder((px, py, z), (px, py, z + 0.25), 0.035, paint)
        elif kind == 2:
            size = rng.uniform((.12, .12, .02), (.25, .3, .15))
            thing.box((px, py, z + size[2] / 2), size, paint, float(rng.uniform(0, 3)))
        else:
            thing.box((px, py, z + 0.01), (0.24, 0.34, 0.02), build.paint((.2, .2, .21)))
            thing.box((px - 0.13, py, z + 0.12), (0.02, 0.34, 0.22), build.texture(
                poster(rng, 64), (.34, .22), emission=0.4))


def chair(thing: Thing, rng: np.random.Generator) -> None:
    """Dining or office chair."""
    frame = wood(thing, rng)
    seat = fabric(thing, rng) if rng.random() < 0.5 else frame
    if rng.random() < 0.3:
        steel = thing.builder.paint((0.12, 0.12, 0.12), gloss=0.3)
        thing.cylinder((0, 0, 0.08), (0, 0, 0.45), 0.03, steel)
        for angle in np.arange(5) * 2 * np.pi / 5:
            foot = (0.28 * np.cos(angle), 0.28 * np.sin(angle), 0.05)
            thing.capsule((0, 0, 0.09), foot, 0.022, steel)
    else:
        _legs(thing, 0.19, 0.19, 0.45, frame, 0.035)
    thing.box((0, 0, 0.46), (0.44, 0.44, 0.06), seat)
    thing.box((-0.21, 0, 0.72), (0.04, 0.42, float(rng.uniform(0.2, 0.42))), seat)
    for y in (-0.19, 0.19):
        thing.box((-0.21, y, 0.68), (0.035, 0.035, 0.46), frame)


def sofa(thing: Thing, rng: np.random.Generator) -> None:
    """Sofa with cushions."""
    cover = fabric(thing, rng)
    width = float(rng.uniform(1.6, 2.2))
    thing.box((0, 0, 0.25), (0.85, width, 0.34), cover)
    thing.box((-0.34, 0, 0.5), (0.2, width, 0.66), cover)
    for side in (-1, 1):
        thing.box((0, side * (width / 2 - 0.09), 0.36), (0.85, 0.18, 0.52), cover)
    for y in np.linspace(-0.5, 0.5, 2) * (width - 0.8):
        thing.box((0.06, y, 0.46), (0.62, (width - 0.4) / 2 - 0.02, 0.12), cover)
    for _ in range(int(rng.integers(0, 4))):
        thing.ellipsoid((-0.15, rng.uniform(-.35, .35) * width, 0.66), (0.2, 0.42, 0.4),
                        fabric(thing, rng))


def shelf(thing: Thing, rng: np.random.Generator) -> None:
    """Bookcase or rack filled with books and boxes."""
    material = wood(thing, rng)
    width, tall = float(rng.uniform(0.7, 1.4)), float(rng.uniform(1.0, 2.1))
    thing.box((-0.16, 0, tall / 2), (0.02, width, tall), material)
    for side in (-1, 1):
        thing.box((0, side * width / 2, tall / 2), (0.34, 0.03, tall), material)
    levels = np.arange(0.06, tall, float(rng.uniform(0.3, 0.42)))
    row = thing.builder.texture(books(rng), (width, 0.27))
    for z in (*levels, tall):
        thing.box((0, 0, z), (0.34, width, 0.025), material)
    for z in levels[:-1]:
        if rng.random() < 0.75:
            h = width / 2 - 0.02
            thing.mesh(quad(((.1, -h, z), (.1, h, z), (.1, h, z + .27), (.1, -h, z + .27))), row)
        else:
            clutter(thing, rng, float(z) + 0.02, 0.2, width, 2)


def cabinet(thing: Thing, rng: np.random.Generator) -> None:
    """Sideboard, cupboard, wardrobe or fridge with door fronts."""
    material = wood(thing, rng)
    tall = float(rng.choice([0.75, 0.9, 1.8, 2.0]))
    width = float(rng.uniform(0.6, 1.6))
    thing.box((0, 0, tall / 2), (0.5, width, tall), material)
    front = thing.builder.paint(vary(rng, (0.75, 0.73, 0.7), 0.25), gloss=0.15)
    doors = max(int(width / 0.5), 1)
    knob = thing.builder.paint((0.3, 0.3, 0.3), gloss=0.5)
    for i in range(doors):
        y = (i + 0.5) * width / doors - width / 2
        thing.box((0.255, y, tall / 2 + 0.03), (0.012, width / doors - 0.02, tall - 0.12), front)
        thing.box((0.275, y + 0.35 * width / doors, tall * 0.55), (0.02, 0.02, 0.12), knob)
    if tall < 1.0:
        clutter(thing, rng, tall, 0.5, width, int(rng.integers(0, 5)))


def bed(thing: Thing, rng: np.random.Generator) -> None:
    """Bed, head at the back."""
    width = float(rng.choice([0.95, 1.5]))
    thing.box((0, 0, 0.2), (2.05, width + 0.06, 0.2), wood(thing, rng))
    thing.box((0, 0, 0.4), (2.0, width, 0.2), thing.builder.paint((0.85, 0.85, 0.83)))
    thing.box((0.25, 0, 0.48), (1.5, width + 0.08, 0.12), fabric(thing, rng))
    thing.box((-1.02, 0, 0.45), (0.05, width + 0.06, 0.9), wood(thing, rng))
    thing.ellipsoid((-0.75, 0, 0.55), (0.42, 0.75 * width, 0.16),
                    thing.builder.paint((0.82, 0.82, 0.8)))


def box_pile(thing: Thing, rng: np.random.Generator) -> None:
    """Cardboard boxes or crates, stacked."""
    z = 0.0
    for _ in range(int(rng.integers(1, 4))):
        size = rng.uniform((.25, .25, .18), (.5, .5, .42))
        thing.box((rng.uniform(-.05, .05), rng.uniform(-.05, .05), z + size[2] / 2), size,
                  thing.builder.paint(vary(rng, (0.62, 0.48, 0.33), 0.2)),
                  float(rng.uniform(-0.3, 0.3)))
        z += float(size[2])


def counter(thing: Thing, rng: np.random.Generator) -> None:
    """Kitchen counter with wall cupboards."""
    width = float(rng.uniform(1.6, 2.6))
    front = thing.builder.paint(vary(rng, (0.7, 0.68, 0.64), 0.3), gloss=0.2)
    thing.box((0, 0, 0.45), (0.56, width, 0.8), front)
    thing.box((-0.03, 0, 0.06), (0.5, width, 0.12), thing.builder.paint((.12, .12, .12)))
    thing.box((0.01, 0, 0.88), (0.62, width, 0.04), wood(thing, rng))
    dark = thing.builder.paint((0.15, 0.15, 0.15))
    for y in np.arange(-width / 2, width / 2, 0.6):
        thing.box((0.282, y, 0.48), (0.006, 0.012, 0.74), dark)
        thing.box((0.29, y + 0.3, 0.78), (0.02, 0.2, 0.015), dark)
    thing.box((-0.12, 0, 1.75), (0.34, width, 0.65), front)
    clutter(thing, rng, 0.9, 0.5, width, int(rng.integers(2, 8)))


def bin_can(thing: Thing, rng: np.random.Generator) -> None:
    """Waste bin or bucket."""
    tall = float(rng.uniform(0.3, 0.6))
    thing.cylinder((0, 0, 0), (0, 0, tall), 0.15,
                   thing.builder.paint(vary(rng, (0.4, 0.42, 0.45), 0.5), gloss=0.2))


FOOTPRINTS: dict[str, tuple[Maker, float, float]] = {
    'table': (table, 0.9, 1.8), 'coffee table': (coffee_table, 0.6, 1.0),
    'chair': (chair, 0.5, 0.5), 'sofa': (sofa, 0.9, 2.2), 'shelf': (shelf, 0.36, 1.4),
    'cabinet': (cabinet, 0.56, 1.6), 'bed': (bed, 2.1, 1.6), 'boxes': (box_pile, 0.65, 0.65),
    'counter': (counter, 0.66, 2.6), 'bin': (bin_can, 0.35, 0.35)}
"""Maker and largest footprint (x, y) [m] of every piece."""
