"""Vehicles: from the row of their tyres to the depth of their sides, fronts and rears."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage

OVERHANG: Final = 0.9
"""How far (m) a front or rear reaches beyond the tyres: 0.7 to 1.1 m in cars' data sheets."""
CLEARANCE: Final = 0.3
"""Height (m) of a bumper's or sill's lower edge above the ground."""
WIDEST: Final = 3.0
"""Width (m) of the widest vehicles with their mirrors; what is wider is seen from its side."""
NARROWEST: Final = 0.3
"""Width (m) of the narrowest face, a side that is hardly seen."""
_STEP: Final = 1.25
"""Ratio of neighbouring depths at which one vehicle ends and another begins."""
_CORNER: Final = 0.06
"""Bulge of a contact line, as a share of inverse depth, that makes it two faces."""
_UNDER: Final = 0.98
"""Share of a face's inverse depth below which a contact lies under the vehicle, not at a tyre."""
_ROUNDS: Final = 6


@dataclass(frozen=True)
class Face:
    """
    A vehicle's side, front or rear: columns ``start`` to ``stop`` (exclusive).

    ``first`` and ``last`` are the inverse depths (1/m) at its first and last column; in between
    inverse depth is linear, as on any plane.
    """

    start: int
    stop: int
    first: float
    last: float
    end_on: bool = False


def shape_vehicles(
    contact: FloatImage, cut: npt.NDArray[np.bool_], camera: Camera, height: float,
) -> tuple[FloatImage, npt.NDArray[np.bool_]]:
    """
    Return the inverse depth [N, W] of faces, zero where there is none, and where they are end-on.

    ``contact`` [N, W] is the inverse depth at which N components of vehicles touch the ground,
    zero where that is not seen; ``cut`` [N, W] marks columns in which the lower border cuts them
    off. ``camera`` is that of the class map, ``height`` (m) its height above the ground.
    """
    lines = np.where(cut, np.float32(0), contact)
    depth = np.zeros_like(lines)
    end_on = np.zeros(lines.shape, bool)
    for row in range(len(lines)):
        for face in faces(lines[row], camera.fx):
            if not cut[row, max(face.start - 1, 0):face.stop + 1].any():
                face = beyond_tyres(face, camera.ray_x, height)
            columns = slice(face.start, face.stop)
            depth[row, columns] = np.linspace(face.first, face.last, face.stop - face.start)
            end_on[row, columns] = face.end_on
    return depth, end_on


def faces(line: FloatImage, focal: float) -> list[Face]:
    """
    Cut a contact line [W], zero where there is none, into straight faces.

    It is cut at steps in depth, where one vehicle ends before another, and at most once more in
    between, where a rear meets a side. What is seen under a sill between tyres is no step, and
    the fit leaves it out.
    """
    known = line > 0
    ratio = np.maximum(line[1:], 1e-9) / np.maximum(line[:-1], 1e-9)
    cut = np.ones(len(line) + 1, bool)
    cut[1:-1] = (known[1:] != known[:-1]) | (ratio > _STEP) | (ratio < 1 / _STEP)
    bounds = np.flatnonzero(cut).tolist()
    found = []
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        if not known[start]:
            continue
        corner = _corner(line[start:stop], focal)
        if corner:
            found.append(_fitted(line, start, start + corner))
        found.append(_fitted(line, start + corner, stop))
    return found


def _corner(line: FloatImage, focal: float) -> int:
    """Column at which a contact line bulges most towards the camera; 0 if it is straight."""
    length = len(line)
    if length < 6:
        return 0
    bulge = line - np.linspace(line[0], line[-1], length, dtype=np.float32)
    corner = int(np.argmax(bulge))
    nearest = float(line[corner])
    margin = max(NARROWEST * nearest * focal, 2)
    bulges = bulge[corner] > _CORNER * nearest
    return corner if bulges and margin <= corner < length - margin else 0


def _fitted(line: FloatImage, start: int, stop: int) -> Face:
    """
    Fit a straight line; columns in which one looks under the vehicle, beside its tyres, go.

    Of a rear, tyres are the smaller part: what is nearer than half of it shows them.
    """
    part = line[start:stop]
    low, high = float(part.min()), float(part.max())
    columns = np.arange(stop - start)
    level, slope = _straight(part, columns)
    residual = part - (level + slope * columns)
    columns = columns[residual >= np.median(residual)]
    for _ in range(_ROUNDS):
        level, slope = _straight(part, columns)
        beside_tyres = part[columns] < _UNDER * (level + slope * columns)
        if not beside_tyres.any():
            break
        columns = columns[~beside_tyres]
    first = min(max(level, low), high)
    last = min(max(level + slope * (stop - start - 1), low), high)
    return Face(start, stop, first, last)


def _straight(part: FloatImage, columns: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Value at column 0 and slope of the line through a part of a contact line."""
    values = part[columns]
    level, centre = float(values.sum()) / len(values), float(columns.sum()) / len(columns)
    if len(columns) < 3:
        return level, 0.0
    arm = columns - centre
    slope = float(arm @ values) / float(arm @ arm)
    return level - slope * centre, slope


def beyond_tyres(face: Face, ray_x: FloatImage, height: float) -> Face:
    """
    Move a front or rear from where its tyres stand to where its bumper is.

    Its lowest visible point is the tyre, ``OVERHANG`` behind the bumper, or where the line of
    sight under the bumper meets the ground, whichever is nearer. A side stays where it is: it is
    more along than across the optical axis, or wider than any vehicle.
    """
    z0, z1 = 1 / face.first, 1 / face.last
    first, last = (max(z - OVERHANG, z * (1 - CLEARANCE / height), 0.5 * z) for z in (z0, z1))
    across = abs(z1 * ray_x[face.stop - 1] - z0 * ray_x[face.start])
    if abs(z1 - z0) >= across or across * first / z0 > WIDEST:
        return face
    return replace(face, first=1 / first, last=1 / last, end_on=True)
