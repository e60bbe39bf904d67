"""
Places in a picture, written into questions and answers.

``<loc:u,v>`` is a bare coordinate, ``<region:u,v>`` asks the model to look there closely. ``u``
and ``v`` are shares of the picture's width and height: 0,0 is its upper left corner, 1,1 its
lower right one, so that a place does not depend on a resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
import re
from typing import Final

_SHARE: Final = r'(0(?:\.\d+)?|1(?:\.0+)?)'
PLACE: Final = re.compile(rf'<(loc|region):{_SHARE},{_SHARE}>')
"""A place in a text: what it is called, u, v."""
PIXEL: Final = re.compile(r'\(\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\)')
"""A place as answers write it: (column, row)."""


@dataclass(frozen=True)
class Place:
    """A point of a picture in shares of its width and height, 0..1."""

    u: float
    v: float
    is_region: bool = False

    @classmethod
    def of_pixel(cls, column: int, row: int, width: int, height: int,
                 is_region: bool = False) -> Place:
        """Place of the centre of a pixel in a picture of ``width`` x ``height``."""
        return cls((column + 0.5) / width, (row + 0.5) / height, is_region)

    def pixel(self, width: int, height: int) -> tuple[int, int]:
        """Column and row of the pixel that holds the place."""
        return min(int(self.u * width), width - 1), min(int(self.v * height), height - 1)

    def __str__(self) -> str:
        """Return the text that stands for the place."""
        return f'<{"region" if self.is_region else "loc"}:{self.u:.5f},{self.v:.5f}>'


def find_places(text: str) -> tuple[Place, ...]:
    """Places that a text names, in order."""
    return tuple(
        Place(float(u), float(v), name == 'region') for name, u, v in PLACE.findall(text))
