"""Depth frames of the worlds by ray casting: which layouts, which cameras, for which split."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.sample import SIZE
from deepsight_training.instructions.splits import Split
from deepsight_training.worlds.corridor import build_corridor
from deepsight_training.worlds.hall import build_hall
from deepsight_training.worlds.held_out import build_car_park
from deepsight_training.worlds.held_out import build_classroom
from deepsight_training.worlds.held_out import build_market
from deepsight_training.worlds.held_out import build_ward
from deepsight_training.worlds.held_out import build_warehouse
from deepsight_training.worlds.interior import Shell
from deepsight_training.worlds.raycast import cast_rays
from deepsight_training.worlds.raycast import Surfaces
from deepsight_training.worlds.room import build_room
from deepsight_training.worlds.room import FloorPlan
from deepsight_training.worlds.scatter import build_crowd
from deepsight_training.worlds.scatter import build_scatter
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.street import build_street
from deepsight_training.worlds.traffic import camera_lane
from deepsight_training.worlds.viewpoint import camera_pose
from deepsight_training.worlds.viewpoint import Floats
from deepsight_training.worlds.world import World

FRAMES_PER_LAYOUT: Final = 6
_MAX_TRIES: Final = 60

Stand = Callable[[np.random.Generator], tuple[float, float, float, float]]
"""Draws where a camera stands: x, y, height of the ground there (m), heading (rad)."""


@dataclass(frozen=True)
class Layout:
    """A built world, where cameras may stand in it, and what the place is."""

    world: World
    stand: Stand
    scene: str
    shell: Shell | None = None
    """Inner measures of an interior."""


_CLASS_OF: Final = {
    'skirting': 'wall', 'window': 'wall', 'picture': 'wall', 'door': 'wall',
    'coffee table': 'table', 'hedge': 'bush', 'wood': 'tree', 'cyclist': 'person',
    'lamp post': 'pole', 'sign': 'pole', 'traffic light': 'pole', 'bollard': 'pole'}
"""Class of things whose name is no class: what cannot be told apart by shape shares one."""


def _interior(plan: FloorPlan, view: str) -> Stand:
    """Stand on free floor and look into the room, ``along`` its length, or at all of it."""
    shell = plan.shell

    def stand(rng: np.random.Generator) -> tuple[float, float, float, float]:
        x = y = 0.0
        for _ in range(50):
            x = float(rng.uniform(0.3, 1.5 if view == 'all' else shell.length - 0.3))
            y = float(rng.uniform(-.5, .5)) * (shell.width - 0.6)
            if plan.free(x, y, 0.25, 0.25):
                break
        if view == 'along':
            yaw = (np.pi if x > shell.length / 2 else 0.0) + float(rng.normal(0, 0.25))
        else:
            spread = 0.2 if view == 'all' else 0.8
            yaw = float(np.arctan2(-y, shell.length / 2 - x) + rng.normal(0, spread))
        return x, y, 0.0, yaw
    return stand


def _street(seed: int) -> Layout:
    world, line, plan = build_street(seed)

    def stand(rng: np.random.Generator) -> tuple[float, float, float, float]:
        s = float(rng.uniform(0, 70))
        d, ground = camera_lane(plan) + float(rng.normal(0, 0.35)), 0.0
        if plan.pavement > 0 and rng.random() < 0.4:
            side = float(rng.choice([-1.0, 1.0]))
            d, ground = side * (plan.pavement_inner + plan.pavement_outer) / 2, plan.kerb
        x, y, z = line.point(s, d, ground)
        turned = float(rng.normal(0, 0.9 if rng.random() < 0.25 else 0.1))
        return float(x), float(y), float(z), line.heading(s) + turned
    return Layout(world, stand, 'street')


def build_layout(kind: str, seed: int) -> Layout:
    """Build the layout ``seed`` of a kind that a split names."""
    if kind == 'street':
        return _street(seed)
    if kind not in _INTERIORS:
        raise WorldError(f'unknown layout {kind!r}; known are street, {", ".join(_INTERIORS)}')
    builder, scene, view = _INTERIORS[kind]
    world, plan = builder(seed)
    return Layout(world, _interior(plan, view), scene, plan.shell)


_INTERIORS: Final[dict[str, tuple[Callable[[int], tuple[World, FloorPlan]], str, str]]] = {
    'room': (build_room, 'room', 'into'), 'scatter': (build_scatter, 'room', 'into'),
    'crowd': (build_crowd, 'room', 'all'), 'corridor': (build_corridor, 'corridor', 'along'),
    'hall': (build_hall, '', 'into'),
    'classroom': (build_classroom, 'room', 'into'), 'warehouse': (build_warehouse, '', 'along'),
    'car_park': (build_car_park, '', 'along'), 'ward': (build_ward, 'room', 'into'),
    'market': (build_market, '', 'into')}
"""Builder, scene class (empty: none of those that models know) and where one stands and looks."""


def layout_samples(split: Split, kind: str, seed: int,
                   size: tuple[int, int] = SIZE) -> Iterator[FrameSample]:
    """Yield up to FRAMES_PER_LAYOUT frames (width x height = ``size``) of one layout."""
    layout = build_layout(kind, seed)
    classes = _class_of_geom(layout.world)
    rng = np.random.default_rng([seed, 12])
    found = 0
    for _ in range(_MAX_TRIES):
        pose, matrix = _draw_camera(split, layout, rng, size)
        layout.world.set_camera(pose)
        surfaces = cast_rays(layout.world, pose, _rays(matrix, size))
        if not _usable(layout.world, surfaces):
            continue
        ground = pose[2, 3] - layout_ground(layout, pose)
        yield _sample(f'{kind}-{seed}-{found}', layout, surfaces, classes, pose, matrix, ground)
        found += 1
        if found == FRAMES_PER_LAYOUT:
            return


def layout_ground(layout: Layout, pose: Floats) -> float:
    """Height of the ground [m] below a camera: on a pavement it is the kerb's."""
    down = np.array([[[0.0, 0.0, 1.0]]])
    looking_down = np.eye(4)
    looking_down[:3, :3] = np.diag([1.0, -1.0, -1.0])
    looking_down[:3, 3] = pose[:3, 3]
    return float(pose[2, 3] - cast_rays(layout.world, looking_down, down).depth[0, 0])


