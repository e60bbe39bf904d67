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
_WORD: Final = re.compile(r'[A-Za-z]{2,}|\bA\b(?! ?[<:])|\bM\b')
_LEARNED: Final = ('m', 'metre', 'meter')
_LENGTH: Final = re.compile(
    # "1,000" is a thousand or one, and so is the end of "1 000": neither is read.
    r'(?<![\w.,:<-])(?<!\d )(\d+(?:\.\d+|,(?!\d{3}\b)\d+)?|[.,]\d+)[ -]?'
    rf'(({"|".join(sorted(_METRES, key=len, reverse=True))})s?)(?![\w/])'
    # Neither sizes nor speeds say how far.
    r'(?![ -](?:wide|tall|high|thick|(?:safety )?margin|per|(?:a|each|every) (?:second|minute|'
    r'hour))\b)', re.IGNORECASE)


def lengths_in(text: str) -> tuple[float, ...]:
    """Lengths that a text names, in metres; negative ones are none."""
    return tuple(_metres(found) for found in _LENGTH.finditer(text))


def without_lengths(text: str) -> str:
    """Return a text without the lengths that are read in it."""
    return _LENGTH.sub('', text)


def as_learned(text: str) -> str:
    """
    Write a question as questions are learned.

    Where most words have capitals, they lose them. Metres have two decimals, whatever they are
    called; centimetres stay, all else becomes metres.
    """
    def write(found: re.Match[str]) -> str:
        if found[3] == 'cm':
            return found[0]
        return f'{_metres(found):.2f} {found[2] if found[3] in _LEARNED else "m"}'

    words = _WORD.findall(text)
    if 2 * sum(word[0].isupper() for word in words) > len(words) + 1:
        text = _WORD.sub(lambda found: found[0].lower(), text)
    return _LENGTH.sub(write, text)


def _metres(found: re.Match[str]) -> float:
    return float(found[1].replace(',', '.')) * _METRES[found[3].lower()]
