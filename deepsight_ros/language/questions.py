"""Questions as they arrive: plain text or JSON, and what must be known to answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
import re
from typing import Any
from typing import Final

from deepsight_ros.language.places import PLACE

Id = str | int
"""What a question is called, as whoever asks gives it."""

MAX_MESSAGE: Final = 1_000_000
"""Characters of a message beyond which it is not even read."""
MAX_QUESTION: Final = 1_000
"""Characters of a question; longer ones are no questions about a picture."""
MAX_PATIENCE: Final = 1e9
"""Seconds that a deadline may lie ahead: what the threads of all systems can wait."""

_SHOWN: Final = 200
_KEYS: Final = frozenset(('id', 'text', 'deadline_s', 'after'))
_WAY: Final = re.compile(
    r'\b(obstacles?|obstruct\w*|unobstructed|safe|safely|unsafe|collisions?|collid\w+|unhindered|'
    r'(?:un)?block\w*|hindrances?|barriers?|barred|in (?:the|our|my|your|its|whose) way)\b',
    re.IGNORECASE)
_MOVING: Final = re.compile(
    r'\b(hit|hits|hitting|bump\w*|crash\w*|contact|impact|(?:run|running|drive|driving) into|'
    r'stops?(?! signs?)|stopped|stopping|braking|cut off|clear|clearest|freest|emptiest|passable|'
    r'drivable|(?<!wide is the )(?:path|lane|road)|headway|headroom|heading|openings?|opens up|'
    r'(?<!in the )(?<!door )(?<!window )open(?! air| sky)|'
    r'ahead|forwards?|straight(?! line)|steer|veer|drive on|ok(?:ay)? to \w+|'
    r'which way|best way|direction is best|'
    r'(?:robot|vehicle|i|we|you) (?:\w+ )?(?:drive|go|move|advance|travel|roll|walk|step|proceed|'
    r'head)(?! (?:left|right) or| for the)|'
    r'(?:clearance|free|(?:more|most|much|enough|elbow) (?:open |free )?room|'
    r'(?:more|most|open) space)(?! (?:space )?(?:is )?(?:there )?between)|'
    r'room (?:in front|for)|space (?:\w+ ){1,4}in front)\b',
    re.IGNORECASE)
_HEIGHT: Final = re.compile(
    r'\b(tall|high|higher|heights?|altitudes?|elevat\w+|lofty|upwards?|downwards?)\b',
    re.IGNORECASE)
_ABOVE: Final = re.compile(
    r'\b(floor|ground|lower(?! (?:distance|depth|range))|above|below|under|over|'
    r'(?<!line )(?<!lined )(?<!queue )(?<!queued )(?<!add )up|(?<!write )down|levels?)\b',
    re.IGNORECASE)
_ENCLOSED: Final = re.compile(r'\b(room|corridor|hall|ceiling)\b', re.IGNORECASE)


class QuestionError(ValueError):
    """
    A message is no question; the text names cause and remedy.

    ``id`` is the question's if it could be read, else None; ``question`` what is known of its
    text.
    """

    def __init__(self, message: str, id: Id | None = None, question: str = '') -> None:
        """Take what an answer needs that says so."""
        super().__init__(message)
        self.id = id
        self.question = question


@dataclass(frozen=True)
class Question:
    """
    A question about the newest depth image.

    ``id`` is None where it was not given. ``deadline_s`` counts from receipt on the steady clock.
    ``after_ns``: the picture's stamp must not be older.
    """

    text: str
    id: Id | None = None
    deadline_s: float | None = None
    after_ns: int | None = None


@dataclass(frozen=True)
class Cancel:
    """The wish to end the questions with this id."""

    id: Id


def read_message(data: str) -> Question | Cancel:
    """
    Read a message of the topic ``question``: plain text, or a JSON object.

    ``{"id", "text", "deadline_s", "after": {"sec", "nanosec"}}``, of which only ``text`` is
    needed, or ``{"cancel": id}``. Raises ``QuestionError``.
    """
    if len(data) > MAX_MESSAGE:
        raise QuestionError(f'the message has {len(data)} characters, at most {MAX_MESSAGE} are '
                            'read; ask one short question', question=data[:_SHOWN])
    if not data.lstrip().startswith('{'):
        return Question(_text(data, None))
    try:
        fields = json.loads(data)
    except (RecursionError, ValueError) as error:
        raise QuestionError(f'the question starts like JSON but is none ({error}); send plain '
                            'text or a JSON object', question=data[:_SHOWN]) from error
    if 'cancel' in fields:
        if len(fields) > 1:
            raise QuestionError('cancel stands beside other fields; send {"cancel": id} alone, '
                                'and the question in a message of its own')
        return Cancel(_id(fields['cancel'], 'cancel'))
    return _question(fields)


def asks_for_the_way(text: str) -> bool:
    """Whether a question is about obstacles, clearance or safety, going by its words."""
    return _WAY.search(text) is not None or (
        # Between two places there is a way as well, but not the robot's.
        PLACE.search(text) is None and _MOVING.search(text) is not None)


def asks_for_height(text: str) -> bool:
    """Whether a question is about a height above the ground, going by its words."""
    if _ENCLOSED.search(text):
        return False
    return _HEIGHT.search(text) is not None or (
        PLACE.search(text) is not None and _ABOVE.search(text) is not None)


def _question(fields: Mapping[str, Any]) -> Question:
    identity = _id(fields['id'], 'id') if fields.get('id') is not None else None
    text = fields.get('text')
    if not isinstance(text, str):
        raise QuestionError('the question has no text; send {"text": "..."}', identity)
    text = _text(text, identity)
    unknown = sorted(fields.keys() - _KEYS)
    if unknown:
        raise QuestionError(f'the question has {", ".join(map(repr, unknown))}, known are '
                            f'{", ".join(sorted(_KEYS))} and cancel', identity, text)
    try:
        return Question(text, identity, _deadline(fields.get('deadline_s')),
                        _after(fields.get('after')))
    except ValueError as error:
        raise QuestionError(str(error), identity, text) from error


def _id(value: object, name: str) -> Id:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        shown = json.dumps(value)[:_SHOWN]
        raise QuestionError(f'{name} is {shown}, must be a text or an integer')
    if isinstance(value, str):
        _check_unicode(value, None)
    return value


def _text(text: str, identity: Id | None) -> str:
    text = text.strip()
    if not text:
        raise QuestionError('the question is empty; ask something, such as "how far is the '
                            'nearest obstacle?"', identity)
    if len(text) > MAX_QUESTION:
        raise QuestionError(f'the question has {len(text)} characters, at most {MAX_QUESTION} are '
                            'read; ask one short question', identity, text[:_SHOWN])
    _check_unicode(text, identity)
    return text


def _check_unicode(text: str, identity: Id | None) -> None:
    """Refuse what is left of bytes that were no UTF-8: halves of pairs, replacement characters."""
    if '\ufffd' in text or any('\ud800' <= letter <= '\udfff' for letter in text):
        shown = text.encode('ascii', 'replace').decode('ascii')[:_SHOWN]
        raise QuestionError('the question is not UTF-8; check the encoding of whoever sends it',
                            identity, shown)


def _deadline(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and \
            abs(value) <= MAX_PATIENCE:
        return float(value)
    raise ValueError(f'deadline_s is {value!r}'[:_SHOWN] + ', must be a number of seconds, at '
                     f'most {MAX_PATIENCE:g}')


def _after(value: object) -> int | None:
    if value is None:
        return None
    match value:
        case {'sec': int(sec), 'nanosec': int(nanosec), **rest} if not (
                rest or isinstance(sec, bool) or isinstance(nanosec, bool)):
            if 0 <= sec < 2**31 and 0 <= nanosec < 1_000_000_000:
                return sec * 1_000_000_000 + nanosec
    raise ValueError(f'after is {value!r}'[:_SHOWN] + ', must be {"sec": ..., "nanosec": ...} as '
                     'in the stamp of a header')
