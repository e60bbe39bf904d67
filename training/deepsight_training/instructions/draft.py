"""What a question family writes: the facts of one question, before it is put into words."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from deepsight_ros.geometry.points import nearest_pixel
from deepsight_ros.language.places import Place
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FloatImage
from deepsight_training.instructions.sample import FrameSample

Pixel = tuple[int, int]
"""Column, row."""

FLAT: Final = 1.1
"""Places asked about lie where the nine pixels around differ by less than this factor in range:
on the edge of a thing a coordinate says little."""
STRUCTURE: Final = frozenset(
    CLASS_NAMES.index(name) for name in ('other', 'ground', 'wall', 'ceiling', 'building', 'sky'))
"""Classes that are no things."""
PLURAL: Final = {
    'shelf': 'shelves', 'boxes': 'piles of boxes', 'person': 'people', 'bus': 'buses',
    'bench': 'benches', 'bush': 'bushes', 'ground': 'ground', 'sky': 'sky', 'sheep': 'sheep',
    'knife': 'knives', 'mouse': 'mice', 'wine glass': 'wine glasses', 'sandwich': 'sandwiches',
    'toothbrush': 'toothbrushes', 'skis': 'pairs of skis', 'scissors': 'pairs of scissors'}
SINGULAR: Final = {'boxes': 'pile of boxes', 'skis': 'pair of skis',
                   'scissors': 'pair of scissors'}


@dataclass(frozen=True)
class Draft:
    """Facts of one question; ``slots`` fill the gaps of its wording."""

    slots: Mapping[str, object]
    answer: str
    places: tuple[Place, ...] = ()
    """Evidence: where to look for the answer."""
    options: tuple[str, ...] = ()
    """What a choice may be answered with."""
    value: float | None = None
    """Exact number behind the answer, in metres or pieces."""


Writer = Callable[[FrameSample, np.random.Generator], Draft | None]
"""Draws one question about a frame; None where the frame does not allow one."""


def singular(sample: FrameSample, index: int) -> str:
    """Word for one thing of a class."""
    name = sample.class_names[index]
    return SINGULAR.get(name, name)


def plural(sample: FrameSample, index: int) -> str:
    """Word for several things of a class."""
    name = sample.class_names[index]
    return PLURAL.get(name, f'{name}s')


def place_at(sample: FrameSample, pixel: Pixel, is_region: bool = False) -> Place:
    """Place of a pixel."""
    height, width = sample.depth.shape
    return Place.of_pixel(*pixel, width, height, is_region)


def nearest_of(sample: FrameSample, mask: np.ndarray) -> tuple[float, Pixel] | None:
    """Straight distance (m) to the nearest point of a mask, and its pixel."""
    return nearest_pixel(sample.ranges, mask)


def draw_flat_pixels(sample: FrameSample, rng: np.random.Generator, count: int) -> list[Pixel]:
    """Up to ``count`` measured pixels that lie on one surface (``FLAT``), half of them on things.

    Without known things the pixels are spread evenly.
    """
    height, width = sample.depth.shape
    rows, columns = (rng.integers(1, high - 1, 4 * count) for high in (height, width))
    things = np.flatnonzero(sample.instances[1:-1, 1:-1])
    if len(things):
        chosen = rng.choice(things, 2 * count)
        rows[:2 * count], columns[:2 * count] = np.divmod(chosen, width - 2)
        rows[:2 * count] += 1
        columns[:2 * count] += 1
        mixed = rng.permutation(4 * count)
        rows, columns = rows[mixed], columns[mixed]
    flat = is_flat(sample.ranges, rows, columns)
    return list(zip(columns[flat].tolist(), rows[flat].tolist(), strict=True))[:count]


def is_flat(ranges: FloatImage, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Tell which measured inner pixels [N] have four or more neighbours, all at their range."""
    around = np.stack([ranges[rows + i, columns + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    measured = np.isfinite(around)
    nearest = np.where(measured, around, np.inf).min(0)
    farthest = np.where(measured, around, 0.0).max(0)
    flat: np.ndarray = measured[4] & (measured.sum(0) >= 5) & (farthest < FLAT * nearest)
    return flat
