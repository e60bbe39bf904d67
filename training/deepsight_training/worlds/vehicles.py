"""Cars, vans, trucks, buses and bicycles from prisms, panels and cylinders.

Every function fills a :class:`Thing` whose frame lies on the road in the middle of the vehicle,
x to its front.
"""

from dataclasses import dataclass

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.facades import poster
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import merge
from deepsight_training.worlds.meshes import panel
from deepsight_training.worlds.meshes import prism
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import Colour
from deepsight_training.worlds.textures import vary

CAR_COLOURS: tuple[Colour, ...] = (
    (0.9, 0.9, 0.9), (0.08, 0.08, 0.09), (0.5, 0.52, 0.54), (0.32, 0.33, 0.35),
    (0.1, 0.16, 0.35), (0.5, 0.07, 0.07), (0.78, 0.76, 0.7), (0.15, 0.3, 0.2),
    (0.2, 0.4, 0.62), (0.75, 0.55, 0.12))
GLASS: Colour = (0.07, 0.09, 0.11)
RUBBER: Colour = (0.06, 0.06, 0.06)


@dataclass(frozen=True)
class CarShape:
    """Measures [m] of a passenger car or van; shares along the length count from the rear."""

    length: float
    width: float
    height: float
    belt: float
    """Height of the lower window edge."""
    hood: float
    """Height of the hood's front edge."""
    windshield: float
    roof_front: float
    roof_rear: float
    rear_window: float


CARS: dict[str, CarShape] = {
    'hatchback': CarShape(4.0, 1.75, 1.48, 0.93, 0.75, 0.75, 0.53, 0.12, 0.02),
    'sedan': CarShape(4.65, 1.8, 1.45, 0.92, 0.74, 0.74, 0.55, 0.26, 0.12),
    'estate': CarShape(4.7, 1.82, 1.5, 0.93, 0.74, 0.73, 0.55, 0.08, 0.01),
    'suv': CarShape(4.5, 1.88, 1.72, 1.08, 0.95, 0.74, 0.56, 0.1, 0.02),
    'van': CarShape(5.3, 2.0, 2.25, 1.2, 1.0, 0.9, 0.78, 0.01, 0.0),
    'minivan': CarShape(4.7, 1.85, 1.8, 1.05, 0.9, 0.86, 0.66, 0.04, 0.0),
}


def wheels(thing: Thing, axles: tuple[float, ...], track: float, radius: float) -> None:
    """Add pairs of wheels at the given x positions, their outer faces ``track`` apart."""
    rubber = thing.builder.paint(RUBBER)
    rim = thing.builder.paint((0.55, 0.55, 0.57), gloss=0.5)
    for x in axles:
        for side in (-1.0, 1.0):
            outer = side * track / 2
            thing.cylinder((x, outer - side * 0.22, radius), (x, outer, radius), radius, rubber)
            thing.cylinder((x, outer, radius), (x, outer + side * 0.012, radius),
                           0.62 * radius, rim)


def _arches(thing: Thing, axles: tuple[float, ...], width: float, radius: float) -> None:
    dark = thing.builder.paint((0.03, 0.03, 0.03))
    for x in axles:
        for side in (-1.0, 1.0):
            y = side * width / 2
            thing.cylinder((x, y - side * 0.05, radius), (x, y + side * 0.006, radius),
                           1.18 * radius, dark)


def _lamps(thing: Thing, length: float, width: float, z: float, height: float = 0.13) -> None:
    """Head lamps, tail lamps and number plates."""
    build = thing.builder
    for side in (-1.0, 1.0):
        y = side * (width / 2 - 0.24)
        thing.box((length / 2 - 0.05, y, z), (0.12, 0.34, height),
                  build.paint((0.9, 0.9, 0.85), gloss=0.8, emission=0.2))
        thing.box((-length / 2 + 0.05, y, z + 0.08), (0.12, 0.3, 1.3 * height),
                  build.paint((0.55, 0.03, 0.03), gloss=0.6, emission=0.15))
    plate = build.paint((0.85, 0.85, 0.75))
    thing.box((-length / 2, 0, z - 0.12), (0.04, 0.5, 0.12), plate)
    thing.box((length / 2, 0, z - 0.25), (0.04, 0.5, 0.12), plate)
    thing.box((length / 2 - 0.02, 0, z - 0.05), (0.06, 0.9, 0.14), build.paint(RUBBER))


