"""Triangle meshes with normals and texture coordinates, all lengths in metres.

Texture coordinates are in metres as well (v down); the material divides them by the size of its
texture tile, so that bricks have the size of bricks on every wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """Triangles: ``vertices`` [n, 3], unit ``normals`` [n, 3], ``uv`` [n, 2], ``faces`` [m, 3]."""

    vertices: Floats
    normals: Floats
    uv: Floats
    faces: npt.NDArray[np.int32]


def merge(parts: Sequence[Mesh]) -> Mesh:
    """Return one mesh of all parts."""
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]
                       ).astype(np.int32))


def quad(corners: npt.ArrayLike, uv: npt.ArrayLike | None = None) -> Mesh:
    """Flat quadrilateral [4, 3], counter-clockwise seen from its front.

    Without ``uv``, the first edge is the texture's u axis and the fourth its v axis (upwards).
    """
    points = np.asarray(corners, np.float64)
    normal = np.cross(points[2] - points[0], points[3] - points[1])
    normal /= np.linalg.norm(normal)
    if uv is None:
        width = float(np.linalg.norm(points[1] - points[0]))
        height = float(np.linalg.norm(points[3] - points[0]))
        uv = ((0, height), (width, height), (width, 0), (0, 0))
    return Mesh(points, np.tile(normal, (4, 1)), np.asarray(uv, np.float64),
                np.array([[0, 1, 2], [0, 2, 3]], np.int32))


def grid(corners: npt.ArrayLike, step: float) -> Mesh:
    """Flat quadrilateral cut into cells of about ``step``.

    The renderer lights vertices only: walls and floors near a lamp need many of them.
    """
    c = np.asarray(corners, np.float64)
    across = max(int(np.ceil(np.linalg.norm(c[1] - c[0]) / step)), 1)
    along = max(int(np.ceil(np.linalg.norm(c[3] - c[0]) / step)), 1)
    s, t = np.meshgrid(np.linspace(0, 1, across + 1), np.linspace(0, 1, along + 1))
    s, t = s.reshape(-1, 1), t.reshape(-1, 1)
    flat = quad(c)
    index = np.arange((across + 1) * (along + 1)).reshape(along + 1, across + 1)
    a, b, d, e = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3),
                            np.stack([a, d, e], -1).reshape(-1, 3)]).astype(np.int32)

    def blend(values: Floats) -> Floats:
        low = values[0] + s * (values[1] - values[0])
        high = values[3] + s * (values[2] - values[3])
        return np.asarray(low + t * (high - low))

    return Mesh(blend(c), np.tile(flat.normals[0], (index.size, 1)), blend(flat.uv), faces)


def box_walls(size: npt.ArrayLike) -> tuple[Mesh, Mesh, Mesh, Mesh]:
    """Four upright sides (+x, +y, -x, -y) of a box that stands on z = 0, centred in x and y."""
    x, y, z = np.asarray(size, np.float64) * (0.5, 0.5, 1.0)
    ring = ((x, -y), (x, y), (-x, y), (-x, -y))
    walls = []
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        walls.append(quad(((ax, ay, 0), (bx, by, 0), (bx, by, z), (ax, ay, z))))
    return walls[0], walls[1], walls[2], walls[3]


def box(size: npt.ArrayLike) -> Mesh:
    """Closed box that stands on z = 0, centred in x and y."""
    x, y, z = np.asarray(size, np.float64) * (0.5, 0.5, 1.0)
    top = quad(((-x, -y, z), (x, -y, z), (x, y, z), (-x, y, z)))
    bottom = quad(((-x, y, 0), (x, y, 0), (x, -y, 0), (-x, -y, 0)))
    return merge((*box_walls(size), top, bottom))


def prism(profile: npt.ArrayLike, widths: npt.ArrayLike) -> Mesh:
    """Extrude a convex side view symmetrically along y.

    ``profile`` [k, 2] holds (x, z), counter-clockwise seen from -y (x to the right, z up);
    ``widths`` is the full width at each profile point, so that cabins can taper.
    """
    xz = np.asarray(profile, np.float64)
    half = np.broadcast_to(np.asarray(widths, np.float64) / 2, len(xz))
    right = np.column_stack([xz[:, 0], -half, xz[:, 1]])
    left = right * (1, -1, 1)
    parts = []
    for i in range(len(xz)):
        j = (i + 1) % len(xz)
        parts.append(quad((left[j], left[i], right[i], right[j])))
    fan = np.array([[0, i, i + 1] for i in range(1, len(xz) - 1)], np.int32)
    for side, faces in ((right, fan), (left, fan[:, ::-1])):
        normal = np.cross(side[faces[0, 1]] - side[faces[0, 0]],
                          side[faces[0, 2]] - side[faces[0, 0]])
        normal = normal / np.linalg.norm(normal)
        parts.append(Mesh(side, np.tile(normal, (len(side), 1)), xz * (1, -1), faces))
    return merge(parts)


def panel(corners: npt.ArrayLike, margins: tuple[float, float, float, float],
          lift: float = 0.01) -> Mesh:
    """Quadrilateral set into another one and lifted off it, such as a pane in a door.

    ``margins``: shares of the width and height kept free at left, bottom, right and top.
    """
    c = np.asarray(corners, np.float64)
    left, bottom, right, top = margins

    def at(s: float, t: float) -> Floats:
        low, high = c[0] + s * (c[1] - c[0]), c[3] + s * (c[2] - c[3])
        return np.asarray(low + t * (high - low))

    inner = np.stack([at(left, bottom), at(1 - right, bottom), at(1 - right, 1 - top),
                      at(left, 1 - top)])
    flat = quad(inner)
    return quad(inner + lift * flat.normals)


def ribbon(left: npt.ArrayLike, right: npt.ArrayLike) -> Mesh:
    """Strip between two polylines [n, 3] (left and right of its direction), seen from above."""
    a, b = np.asarray(left, np.float64), np.asarray(right, np.float64)
    middle = (a + b) / 2
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))]
    width = np.linalg.norm(b - a, axis=1)
    vertices = np.stack([a, b], 1).reshape(-1, 3)
    uv = np.stack([np.column_stack([along, 0 * width]), np.column_stack([along, width])],
                  1).reshape(-1, 2)
    tangent = np.gradient(middle, axis=0)
    normal = np.cross(b - a, tangent)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    i = np.arange(len(a) - 1)[:, None] * 2
    faces = np.concatenate([i + (0, 1, 3), i + (0, 3, 2)]).astype(np.int32)
    return Mesh(vertices, np.repeat(normal, 2, 0), uv, faces)


def cards(rng: np.random.Generator, centres: Floats, size: float, crown: Floats) -> Mesh:
    """Leaves: one small quadrilateral per centre [n, 3], lit as part of a crown around ``crown``.

    Single leaves are turned at random; their normals point away from the crown's centre, which
    gives the tree one soft shading instead of glitter.
    """
    n = len(centres)
    u = rng.standard_normal((n, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    w = np.cross(u, rng.standard_normal((n, 3)))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    half = size * rng.uniform(0.3, 0.7, (n, 1))
    corners = np.stack([centres - half * u - half * w, centres + half * u - 0.6 * half * w,
                        centres + half * u + half * w, centres - 0.6 * half * u + half * w], 1)
    out = corners - crown + (0, 0, 0.4)
    normals = out / np.linalg.norm(out, axis=2, keepdims=True)
    uv = rng.uniform(0, 1, (n, 1, 2)) + np.array([[0, 0], [.2, 0], [.2, .2], [0, .2]])
    i = np.arange(n)[:, None] * 4
    faces = np.concatenate([i + (0, 1, 2), i + (0, 2, 3)]).astype(np.int32)
    return Mesh(corners.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), faces)
