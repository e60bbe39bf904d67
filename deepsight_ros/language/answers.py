"""Forms of answers: how each is written, and what of it a program reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
import math
import re
from typing import Final
from typing import Literal

from deepsight_ros.language.lengths import lengths_in
from deepsight_ros.language.places import find_places
from deepsight_ros.language.places import LETTERS
from deepsight_ros.language.places import PIXEL
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place
from deepsight_ros.language.questions import asks_for_the_way

Kind = Literal['distance', 'choice', 'count', 'direction', 'class', 'yes_no', 'unknown']
"""What ``kind`` in ``answer/details`` may be."""

CANNOT_TELL: Final = 'cannot tell from depth'
"""Answer to questions that no depth image can answer."""
NONE_IN_VIEW: Final = 'none in view'
"""Answer to questions about a thing that is not there."""
NOTHING_AHEAD: Final = 'nothing ahead'
"""Answer for a distance to an obstacle where none is in view."""
DIRECTIONS: Final = ('left', 'ahead', 'right', 'higher', 'lower')
_CHOICES: Final = frozenset(
    ''.join(letters) for n in (1, 2, 3, 4) for letters in permutations(LETTERS, n))
_DISTANCE: Final = re.compile(r'(?<![\d.])(\d+(?:\.\d+)?) ?(m|cm|mm|metres?|meters?)\b')
_NAME: Final = re.compile(r"[a-z]{3}[a-z' -]*")
_BESIDE: Final = re.compile(r'is (left|right) of')
"""How two places lie that stand around it."""
_OBSTACLE: Final = re.compile(r'\b(?:obstacles?|obstruct\w*|barriers?)\b', re.IGNORECASE)
_METRES: Final = {'cm': 0.01, 'mm': 0.001}


@dataclass(frozen=True)
class Answer:
    """
    What a program reads from an answer's text.

    ``value`` is metres for a distance (None for "nothing ahead"), an integer for a count, and the
    letters, word, or class otherwise (None for unknown). ``unit`` is ``m`` for distances.
    ``distance`` is the first length in the text, in metres, also where it only explains ("no,
    1.20 m ahead"). ``ahead``: that length counts along the ground from below the camera; otherwise
    it is the straight line from the camera. ``places`` are those the answer points at.
    """

    kind: Kind
    text: str
    value: float | int | str | None
    unit: str = ''
    distance: float | None = None
    ahead: bool = False
    places: tuple[Place, ...] = ()


def metres(value: float) -> str:
    """Return a length as answers write it: three digits are what depth is worth."""
    if not math.isfinite(value):
        raise ValueError(f'{value} m is no length')
    # What rounds to zero has no sign.
    return f'{round(value, 2) + 0.0:.2f} m' if value < 9.995 else f'{value:.1f} m'


def parse_answer(text: str) -> Answer:
    """Read an answer; words of no other form are the name of a class, all else is unknown."""
    places = find_places(text)
    without = PIXEL.sub('', PLACE.sub('', text))
    # Places may come first: "(120, 80): 2.31 m".
    plain = ' '.join(without.split()).removeprefix(': ').rstrip('.')
    words = plain.lower()
    found = _DISTANCE.search(words)
    distance = float(found[1]) * _METRES.get(found[2], 1.0) if found else None
    ahead = re.search(r'\bahead\b', words) is not None and words != 'ahead'
    kind, value = _kind_and_value(plain, words)
    if kind == 'distance' and words != NOTHING_AHEAD:
        value = distance
    return Answer(kind, text, value, 'm' if kind == 'distance' else '', distance, ahead, places)


def is_about_a_move(question: str, answer: Answer) -> bool:
    """Whether an answer says yes or no to the way ahead, or to any obstacle on it."""
    return answer.kind == 'yes_no' and (
        answer.ahead or _OBSTACLE.search(question) is not None
        or (asks_for_the_way(question) and bool(lengths_in(question))))


def settled_move(question: str, text: str, obstacle: str) -> str:
    """
    Return the answer to a question about a move, given that about the nearest obstacle.

    A model reads that obstacle better than it compares it with the move, however long that is. A
    question that names no length gets the obstacle.
    """
    found = parse_answer(obstacle)
    if found.kind != 'distance':
        return text
    lengths = lengths_in(question)
    if not lengths:
        return obstacle
    free = math.inf if found.distance is None else found.distance
    return f'{"yes" if lengths[0] < free else "no"}, {obstacle}'


def _kind_and_value(plain: str, words: str) -> tuple[Kind, float | int | str | None]:
    first = words.partition(' ')[0].rstrip(',.')
    if words in (CANNOT_TELL, NONE_IN_VIEW):
        return 'unknown', None
    if first in ('yes', 'no'):
        return 'yes_no', first
    if words == NOTHING_AHEAD or _DISTANCE.match(words):
        return 'distance', None
    if first.isdecimal() and len(first) < 4:
        return 'count', int(first)
    if plain in _CHOICES:
        return 'choice', plain
    if found := _BESIDE.fullmatch(words):
        return 'direction', found[1]
    if first in DIRECTIONS:
        return 'direction', first
    return ('class', words) if _NAME.fullmatch(words) else ('unknown', None)
