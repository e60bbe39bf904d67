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

from deepsight_ros.language.errors import LanguageError

LETTERS: Final = 'ABCD'
"""What places are called in choices."""
_SHARE: Final = r'(0(?:\.\d+)?|1(?:\.0+)?)'
PLACE: Final = re.compile(rf'<(loc|region):{_SHARE},{_SHARE}>')
"""A place in a text: what it is called, u, v."""
PIXEL: Final = re.compile(r'\(\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\)')
"""A place as answers write it: (column, row)."""
_WRITTEN: Final = re.compile(
    r'[(\[]\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*[,;\s]\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*[)\]]')
"""A place as people write it: column and row, as in ``PIXEL``, in any brackets."""
_COMPARES: Final = re.compile(
    r'\b(?:nearer|nearest|closer|closest|first|sooner|in front|less (?:far|depth|distant)|'
    r'(?:smaller|lower|shorter|lesser) (?:depth|range|distance))\b', re.IGNORECASE)
_MEASURES: Final = re.compile(
    r'\b(?:floor|ground|heights?|higher|altitude|elevation|apart|how (?:far|long|wide|much)|'
    r'(?:distance|gap|length) (?:between|from <))', re.IGNORECASE)
_LETTER: Final = re.compile(r'\b[A-D]\b')
_MARK: Final = re.compile(r'<(?:loc|region):[^<>]*>?')
_LOOSE: Final = re.compile(
    r'\b(?:x\s*[=:]|(?:pixels?|coordinates?|point)(?:\s+at)?)\s*[+-]?\d(?!\d*:? ?<)|'
    r'[({<\[]\s*\d+(?:\.\d+)?\s*(?:px|%)?\s*[,;x\s]\s*\d|'
    r'(?<![\d.])\d{1,5}\s*,\s*\d{1,5}\s*(?:px\b|[?.!]?$|[?.!]\s)', re.IGNORECASE)
"""A place that is written in a way that the model would overlook."""


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


def with_places(question: str, size: tuple[int, int]) -> str:
    """
    Write pixels (column, row) in a question as regions.

    Raises ``LanguageError`` for a place that is outside the picture or not written in a way that
    the model reads: it would answer about something else.
    """
    if not question.strip():
        raise LanguageError('the question is empty')

    def place(found: re.Match[str]) -> str:
        column, row = float(found[1]), float(found[2])
        if '.' in found[0] and 0 <= column <= 1 and 0 <= row <= 1:
            raise LanguageError(f'{found[0]} may be shares of the picture; write pixels as '
                                '(column, row) or shares as <region:0.5,0.5>')
        if not (0 <= column < size[0] and 0 <= row < size[1]):
            raise LanguageError(f'pixel {found[0]} is outside the depth image of '
                                f'{size[0]}x{size[1]}')
        return str(Place.of_pixel(int(column), int(row), *size, is_region=True))

    asked = _WRITTEN.sub(place, question)
    for mark in _MARK.finditer(asked):
        if PLACE.fullmatch(mark[0]) is None:
            raise LanguageError(f'{mark[0]} is no place; shares of width and height lie between '
                                '0 and 1, as in <region:0.5,0.5>')
    if loose := _LOOSE.search(asked):
        raise LanguageError(f'the place at "{loose[0]}" cannot be read; write pixels as '
                            '(column, row)')
    return _with_letters(asked)


def _with_letters(question: str) -> str:
    """Call places that are compared A, B, C, D in their order: choices are learned by letters."""
    count = len(PLACE.findall(question))
    compares = count > 2 or (count == 2 and _COMPARES.search(question))
    if not compares or count > len(LETTERS) or _LETTER.search(question) or (
            _MEASURES.search(question)):
        return question
    letters = iter(LETTERS)
    return PLACE.sub(lambda found: f'{next(letters)} {found[0]}', question)


def with_pixels(text: str, size: tuple[int, int]) -> str:
    """Write the places of an answer as pixels (column, row)."""
    def pixel(found: re.Match[str]) -> str:
        column, row = Place(float(found[2]), float(found[3])).pixel(*size)
        return f'({column}, {row})'
    return PLACE.sub(pixel, text)
