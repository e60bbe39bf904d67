"""Houses, blocks and halls: textured walls, roofs, shop fronts, balconies, doors."""

from dataclasses import dataclass

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.facades import BAYS
from deepsight_training.worlds.facades import facade
from deepsight_training.worlds.facades import shop_front
from deepsight_training.worlds.facades import STOREYS
from deepsight_training.worlds.facades import wall as masonry
from deepsight_training.worlds.meshes import box_walls
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import merge
from deepsight_training.worlds.meshes import panel
from deepsight_training.worlds.meshes import prism
from deepsight_training.worlds.meshes import quad
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import tiles
from deepsight_training.worlds.textures import vary

BAY_WIDTH, STOREY_HEIGHT = 3.0, 3.1


@dataclass(frozen=True)
class BuildingStyle:
    """Materials that the buildings of one street choose from."""

    facades: tuple[Material, ...]
    walls: tuple[Material, ...]
    shops: tuple[Material, ...]
    roofs: tuple[Material, ...]


def building_style(build: SceneBuilder, rng: np.random.Generator) -> BuildingStyle:
    """Draw the materials of a street."""
    bay, storey = float(rng.uniform(2.2, 3.8)), float(rng.uniform(2.8, 3.5))
    roof_colours = ((0.45, 0.22, 0.16), (0.25, 0.24, 0.25), (0.38, 0.3, 0.25))
    return BuildingStyle(
        tuple(build.texture(facade(rng), (BAYS * bay, STOREYS * storey)) for _ in range(7)),
        tuple(build.texture(masonry(rng, 512), 3.5) for _ in range(3)),
        tuple(build.texture(shop_front(rng), (14.0, 3.2)) for _ in range(2)),
        tuple(build.texture(
            tiles(rng, vary(rng, c, 0.15), 16, 12, 0.5, contrast=0.15, size=256), 4.0)
              for c in roof_colours))


def _gable(thing: Thing, depth: float, width: float, base: float, rise: float,
           roof: Material, wall: Material) -> None:
    """Saddle roof with its ridge along y, eaves over the walls."""
    half, over = depth / 2, 0.35
    slope = rise * over / half
    ridge = base + rise
    for side in (1.0, -1.0):
        eave = (side * (half + over), base - slope)
        w = side * (width / 2 + over)
        thing.mesh(quad(((eave[0], -w, eave[1]), (eave[0], w, eave[1]), (0, w, ridge),
                         (0, -w, ridge))), roof)
    thing.mesh(prism(((-half, base - .05), (half, base - .05), (0, ridge - .08)), width), wall)


def building(build: SceneBuilder, rng: np.random.Generator, style: BuildingStyle,
             position: Floats, yaw: float, size: tuple[float, float, float],
             gabled: bool) -> None:
    """Building of ``size`` (depth along x, width along y, wall height); its front faces +x."""
    depth, width, height = size
    thing = build.thing('building', SceneClass.STRUCTURE, position, yaw)
    front_wall = style.facades[int(rng.integers(len(style.facades)))]
    side_wall = style.walls[int(rng.integers(len(style.walls)))]
    front, left, back, right = box_walls((depth, width, height))
    same = rng.random() < 0.6
    thing.mesh(merge((front, back)), front_wall)
    thing.mesh(merge((left, right)), front_wall if same else side_wall)
    roof = style.roofs[int(rng.integers(len(style.roofs)))]
    if gabled:
        _gable(thing, depth, width, height, depth * float(rng.uniform(0.25, 0.5)), roof, side_wall)
    else:
        thing.box((0, 0, height + 0.15), (depth + 0.5, width + 0.1, 0.4),
                  build.paint(vary(rng, (0.5, 0.48, 0.45), 0.2)))
    x, half = depth / 2, width / 2
    if height > 7 and rng.random() < 0.55:
        shop = style.shops[int(rng.integers(len(style.shops)))]
        thing.mesh(panel(((x, -half, 0), (x, half, 0), (x, half, 3.3), (x, -half, 3.3)),
                         (0, 0, 0, 0), 0.06), shop)
        if rng.random() < 0.5:
            thing.box((x + 0.5, 0, 2.9), (1.0, width * 0.8, 0.08),
                      build.paint(vary(rng, (0.5, 0.2, 0.15), 0.6)))
    else:
        _door(thing, rng, x, width)
    if height > 9 and rng.random() < 0.35:
        slab = build.paint(vary(rng, (0.7, 0.69, 0.66), 0.15))
        for z in np.arange(3.4, height - 2.0, STOREY_HEIGHT):
            for y in np.arange(-half + 2.5, half - 1.5, 2 * BAY_WIDTH):
                thing.box((x + 0.6, y, z), (1.2, 2.6, 0.15), slab)
                thing.box((x + 1.15, y, z + 0.55), (0.06, 2.6, 0.9), slab)


def _door(thing: Thing, rng: np.random.Generator, x: float, width: float) -> None:
    """House door with frame and step."""
    build = thing.builder
    y = float(rng.uniform(-0.3, 0.3)) * width
    thing.box((x, y, 1.1), (0.16, 1.25, 2.2), build.paint((0.75, 0.74, 0.7)))
    thing.box((x + 0.05, y, 1.05), (0.16, 1.0, 2.05),
              build.paint(vary(rng, (0.35, 0.2, 0.12), 0.5)))
    thing.box((x + 0.35, y, 0.08), (0.7, 1.5, 0.16), build.paint((0.55, 0.54, 0.52)))


def skyline(build: SceneBuilder, rng: np.random.Generator, style: BuildingStyle,
            distance: float, wood: str, leaves: Material) -> None:
    """Blocks and edges of woods all around at about ``distance`` metres."""
    for angle in np.arange(0.0, 2 * np.pi, 0.09):
        reach = distance * float(rng.uniform(0.9, 1.5))
        position = np.array([reach * np.cos(angle) + 40.0, reach * np.sin(angle), -0.5])
        if rng.random() < 0.6:
            thing = build.thing('wood', SceneClass.VEGETATION, position, angle)
            thing.mesh(wood, leaves)
        else:
            size = rng.uniform((10, 12, 6), (18, 30, 26))
            thing = build.thing('building', SceneClass.STRUCTURE, position, angle + np.pi)
            front, left, back, right = box_walls(size)
            thing.mesh(merge((front, left, back, right)),
                       style.facades[int(rng.integers(len(style.facades)))])
            thing.box((0, 0, size[2]), (size[0], size[1], 0.4), build.paint((0.45, 0.43, 0.42)))