def _draw_camera(split: Split, layout: Layout, rng: np.random.Generator,
                 size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Draw pose [4, 4] and camera matrix [3, 3]; four in ten have pixels that are not square."""
    x, y, ground, yaw = layout.stand(rng)
    height = _in_bands(rng, split.height)
    if layout.shell is not None:
        height = min(height, layout.shell.height - 0.3)
    steep = rng.random() < (0.5 if height > 0.9 and layout.shell else 0.15)
    pitch = float(rng.uniform(0.1, 0.65) if steep else rng.normal(0.03, 0.07))
    pose = camera_pose((x, y, ground + height), yaw, pitch, float(rng.normal(0, 0.025)))
    focal = size[0] / 2 / np.tan(np.radians(_in_bands(rng, split.fov)) / 2)
    squash = 1.0
    if rng.random() < 0.4:
        # A picture of another shape resized to ours: 16:9 gives 1.33, KITTI's 2.5.
        squash = float(np.exp(rng.uniform(0.0, np.log(2.6) if layout.shell is None else 0.35)))
    centre = (np.array(size) - 1) / 2 + rng.normal(0, 0.01, 2) * size
    return pose, np.array([[focal, 0, centre[0]], [0, focal * squash, centre[1]], [0, 0, 1]])


def _in_bands(rng: np.random.Generator, bands: tuple[tuple[float, float], ...]) -> float:
    widths = np.array([high - low for low, high in bands])
    low, high = bands[int(rng.choice(len(bands), p=widths / widths.sum()))]
    return float(rng.uniform(low, high))


def _rays(matrix: Floats, size: tuple[int, int]) -> Floats:
    u, v = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return np.stack([(u - matrix[0, 2]) / matrix[0, 0], (v - matrix[1, 2]) / matrix[1, 1],
                     np.ones(u.shape)], -1)


def _usable(world: World, surfaces: Surfaces) -> bool:
    """Whether a camera sees a scene rather than the inside or the near side of one object."""
    depth = surfaces.depth
    largest = np.bincount(world.geom_thing[surfaces.geoms].ravel())[1:].max(initial=0)
    return bool(depth.min() > 0.15 and np.mean(depth < 0.4) < 0.2 and np.mean(depth > 1.5) > 0.2
                and largest < 0.6 * depth.size)


def _class_of_geom(world: World) -> np.ndarray:
    """Class index [ngeom + 1] of every geom; the last entry is the sky."""
    index = {name: i for i, name in enumerate(CLASS_NAMES)}
    by_thing = {thing.id: index.get(_CLASS_OF.get(thing.name, thing.name), 0)
                for thing in world.things}
    classes = np.full(world.model.ngeom + 1, index['sky'], np.uint8)
    flat = (SceneClass.ROAD, SceneClass.PAVEMENT, SceneClass.TERRAIN)
    for geom, (scene_class, thing) in enumerate(
            zip(world.geom_class[:-1], world.geom_thing[:-1], strict=True)):
        if thing:
            classes[geom] = by_thing[int(thing)]
        elif scene_class in flat:
            classes[geom] = index['ground']
        else:
            half = world.model.geom_aabb[geom, 3:]
            level = np.abs(world.data.geom_xmat[geom].reshape(3, 3)[2]) @ half < 0.02
            classes[geom] = index['ceiling' if level else 'wall']
    return classes


def _sample(name: str, layout: Layout, surfaces: Surfaces, classes: np.ndarray, pose: Floats,
            matrix: Floats, camera_height: float) -> FrameSample:
    depth = np.where(np.isfinite(surfaces.depth), surfaces.depth, np.nan).astype(np.float32)
    return FrameSample(
        name, depth, matrix, np.asarray(pose[2, :3]), camera_height,
        layout.world.geom_thing[surfaces.geoms], classes[surfaces.geoms], scene=layout.scene,
        indoors=layout.shell is not None, extents=_extents(layout, depth, pose, matrix))


def _extents(layout: Layout, depth: np.ndarray, pose: Floats, matrix: Floats) -> dict[str, float]:
    """Height and width [m] of an interior whose ceiling, or both side walls, are in view."""
    shell = layout.shell
    if shell is None:
        return {}
    points = (_rays(matrix, depth.shape[::-1]) * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3]
    extents = {}
    if np.mean(points[..., 2] > shell.height - 0.05) > 0.02:
        extents['height'] = shell.height
    forward = pose[:2, 2] / np.linalg.norm(pose[:2, 2])
    for axis, low, high in ((1, -shell.width / 2, shell.width / 2), (0, 0.0, shell.length)):
        along = points[..., axis]
        both = min(np.mean(along < low + 0.05), np.mean(along > high - 0.05))
        if abs(forward[axis]) < 0.5 and both > 0.01:
            extents['width'] = high - low
    return extents
