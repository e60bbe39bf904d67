"""Answers that would mislead: they are to another question than the one that was asked."""

from __future__ import annotations

import re
from typing import Final

from deepsight_ros.language.answers import Answer
from deepsight_ros.language.answers import is_about_a_move
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.lengths import lengths_in
from deepsight_ros.language.lengths import without_lengths
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.questions import asks_for_height

_DANGER: Final = re.compile(
    r'\b(hit|hits|hitting|collid\w+|collisions?|crash\w*|bump\w*|touch\w*|block\w*|barred|'
    r'obstruct\w*|obstacles?|unsafe|unwise|dangers?|dangerous|hazard\w*|risk|risky|accidents?|'
    r'damage\w*|mistake|bad idea|fail|fails|stuck|shut|closed|forbidden|prohibited|impossible|'
    r'impassable|unable|in (?:the|our|my|your|its) way|under|below|'
    r'(?:closer|nearer|less|shorter|smaller) than|too (?:short|near|close|little|far)|'
    r'(?:must|have to|need to|should) (?:\w+ )?(?:stop|brake|halt)|'
    r'(?:some|any)(?:thing|one|body))\b', re.IGNORECASE)
_DENIED: Final = re.compile(
    r"(?:\b(?:(before|without|free (?:of|from)|clear of)|avoid\w*|no|not|nothing)|n't)\b"
    r'(?:\W+\w+){1,4}|\b(?:collision|obstacle)s?[- ](free)\b', re.IGNORECASE)
_ELSEWHERE: Final = re.compile(
    r'\b(?:(?:to|on|at) (?:the|my|your|its|our) (?:left|right)|(?:left|right)(?:-hand)? side|'
    r'(?:turn\w*|strafe|strafing|veer\w*|steer\w*|go|going|move|moving|drive|driving|m|metres?|'
    r'meters?|cm) (?:to )?(?:left|right)(?! (?:ahead|away|now))|'
    r'(?:go|move|drive|roll|back|m|metres?|meters?|cm) (?:back|(?:up|down)(?! (?:to|(?:the|this|'
    r'that|my) (?:corridor|hall\w*|aisle|road|street|lane|path))\b))|leftwards?|rightwards?|'
    r'backwards?|behind|revers\w+|sideways|rotat\w+)\b', re.IGNORECASE)
_FARTHER: Final = re.compile(
    r'\b(?:(?:farther|further)(?! (?:to the )?(?:left|right))|more distant|deeper|behind|'
    r'far to near)\b', re.IGNORECASE)
_FARTHEST: Final = re.compile(
    r'\b(?:(?:farthest|furthest)(?! (?:to the )?(?:left|right))|most distant|deepest)\b',
    re.IGNORECASE)
_NEAREST: Final = re.compile(
    r'\b(?:near|nearer|nearest|close|closer|closest|less|first|in front)\b', re.IGNORECASE)
_YES_OR_NO: Final = re.compile(
    r'(?:is|are|am|can|could|will|would|do|does|did|has|have|may|might|shall|should|must)\b',
    re.IGNORECASE)
_OPEN: Final = re.compile(
    r'\b(?:or|which|what|where|how|whether|tell|say|name|know|identify|describe|classify|'
    r'recogni[sz]e|give|find|pick|point|suggest|recommend)\b', re.IGNORECASE)
_NEGATED: Final = re.compile(r"\b(?:(?<!or )not?|without)\b|n't\b", re.IGNORECASE)
_OTHER_MEASURE: Final = re.compile(
    r'(?<![\w#])\d|\b(?:wider|taller|higher|broader|thicker|narrower) than\b', re.IGNORECASE)


def refuse(question: str, answer: Answer) -> None:
    """
    Raise ``LanguageError`` where a question means something else than its answer.

    Models learned what is asked about the way straight ahead, in words whose "yes" means that it
    is free; to anything near they answer as if it were that.
    """
    about_a_move = is_about_a_move(question, answer)
    if (answer.ahead or about_a_move) and _ELSEWHERE.search(question):
        raise LanguageError('only the way straight ahead can be judged; turn the camera to where '
                            'the robot is to go, and ask about the way ahead')
    if about_a_move:
        _refuse_move(question)
    elif answer.kind == 'yes_no' and _NEGATED.search(question):
        raise LanguageError('yes and no may mean either here; ask without "not"')
    if answer.kind in ('choice', 'distance') and _asks_for_the_farthest(question, answer):
        raise LanguageError('only what is nearest can be told; ask for the nearest')
    if answer.value in ('higher', 'lower') and not asks_for_height(question):
        raise LanguageError(f'this does not ask for heights, but {answer.text!r} came; ask in '
                            'other words, such as "which is nearer, A (80, 60) or B (25, 100)?"')
    if answer.kind in ('direction', 'class') and answer.value not in ('higher', 'lower') and (
            _YES_OR_NO.match(question.strip()) and _OPEN.search(question) is None):
        raise LanguageError(f'this asks for yes or no, what came is {answer.text!r}; ask in other '
                            'words')


def _refuse_move(question: str) -> None:
    lengths = lengths_in(question)
    if len(lengths) > 1 or _OTHER_MEASURE.search(PLACE.sub('', without_lengths(question))):
        raise LanguageError('it is not clear how far to move; name one length, such as "is it '
                            'safe to move 1.5 m?"')
    if lengths and asks_for_danger(question):
        raise LanguageError('yes and no would mean the opposite here; ask whether it is safe to '
                            'move so far')


def _asks_for_the_farthest(question: str, answer: Answer) -> bool:
    """Whether what is far comes before what is near, going by a question's words."""
    far, near = _FARTHEST.search(question), _NEAREST.search(question)
    if far is None and answer.kind == 'choice':
        far = _FARTHER.search(question)
    return far is not None and (near is None or far.start() < near.start())


def asks_for_danger(text: str) -> bool:
    """Whether "yes" to a question would mean that the way is not free, going by its words."""
    denies_what_is_good = False

    def leave_out(found: re.Match[str]) -> str:
        nonlocal denies_what_is_good
        if not (found[1] or found[2] or _DANGER.search(found[0])):
            denies_what_is_good = True
        return ''

    rest = _DENIED.sub(leave_out, text)
    return denies_what_is_good or _DANGER.search(rest) is not None
