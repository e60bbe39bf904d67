"""From a seed to frames: build a layout, draw cameras, render, photograph, write."""

from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from deepsight_training.worlds.corridor import build_corridor
from deepsight_training.worlds.corridor import corridor_camera
from deepsight_training.worlds.frames import make_frame
from deepsight_training.worlds.frames import save_frame
from deepsight_training.worlds.frames import WorldFrame
from deepsight_training.worlds.photograph import haze
from deepsight_training.worlds.photograph import photograph
from deepsight_training.worlds.photograph import random_sensor
from deepsight_training.worlds.raycast import cast
from deepsight_training.worlds.raycast import Surfaces
from deepsight_training.worlds.render import Renderer
from deepsight_training.worlds.room import build_room
from deepsight_training.worlds.room import room_camera
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.street import build_street
from deepsight_training.worlds.street import street_camera
from deepsight_training.worlds.viewpoint import Floats
from deepsight_training.worlds.viewpoint import Pinhole
from deepsight_training.worlds.world import World

Camera = Callable[[np.random.Generator], Floats]
"""Draws a camera pose [4, 4] inside a layout."""

FRAMES_PER_LAYOUT: Final = 3
FOV: Final = (50.0, 100.0)
"""Range of horizontal fields of view [degrees]."""


def street(seed: int) -> tuple[World, Camera]:
    """Street layout and its cameras."""
    world, line, plan = build_street(seed)
    return world, lambda rng: street_camera(rng, line, plan)


def room(seed: int) -> tuple[World, Camera]:
    """Room layout and its cameras."""
    world, plan = build_room(seed)
    return world, lambda rng: room_camera(rng, plan)


def corridor(seed: int) -> tuple[World, Camera]:
    """Corridor layout and its cameras."""
    world, plan = build_corridor(seed)
    return world, lambda rng: corridor_camera(rng, plan)


KINDS: Final[dict[str, Callable[[int], tuple[World, Camera]]]] = {
    'street': street, 'room': room, 'corridor': corridor}


def usable(world: World, surfaces: Surfaces) -> bool:
    """Whether a camera sees a scene rather than the inside or the near side of one object."""
    depth = surfaces.depth
    largest = np.bincount(world.geom_thing[surfaces.geoms].ravel())[1:].max(initial=0)
    return bool(depth.min() > 0.3 and np.mean(depth < 1.0) < 0.3 and np.mean(depth > 1.8) > 0.25
                and largest < 0.6 * depth.size)


def layout_frames(kind: str, seed: int, size: tuple[int, int],
                  pictures: bool = True) -> list[WorldFrame]:
    """Return FRAMES_PER_LAYOUT frames (width x height = ``size``) of the layout ``seed``.

    Without ``pictures``, depth and labels come from ray casting and no OpenGL is needed.
    """
    if kind not in KINDS:
        raise WorldError(f'unknown kind {kind!r}; choose from {", ".join(KINDS)}')
    world, draw = KINDS[kind](seed)
    rng = np.random.default_rng([seed, 2])
    camera = Pinhole.from_fov(*size, float(np.radians(rng.uniform(*FOV))))
    if not pictures:
        return list(islice(_geometry(world, draw, camera, rng), FRAMES_PER_LAYOUT))
    with Renderer(world, camera) as renderer:
        return list(islice(_photographs(world, draw, renderer, rng), FRAMES_PER_LAYOUT))


def _geometry(world: World, draw: Camera, camera: Pinhole,
              rng: np.random.Generator) -> Iterator[WorldFrame]:
    while True:
        pose = draw(rng)
        world.set_camera(pose)
        surfaces = cast(world, pose, camera)
        if usable(world, surfaces):
            yield make_frame(world, surfaces, camera, pose, None)


def _photographs(world: World, draw: Camera, renderer: Renderer,
                 rng: np.random.Generator) -> Iterator[WorldFrame]:
    while True:
        pose = draw(rng)
        world.set_camera(pose)
        surfaces = renderer.surfaces()
        if not usable(world, surfaces):
            continue
        picture = haze(renderer.colours(pose), surfaces.depth, world.atmosphere)
        yield make_frame(world, surfaces, renderer.camera, pose,
                         photograph(picture, random_sensor(rng), rng))


def _write_layout(kind: str, size: tuple[int, int], pictures: bool, out: Path, frames: int,
                  task: tuple[int, int]) -> int:
    """Write the frames of one layout; ``task`` holds its index and seed."""
    index, seed = task
    first = index * FRAMES_PER_LAYOUT
    rendered = layout_frames(kind, seed, size, pictures)[:frames - first]
    for offset, frame in enumerate(rendered):
        save_frame(frame, out / f'{first + offset:06d}')
    return len(rendered)


def write_frames(kind: str, frames: int, seed: int, size: tuple[int, int], out: Path,
                 jobs: int = 1, pictures: bool = True) -> None:
    """Write ``frames`` numbered frames into ``out``; layouts take the seeds from ``seed`` on."""
    out.mkdir(parents=True, exist_ok=True)
    layouts = -(-frames // FRAMES_PER_LAYOUT)
    tasks = [(i, seed + i) for i in range(layouts)]
    work = partial(_write_layout, kind, size, pictures, out, frames)
    with tqdm(total=frames, unit='frame', desc=kind) as bar:
        if jobs == 1:
            for count in map(work, tasks):
                bar.update(count)
        else:
            with ProcessPoolExecutor(jobs) as pool:
                for count in pool.map(work, tasks):
                    bar.update(count)
