"""The road itself: a gently curved centre line and the strips laid along it."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import merge
from deepsight_training.worlds.meshes import Mesh
from deepsight_training.worlds.meshes import ribbon
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.textures import asphalt
from deepsight_training.worlds.textures import concrete
from deepsight_training.worlds.textures import grass
from deepsight_training.worlds.textures import paving
from deepsight_training.worlds.textures import vary

START, END = -45.0, 190.0
"""Extent of a street along its centre line [m]; cameras stand between 0 and 80."""
PAINT_THICKNESS = 0.0012


@dataclass(frozen=True)
class CentreLine:
    """Arc of constant curvature [1/m] through the origin along +x; d is the offset to the left."""

    curvature: float

    def point(self, s: npt.ArrayLike, d: npt.ArrayLike, z: float = 0.0) -> Floats:
        """World points [..., 3] at arc length ``s`` and offset ``d``."""
        s, d = np.broadcast_arrays(np.asarray(s, float), np.asarray(d, float))
        k = self.curvature
        heading = k * s
        x = s * np.sinc(heading / np.pi) - d * np.sin(heading)
        y = s * np.sinc(heading / 2 / np.pi) * np.sin(heading / 2) + d * np.cos(heading)
        return np.stack([x, y, np.full(x.shape, z)], -1)

    def heading(self, s: float) -> float:
        """Direction of the road at ``s`` [rad]."""
        return self.curvature * s

    def strip(self, d_left: float, d_right: float, z: float, start: float = START,
              end: float = END, step: float = 2.5) -> Mesh:
        """Level strip between two offsets."""
        s = np.linspace(start, end, max(int((end - start) / step) + 1, 2))
        return ribbon(self.point(s, d_left, z), self.point(s, d_right, z))

    def riser(self, d: float, bottom: float, top: float, start: float = START,
              end: float = END) -> Mesh:
        """Upright strip at offset ``d``: the face of a kerb."""
        s = np.linspace(start, end, max(int((end - start) / 2.5) + 1, 2))
        side = np.sign(d) if d else 1.0
        low, high = self.point(s, d, bottom), self.point(s, d, top)
        return ribbon(high, low) if side > 0 else ribbon(low, high)


@dataclass(frozen=True)
class StreetPlan:
    """Cross-section of a street: offsets from the centre line [m], the same on both sides."""

    style: str
    lanes: int
    lane_width: float
    parking: float
    """Width of the parking strip beside the lanes, 0 for none."""
    verge: float
    """Width of the grass between kerb and pavement, 0 for none."""
    pavement: float
    """Width of the pavement, 0 for none."""
    kerb: float
    """Height of kerb and pavement above the road."""
    setback: float
    """From the pavement's outer edge to the buildings."""

    @property
    def lanes_edge(self) -> float:
        """Outer edge of the lanes."""
        return self.lanes * self.lane_width / 2

    @property
    def kerb_line(self) -> float:
        """Outer edge of the asphalt."""
        return self.lanes_edge + self.parking

    @property
    def pavement_inner(self) -> float:
        """Inner edge of the pavement."""
        return self.kerb_line + 0.16 + self.verge

    @property
    def pavement_outer(self) -> float:
        """Outer edge of the pavement."""
        return self.pavement_inner + self.pavement

    @property
    def front(self) -> float:
        """Line of the house fronts."""
        return self.pavement_outer + self.setback


def street_plan(rng: np.random.Generator) -> StreetPlan:
    """Draw an urban, suburban, rural or industrial street."""
    style = str(rng.choice(['urban', 'suburban', 'rural', 'industrial'], p=(.45, .3, .15, .1)))
    urban, rural = style == 'urban', style == 'rural'
    return StreetPlan(
        style=style,
        lanes=int(rng.choice([2, 2, 3, 4])) if not rural else 2,
        lane_width=float(rng.uniform(2.9, 3.7)),
        parking=0.0 if rural or rng.random() < 0.35 else float(rng.uniform(2.0, 2.4)),
        verge=float(rng.uniform(0.8, 3.0)) if not urban and rng.random() < 0.5 else 0.0,
        pavement=0.0 if rural else float(rng.uniform(1.6, 4.5)),
        kerb=0.0 if rural else float(rng.uniform(0.06, 0.16)),
        setback=float({'urban': rng.uniform(0.0, 1.0), 'suburban': rng.uniform(3.0, 9.0),
                       'rural': rng.uniform(12.0, 40.0),
                       'industrial': rng.uniform(3.0, 12.0)}[style]))