def car(thing: Thing, rng: np.random.Generator) -> float:
    """Passenger car or delivery van; returns its length [m]."""
    names = list(CARS)
    shape = CARS[names[int(rng.choice(len(names), p=(.25, .22, .15, .18, .1, .1)))]]
    scale = float(rng.uniform(0.94, 1.06))
    length, width = shape.length * scale, shape.width * scale
    build = thing.builder
    body = build.paint(vary(rng, CAR_COLOURS[int(rng.choice(
        10, p=(.2, .16, .16, .12, .09, .09, .08, .03, .05, .02)))], 0.05), gloss=0.5)
    rear, front, clearance = -length / 2, length / 2, 0.22
    profile = ((rear + 0.05, clearance), (front - 0.1, clearance), (front, 0.4),
               (front - 0.04, shape.hood * 0.92), (front - 0.3, shape.hood),
               (rear + shape.windshield * length + 0.1, shape.belt), (rear + 0.04, shape.belt),
               (rear, 0.6))
    thing.mesh(prism(profile, (.94 * width, .9 * width, .94 * width, .94 * width, .97 * width,
                               width, width, .97 * width)), body)
    thing.mesh(prism(((rear + .1, .2), (front - .15, .2), (front + .02, .38), (front + .02, .48),
                      (rear - .02, .52), (rear - .02, .4)), .955 * width),
               build.paint(RUBBER) if rng.random() < 0.5 else body)
    _cabin(thing, rng, shape, length, width, body)
    radius = 0.31 * scale if shape.height < 1.7 else 0.36
    axles = (rear + 0.19 * length, front - 0.19 * length)
    _arches(thing, axles, 0.99 * width, radius)
    wheels(thing, axles, width + 0.03, radius)
    _lamps(thing, length, width, 0.62 if shape.height < 1.7 else 0.78)
    mirror_x = rear + (shape.windshield - 0.06) * length
    for side in (-1.0, 1.0):
        thing.ellipsoid((mirror_x, side * (width / 2 + 0.1), shape.belt + 0.06),
                        (0.12, 0.22, 0.15), body)
    return length


def _cabin(thing: Thing, rng: np.random.Generator, shape: CarShape, length: float, width: float,
           body: Material) -> None:
    """Roof and pillars in the body's colour with panes set into all four sides."""
    rear = -length / 2
    x = [rear + share * length for share in
         (shape.windshield, shape.roof_front, shape.roof_rear, shape.rear_window)]
    z0, z1, top = shape.belt - 0.02, shape.height, 0.76 * width
    low = 0.98 * width
    thing.mesh(prism(((x[3], z0), (x[0], z0), (x[1], z1 - 0.04), (x[1] - 0.25, z1), (x[2], z1)),
                     (low, low, 1.03 * top, top, top)), body)
    glass = thing.builder.paint(vary(rng, GLASS, 0.3), gloss=0.9)
    yl, yt = low / 2, 1.02 * top / 2
    front: Floats = np.array([[x[0], -yl, z0], [x[0], yl, z0], [x[1], yt, z1 - 0.04],
                              [x[1], -yt, z1 - 0.04]])
    back: Floats = np.array([[x[3], yl, z0], [x[3], -yl, z0], [x[2], -top / 2, z1],
                             [x[2], top / 2, z1]])
    right: Floats = np.array([[x[3], -yl, z0], [x[0], -yl, z0], [x[1], -yt, z1 - 0.05],
                              [x[2], -top / 2, z1 - 0.02]])
    left = right[[1, 0, 3, 2]] * (1, -1, 1)
    panes = [panel(front, (.06, .06, .06, .08)), panel(back, (.1, .12, .1, .15))]
    closed = shape.height > 2.0
    for side, forward in ((right, True), (left, False)):
        cuts = ((0.8, 0.97),) if closed else ((0.05, 0.3), (0.33, 0.62), (0.65, 0.95))
        for start, end in cuts:
            a, b = (start, end) if forward else (1 - end, 1 - start)
            panes.append(panel(side, (a, .1, 1 - b, .16)))
    thing.mesh(merge(panes), glass)


