"""Answers about a depth image: encode, ask, and check what is said against the depth map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
import time
from typing import Final
from typing import Literal

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.language.answers import Answer
from deepsight_ros.language.answers import NOTHING_AHEAD
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.embeddings import Picture
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.generation import NO_LIMITS
from deepsight_ros.language.generation import Sampling
from deepsight_ros.language.model import LanguageModel
from deepsight_ros.language.places import find_places
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place
from deepsight_ros.perception.depth_input import depth_input
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.evidence import Evidence
from deepsight_ros.perception.evidence import find_evidence

ENCODER: Final = 'encoder'
"""Folder of the depth encoder's bundle inside the language model's."""
ENCODER_TASK: Final = 'depth_encoder'
Status = Literal['ok', 'cancelled', 'deadline', 'rejected', 'error']

_NEEDS_GROUND: Final = re.compile(
    r'\b(obstacle|safe|ahead|free|clear|clearance|path|collision|collid\w*|hit|bump|drive|block\w*'
    r'|move|above the (?:floor|ground)|from the (?:floor|ground))\b', re.IGNORECASE)
_NO_GROUND: Final = ('the ground below the camera is unknown: give TF to ground_frame, or '
                     'camera_height and camera_pitch')
_PIXEL: Final = re.compile(r'\(\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\)')


@dataclass(frozen=True)
class SpatialAnswer:
    """
    An answer and what stands behind it.

    ``text`` is the sentence, with places as pixels (column, row). ``answer`` is what a program
    reads, ``evidence`` where it was looked for and whether the depth map agrees. ``confidence`` is
    the product of the tokens' probabilities. Times are in seconds.
    """

    question: str
    text: str
    answer: Answer
    evidence: Evidence
    confidence: float
    tokens: int
    encode_s: float
    prefill_s: float
    decode_s: float
    status: Status
    error: str = ''


class SpatialAnswering:
    """
    Asks a bundle's language model about depth frames.

    The frame that was asked about last stays encoded, so that further questions on it skip the
    encoder and the picture's part of the prompt. Not thread safe: one user at a time.
    """

    def __init__(self, encoder: Engine, model: LanguageModel) -> None:
        """Take a loaded encoder and language model; ``EngineError`` when they are others."""
        manifest = encoder.manifest
        if manifest.task != ENCODER_TASK:
            raise EngineError(f'bundle {manifest.name!r} does {manifest.task!r}, not '
                              f'{ENCODER_TASK!r}; reinstall the bundle')
        try:
            self._size = (int(manifest.preprocessing['width']),
                          int(manifest.preprocessing['height']))
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(f'bundle {manifest.name!r}: preprocessing lacks width or height; '
                              'export it again') from error
        self.encoder = encoder
        self.model = model
        self._frame: DepthFrame | None = None
        self._picture: Picture | None = None

    @classmethod
    def load(cls, bundle: Path, backend: str = 'auto', *, threads: int = 1) -> SpatialAnswering:
        """Load a bundle folder; raises ``EngineError`` and ``LanguageError``."""
        encoder = load_engine(bundle / ENCODER, backend, threads=threads)
        return cls(encoder, LanguageModel.load(bundle, backend, threads=threads))

    def encode(self, frame: DepthFrame) -> Picture:
        """Encode a frame, unless it is the one that was encoded last."""
        if self._picture is None or self._frame is not frame:
            shown = depth_input(frame.depth, frame.camera, frame.ground, frame.robot, self._size)
            found = self.encoder({'depth': shown.depth[None], 'camera': shown.camera[None],
                                  'ground': shown.ground[None]})
            self._picture = Picture(found['tokens'][0], found['features'][0], found['channels'][0])
            self._frame = frame
        return self._picture

    def ask(
        self, frame: DepthFrame, question: str, limits: Limits = NO_LIMITS,
        sampling: Sampling | None = None, on_text: Callable[[str], None] | None = None,
    ) -> SpatialAnswer:
        """
        Answer a question about a frame.

        Places are written as ``<region:u,v>``, ``<loc:u,v>`` or pixels ``(column, row)``.
        ``on_text`` sees the text so far. What is wrong with a question is in ``status`` and
        ``error``; ``EngineError`` is raised when an engine fails.
        """
        size = frame.camera.size
        started = time.monotonic()
        try:
            asked = with_places(question, size)
            if frame.ground is None and _NEEDS_GROUND.search(asked):
                return _refused(question, 'error', _NO_GROUND)
            picture = self.encode(frame)
            encoded = time.monotonic()
            say = on_text and (lambda text: on_text(with_pixels(text, size)))
            text, done = self.model.answer(picture, asked, limits, sampling, say)
        except LanguageError as error:
            return _refused(question, 'rejected', str(error))
        answer = parse_answer(text)
        if frame.ground is None and (answer.ahead or answer.text == NOTHING_AHEAD):
            return _refused(question, 'error', _NO_GROUND)
        evidence = Evidence()
        if done.status == 'ok':
            evidence = find_evidence(frame, answer, find_places(asked))
        return SpatialAnswer(
            question, with_pixels(text, size), answer, evidence, done.probability,
            len(done.tokens), encoded - started, done.prefill_s, done.decode_s, done.status)


def _refused(question: str, status: Status, error: str) -> SpatialAnswer:
    return SpatialAnswer(question, '', parse_answer(''), Evidence(), 0.0, 0, 0.0, 0.0, 0.0, status,
                         error)


def with_places(question: str, size: tuple[int, int]) -> str:
    """Write pixels (column, row) in a question as regions; ``LanguageError`` if one is outside."""
    if not question.strip():
        raise LanguageError('the question is empty')

    def place(found: re.Match[str]) -> str:
        column, row = int(found[1]), int(found[2])
        if column >= size[0] or row >= size[1]:
            raise LanguageError(f'pixel ({column}, {row}) is outside the depth image of '
                                f'{size[0]}x{size[1]}')
        return str(Place.of_pixel(column, row, *size, is_region=True))
    return _PIXEL.sub(place, question)


def with_pixels(text: str, size: tuple[int, int]) -> str:
    """Write the places of an answer as pixels (column, row)."""
    def pixel(found: re.Match[str]) -> str:
        column, row = Place(float(found[2]), float(found[3])).pixel(*size)
        return f'({column}, {row})'
    return PLACE.sub(pixel, text)
