"""Questions to ask along a bag: a file with one of them in each line."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Final

from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.evaluation.text_lines import text_lines
from deepsight_ros.language.questions import Cancel
from deepsight_ros.language.questions import Question
from deepsight_ros.language.questions import QuestionError
from deepsight_ros.language.questions import read_message

EVERY: Final = 10
"""Pictures from one time that a question is asked to the next: about a second of a recording."""


@dataclass(frozen=True)
class BagQuestion:
    """
    A question and when to ask it.

    About every ``every``-th picture, or once, if ``after_ns`` is given: about the first picture
    with that stamp or a later one.
    """

    text: str
    id: str | int | None = None
    every: int = EVERY
    after_ns: int | None = None


def read_questions(path: Path) -> list[BagQuestion]:
    """
    Read a file in which each line is a question, plain or JSON as on the topic ``question``.

    JSON may say ``every`` (pictures) or ``after`` (a stamp). Empty lines and those that start with
    ``#`` are passed over. ``DatasetError`` names the line that is wrong.
    """
    questions = [_question(path, number, line) for number, line in text_lines(path)
                 if not line.lstrip().startswith('#')]
    if not questions:
        raise DatasetError(f'{path} holds no questions; write one in each line')
    return questions


def _question(path: Path, number: int, line: str) -> BagQuestion:
    try:
        every, message = _split(line)
        read = read_message(message)
        if isinstance(read, Cancel):
            raise QuestionError('nothing can be cancelled in a file')
        if read.deadline_s is not None:
            raise QuestionError('deadline_s means nothing where no clock runs; leave it out')
        return _timed(read, every)
    except QuestionError as error:
        raise DatasetError(f'{path}, line {number}: {error}') from error


def _split(line: str) -> tuple[object, str]:
    """Take ``every`` out of a line, as messages have no such field."""
    try:
        fields = json.loads(line)
        every = fields.pop('every', None)
    except (AttributeError, RecursionError, TypeError, ValueError):
        return None, line  # plain text, or what ``read_message`` has words for
    return every, json.dumps(fields)


def _timed(read: Question, every: object) -> BagQuestion:
    if every is None:
        return BagQuestion(read.text, read.id, after_ns=read.after_ns)
    if read.after_ns is not None:
        raise QuestionError('every and after exclude each other; leave one out')
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise QuestionError(f'every is {every!r}, must be a positive number of pictures')
    return BagQuestion(read.text, read.id, every)
