"""Trees, bushes and hedges: trunks with clouds of leaves, reused from a few models per scene."""

from dataclasses import dataclass

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.meshes import box
from deepsight_training.worlds.meshes import cards
from deepsight_training.worlds.meshes import Floats
from deepsight_training.worlds.meshes import merge
from deepsight_training.worlds.meshes import Mesh
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.textures import bark
from deepsight_training.worlds.textures import foliage


def leaf_cloud(rng: np.random.Generator, centre: Floats, size: Floats, count: int,
               leaf: float) -> Mesh:
    """Leaves near the surface of an ellipsoid, clumped so that its outline is ragged."""
    clumps = rng.standard_normal((max(count // 60, 6), 3))
    clumps /= np.linalg.norm(clumps, axis=1, keepdims=True)
    clumps *= rng.uniform(0.35, 0.95, (len(clumps), 1))
    points = clumps[rng.integers(0, len(clumps), count)] + rng.normal(0.0, 0.2, (count, 3))
    return cards(rng, centre + points * size / 2, leaf, centre)


@dataclass(frozen=True)
class TreeModel:
    """Crown mesh and bark for any number of like trees."""

    crown: str
    leaves: Material
    bark: Material
    height: float
    trunk: float
    """Height of the lowest branches [m]."""


def tree_model(build: SceneBuilder, rng: np.random.Generator) -> TreeModel:
    """Broad, narrow or conical tree of 4 to 12 m."""
    height = float(rng.uniform(4.0, 12.0))
    trunk = height * float(rng.uniform(0.2, 0.4))
    width = (height - trunk) * float(rng.uniform(0.5, 1.1))
    leaf = float(rng.uniform(0.16, 0.3)) * (height / 8.0) ** 0.5
    parts = []
    if rng.random() < 0.2:
        for level in np.linspace(0.0, 1.0, 6):
            centre = np.array([0, 0, trunk * 0.5 + (height - trunk * 0.5) * (0.1 + 0.85 * level)])
            spread = width * (1.0 - 0.88 * level)
            parts.append(leaf_cloud(rng, centre, np.array([spread, spread, height * 0.22]),
                                    int(700 * (1.1 - level)), leaf))
    else:
        for _ in range(int(rng.integers(3, 7))):
            offset = rng.uniform(-0.28, 0.28, 3) * (width, width, height - trunk)
            centre = np.array([0, 0, (trunk + height) / 2]) + offset
            size = np.array([width, width, height - trunk]) * rng.uniform(0.45, 0.75)
            parts.append(leaf_cloud(rng, centre, size, 800, leaf))
    material = build.texture(foliage(rng), 1.0)
    return TreeModel(build.add_mesh(merge(parts)), material,
                     build.texture(bark(rng), (0.6, 0.6)), height, trunk)


def tree(build: SceneBuilder, rng: np.random.Generator, model: TreeModel,
         position: Floats) -> None:
    """Place a tree of the given model, turned at random."""
    thing = build.thing('tree', SceneClass.VEGETATION, position, float(rng.uniform(0, 2 * np.pi)))
    thick = 0.02 * model.height + 0.03
    thing.cylinder((0, 0, 0), (0, 0, model.trunk * 1.3), thick, model.bark)
    for angle in rng.uniform(0, 2 * np.pi, 4):
        reach = 0.25 * (model.height - model.trunk)
        thing.capsule((0, 0, model.trunk), (reach * np.cos(angle), reach * np.sin(angle),
                                            model.trunk + 1.6 * reach), thick * 0.45, model.bark)
    thing.mesh(model.crown, model.leaves)


def wood_model(build: SceneBuilder, rng: np.random.Generator) -> str:
    """Edge of a wood seen from afar: 40 m of crowns, 8 to 14 m high."""
    parts = []
    for y in np.arange(-20.0, 21.0, 3.5):
        height = float(rng.uniform(8.0, 14.0))
        centre = np.array([rng.uniform(-3, 3), y + rng.uniform(-1, 1), height * 0.5])
        parts.append(leaf_cloud(rng, centre, np.array([8.0, 7.0, height]), 260, 1.3))
    return build.add_mesh(merge(parts))


def bush_model(build: SceneBuilder, rng: np.random.Generator) -> tuple[str, Material]:
    """Rounded bush about a metre high."""
    size = np.array([1.4, 1.4, 1.1])
    mesh = leaf_cloud(rng, np.array([0, 0, 0.5]), size, 900, 0.15)
    vertices = mesh.vertices.copy()
    vertices[:, 2] = np.abs(vertices[:, 2])
    return (build.add_mesh(Mesh(vertices, mesh.normals, mesh.uv, mesh.faces)),
            build.texture(foliage(rng), 0.7))


def bush(build: SceneBuilder, rng: np.random.Generator, model: tuple[str, Material],
         position: Floats) -> None:
    """Place a bush."""
    thing = build.thing('bush', SceneClass.VEGETATION, position, float(rng.uniform(0, 6.28)))
    thing.mesh(*model)


def hedge(build: SceneBuilder, rng: np.random.Generator, position: Floats, yaw: float,
          length: float, leaves: Material) -> None:
    """Clipped hedge: a green core wrapped in leaves."""
    thing = build.thing('hedge', SceneClass.VEGETATION, position, yaw)
    height, width = float(rng.uniform(0.7, 2.0)), float(rng.uniform(0.5, 0.9))
    thing.mesh(box((length, width, height)), leaves)
    count = int(min(90 * length, 900))
    points = rng.uniform(-0.5, 0.5, (count, 3)) * (length, width, height)
    axis = rng.integers(1, 3, count)
    side = np.where(rng.random(count) < 0.5, -0.5, 0.5) * np.array([0, width, height])[axis]
    points[np.arange(count), axis] = side
    points[:, 2] = np.maximum(points[:, 2] + height / 2, 0.1)
    thing.mesh(cards(rng, points, 0.16, np.array([0, 0, height / 2])), leaves)