def lay_road(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
             plan: StreetPlan) -> None:
    """Asphalt, kerbs, pavements, verges and the ground beyond."""
    tar = build.texture(asphalt(rng), 12.0)
    green = build.texture(grass(rng), 5.0)
    edge = plan.kerb_line
    build.surface(line.strip(edge, -edge, 0.0), tar, SceneClass.ROAD)
    if plan.parking and rng.random() < 0.5:
        other = build.texture(paving(rng), 2.5)
        for side in (1.0, -1.0):
            build.surface(_sided(line, side, plan.lanes_edge, edge, 0.001), other,
                          SceneClass.ROAD)
    stone = build.texture(concrete(rng, vary(rng, (0.6, 0.59, 0.57), 0.12), 256), 1.0)
    slabs = build.texture(paving(rng), float(rng.uniform(2.0, 3.0)))
    yard, yard_class = green, SceneClass.TERRAIN
    if plan.style == 'urban' or (plan.style != 'rural' and rng.random() >= 0.75):
        yard = build.texture(concrete(rng, vary(rng, (0.5, 0.47, 0.42), 0.15)), 6.0)
        yard_class = SceneClass.PAVEMENT
    for side in (1.0, -1.0):
        if plan.pavement:
            build.surface(merge((
                line.riser(side * edge, -0.02, plan.kerb),
                _sided(line, side, edge, edge + 0.16, plan.kerb))), stone, SceneClass.PAVEMENT)
            build.surface(_sided(line, side, plan.pavement_inner, plan.pavement_outer, plan.kerb),
                          slabs, SceneClass.PAVEMENT)
        if plan.verge:
            build.surface(_sided(line, side, edge + (.16 if plan.pavement else 0),
                                 plan.pavement_inner, plan.kerb - 0.01), green,
                          SceneClass.TERRAIN)
        inner = plan.pavement_outer if plan.pavement else edge
        build.surface(_sided(line, side, inner, plan.front + 25.0, plan.kerb - 0.005), yard,
                      yard_class)
    far = np.array([[-600.0, 600, -0.06], [600, 600, -0.06]])
    build.surface(ribbon(far, far * (1, -1, 1)), green, SceneClass.TERRAIN)


def _sided(line: CentreLine, side: float, inner: float, outer: float, z: float) -> Mesh:
    """Strip on the left (side 1) or right (-1) of the road."""
    return line.strip(outer, inner, z) if side > 0 else line.strip(-inner, -outer, z)


def paint_marks(build: SceneBuilder, rng: np.random.Generator, line: CentreLine,
                plan: StreetPlan) -> None:
    """Lane and edge lines, zebra crossings, patches and manhole covers, all part of the road."""
    worn = float(rng.uniform(0.6, 0.95))
    yellow = rng.random() < 0.2
    white = build.paint((worn, worn * (0.85 if yellow else 1.0), worn * (0.35 if yellow else .97)))
    plain = build.paint((worn, worn, 0.97 * worn))
    width = float(rng.uniform(0.1, 0.16))
    dash, gap = float(rng.uniform(2.0, 4.0)), float(rng.uniform(3.0, 8.0))
    if rng.random() < 0.85:
        for lane in range(1, plan.lanes):
            offset = plan.lane_width * lane - plan.lanes_edge
            solid = lane * 2 == plan.lanes and rng.random() < 0.4
            _line(build, line, offset, width, white if lane * 2 == plan.lanes else plain,
                  None if solid else (dash, gap))
    if rng.random() < (0.9 if plan.style == 'rural' else 0.5):
        for side in (1.0, -1.0):
            offset = plan.lanes_edge - (0.3 if not plan.parking else 0.0)
            _line(build, line, side * offset, width, plain, None)
    if plan.pavement and rng.random() < 0.6:
        _zebra(build, line, plan, float(rng.uniform(12, 90)), plain)
    for layer in range(int(rng.integers(0, 9))):
        s, d = rng.uniform(-20, 100), rng.uniform(-1, 1) * (plan.lanes_edge - 1.5)
        size = rng.uniform((1.0, 0.6), (9.0, 1.6))
        shade = float(rng.uniform(0.12, 0.4))
        build.surface(line.strip(d + size[1], d - size[1], 1e-4 * (layer + 1), s, s + size[0]),
                      build.paint((shade, shade, shade)), SceneClass.ROAD)
    for _ in range(int(rng.integers(0, 5))):
        s, d = rng.uniform(0, 90), rng.uniform(-1, 1) * (plan.lanes_edge - 0.6)
        build.add_geom(build.things[0], SceneClass.ROAD, build.paint((0.16, 0.15, 0.15), gloss=.2),
                       type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=line.point(s, d),
                       size=(0.33, 0.0015, 0))


def _line(build: SceneBuilder, line: CentreLine, offset: float, width: float, paint: Material,
          dashes: tuple[float, float] | None) -> None:
    """Solid line, or dashes of the given length and gap, as one mesh."""
    half = width / 2
    if dashes is None:
        mesh = line.strip(offset + half, offset - half, PAINT_THICKNESS)
    else:
        mesh = merge([line.strip(offset + half, offset - half, PAINT_THICKNESS, s, s + dashes[0])
                      for s in np.arange(START, END - dashes[0], sum(dashes))])
    build.surface(mesh, paint, SceneClass.ROAD)


def _zebra(build: SceneBuilder, line: CentreLine, plan: StreetPlan, at: float,
           paint: Material) -> None:
    """Zebra crossing over all lanes."""
    bars = [line.strip(d + 0.5, d, 1.5 * PAINT_THICKNESS, at, at + 3.5)
            for d in np.arange(-plan.kerb_line + 0.3, plan.kerb_line - 0.5, 1.0)]
    build.surface(merge(bars), paint, SceneClass.ROAD)