def truck(thing: Thing, rng: np.random.Generator) -> float:
    """Box truck; returns its length [m]."""
    build = thing.builder
    length, width, height = (float(rng.uniform(a, b)) for a, b in
                             ((6.0, 11.0), (2.3, 2.5), (2.9, 3.8)))
    cab = float(rng.uniform(1.7, 2.1))
    body = build.paint(vary(rng, CAR_COLOURS[int(rng.integers(10))], 0.1), gloss=0.4)
    front, rear = length / 2, -length / 2
    cab_top = min(height - 0.2, 2.8)
    thing.mesh(prism(((front - cab, .5), (front, .5), (front, 1.3), (front - .25, cab_top),
                      (front - cab, cab_top)), width - 0.1), body)
    w = (width - 0.1) / 2
    screen = ((front, -w, 1.3), (front, w, 1.3), (front - .25, w, cab_top),
              (front - .25, -w, cab_top))
    glass = build.paint(GLASS, gloss=0.9)
    thing.mesh(panel(screen, (.05, .08, .05, .2)), glass)
    for side in (-1.0, 1.0):
        thing.box((front - 0.75, side * w, 1.75), (0.8, 0.03, 0.6), glass)
    cargo_length = length - cab - 0.15
    if rng.random() < 0.5:
        cargo = build.texture(poster(rng), (cargo_length, height - 1.0))
    else:
        cargo = build.paint(vary(rng, (0.8, 0.8, 0.78), 0.15))
    middle = rear + cargo_length / 2
    thing.mesh(prism(((rear, 1.0), (rear + cargo_length, 1.0), (rear + cargo_length, height),
                      (rear, height)), width), cargo)
    for y in (-0.25, 0.25):
        thing.box((rear - 0.01, 2 * y, height / 2 + 0.5), (0.03, 0.03, height - 1.1),
                  build.paint((0.3, 0.3, 0.3)))
    thing.box((middle, 0, 0.8), (cargo_length, width - 0.7, 0.35), build.paint((0.1, 0.1, 0.1)))
    wheels(thing, (rear + 1.2, rear + 2.3, front - 0.9), width - 0.02, 0.48)
    thing.box((rear + 0.1, 0, 0.75), (0.1, width - 0.2, 0.12), build.paint((0.4, 0.05, 0.05)))
    _lamps(thing, length, width - 0.1, 0.8)
    return length


def bus(thing: Thing, rng: np.random.Generator) -> float:
    """City bus or coach; returns its length [m]."""
    build = thing.builder
    length, width, height = float(rng.uniform(9.0, 12.5)), 2.5, float(rng.uniform(2.9, 3.3))
    front, rear = length / 2, -length / 2
    body = build.paint(vary(rng, ((0.7, 0.1, 0.1), (0.85, 0.83, 0.75), (0.15, 0.35, 0.6),
                                  (0.85, 0.65, 0.1), (0.2, 0.5, 0.3))[int(rng.integers(5))], 0.1),
                       gloss=0.4)
    outline = ((rear, .35), (front, .35), (front, 1.2), (front - .15, height), (rear, height))
    thing.mesh(prism(outline, width), body)
    glass = build.paint(GLASS, gloss=0.9)
    w = width / 2
    panes = [
        panel(((front, -w, 1.0), (front, w, 1.0), (front - .15, w, height),
               (front - .15, -w, height)), (.05, .05, .05, .18)),
        panel(((rear, w, 1.2), (rear, -w, 1.2), (rear, -w, height), (rear, w, height)),
              (.12, .1, .12, .2))]
    count = int(length / 1.5)
    for i in range(count):
        a, b = front - .3 - (length - .6) * i / count, front - .3 - (length - .6) * (i + 1) / count
        panes.append(panel(((b, -w, 1.1), (a, -w, 1.1), (a, -w, 2.6), (b, -w, 2.6)),
                           (.05, .05, .05, .05)))
        panes.append(panel(((a, w, 1.1), (b, w, 1.1), (b, w, 2.6), (a, w, 2.6)),
                           (.05, .05, .05, .05)))
    thing.mesh(merge(panes), glass)
    wheels(thing, (rear + 2.5, front - 2.3), width + 0.02, 0.48)
    _lamps(thing, length, width, 0.75, 0.2)
    return length


def bicycle(thing: Thing, rng: np.random.Generator) -> None:
    """Bicycle with thin wheels; the thing's class decides whether it counts as its rider."""
    build = thing.builder
    tyre = build.paint(RUBBER)
    frame = build.paint(vary(rng, CAR_COLOURS[int(rng.integers(10))], 0.2), gloss=0.4)
    for x in (-0.52, 0.52):
        for i in range(12):
            a, b = 2 * np.pi * i / 12, 2 * np.pi * (i + 1) / 12
            thing.capsule((x + .33 * np.cos(a), 0, .34 + .33 * np.sin(a)),
                          (x + .33 * np.cos(b), 0, .34 + .33 * np.sin(b)), 0.016, tyre)
    rear_hub, front_hub, pedals, saddle = (-.52, .34), (.52, .34), (-.15, .3), (-.2, .88)
    for start, end in ((rear_hub, saddle), (pedals, saddle), ((-.2, .8), (.35, .85)),
                       ((.35, .95), front_hub), (pedals, (.38, .78)), (rear_hub, pedals)):
        thing.capsule((start[0], 0, start[1]), (end[0], 0, end[1]), 0.022, frame)
    thing.capsule((.33, -.26, 1.0), (.33, .26, 1.0), 0.016, tyre)
    thing.ellipsoid((-.2, 0, .93), (.26, .14, .08), tyre)


def parked_bicycle(build: SceneBuilder, rng: np.random.Generator, position: Floats,
                   yaw: float) -> None:
    """Riderless bicycle: a vehicle."""
    bicycle(build.thing('bicycle', SceneClass.VEHICLE, position, yaw), rng)
