"""Lengths in questions: read in the units that people use, and written as the model learned."""

from __future__ import annotations

import re
from typing import Final

_METRES: Final = {
    'm': 1.0, 'metre': 1.0, 'meter': 1.0, 'km': 1000.0, 'cm': 0.01, 'centimetre': 0.01,
    'centimeter': 0.01, 'mm': 0.001, 'millimetre': 0.001, 'millimeter': 0.001,
    'ft': 0.3048, 'foot': 0.3048, 'feet': 0.3048, 'inch': 0.0254, 'inche': 0.0254,
    'yd': 0.9144, 'yard': 0.9144}
"""Metres of a unit without its plural."""
_LEARNED: Final = ('m', 'metre', 'meter')
_LENGTH: Final = re.compile(
    r'(?<![\w.,:<-])(\d+(?:[.,]\d+)?|[.,]\d+)[ -]?'
    rf'(({"|".join(sorted(_METRES, key=len, reverse=True))})s?)(?![\w/])', re.IGNORECASE)


def lengths_in(text: str) -> tuple[float, ...]:
    """Lengths that a text names, in metres; negative ones are none."""
    return tuple(_metres(found) for found in _LENGTH.finditer(text))


def as_learned(text: str) -> str:
    """
    Write the lengths of a question as questions are learned.

    Metres have two decimals, whatever they are called; centimetres stay, all else becomes metres.
    """
    def write(found: re.Match[str]) -> str:
        if found[3] == 'cm':
            return found[0]
        return f'{_metres(found):.2f} {found[2] if found[3] in _LEARNED else "m"}'

    return _LENGTH.sub(write, text)


def _metres(found: re.Match[str]) -> float:
    return float(found[1].replace(',', '.')) * _METRES[found[3].lower()]
