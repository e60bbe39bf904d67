"""Answers about a depth image: encode, ask, and check what is said against the depth map."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
import time
from typing import Any
from typing import Final
from typing import Literal

import numpy as np

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.tensors import Array
from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.language.answers import Answer
from deepsight_ros.language.answers import is_about_a_move
from deepsight_ros.language.answers import metres
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.answers import settled_move
from deepsight_ros.language.decoder import Decoder
from deepsight_ros.language.embeddings import Picture
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.generation import Generation
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.generation import NO_LIMITS
from deepsight_ros.language.generation import Sampling
from deepsight_ros.language.lengths import as_learned
from deepsight_ros.language.model import LanguageModel
from deepsight_ros.language.places import with_pixels
from deepsight_ros.language.places import with_places
from deepsight_ros.language.questions import asks_for_height
from deepsight_ros.language.questions import asks_for_the_way
from deepsight_ros.language.refusals import refuse
from deepsight_ros.perception.depth_input import depth_input
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.evidence import Evidence
from deepsight_ros.perception.evidence import find_evidence
from deepsight_ros.perception.evidence import is_blind
from deepsight_ros.perception.evidence import move_agrees
from deepsight_ros.perception.regions import find_regions

ENCODER: Final = 'encoder'
"""Folder of the depth encoder's bundle inside the language model's."""
ENCODER_TASK: Final = 'depth_encoder'
Status = Literal['ok', 'cancelled', 'deadline', 'no_frame', 'stale', 'rejected', 'error']
"""``rejected``: the question cannot be read; ``error``: it could not be answered."""

_NO_GROUND: Final = 'obstacles and heights count from the ground, which is not known here: '
_REMEDY: Final = 'give TF to ground_frame, or camera_height and camera_pitch'
_EMPTY: Final = ('nothing was measured in this depth image: every pixel is zero or not finite; '
                 'check what publishes it')
_UNSEEN: Final = ('the model calls a way free, but the depth image has no depth where its ground '
                  'would be; look there from elsewhere')
_NO_WORDS: Final = 'the model had no words for this; ask in others'
OBSTACLE: Final = 'How far is the nearest obstacle?'
"""What is asked besides, where somebody asks whether a move is safe."""
_ENDINGS: Final = {'cancelled': 'cancelled', 'deadline': 'the deadline passed'}


@dataclass(frozen=True)
class SpatialAnswer:
    """
    An answer and what stands behind it.

    ``text`` is the sentence, with places as pixels (column, row). ``answer`` is what a program
    reads, ``evidence`` where it was looked for and whether the depth map agrees. ``confidence`` is
    how likely it is right, by the product of the tokens' probabilities; 0 where there is no
    answer. Times are in seconds. ``error`` tells why there is none, unless ``status`` is ``ok``.
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

    @property
    def sentence(self) -> str:
        """What to tell a person, a disagreement with the depth map included."""
        if self.status != 'ok':
            return f'no answer: {self.error}'
        if self.evidence.agrees is not False:
            return self.text
        return f'{self.text}; but the depth image {self._contradiction()}'

    def _contradiction(self) -> str:
        """What the depth image has instead."""
        answer, evidence = self.answer, self.evidence
        if answer.kind == 'yes_no' and evidence.measured is not None:
            ahead = f'{metres(evidence.measured)} ahead'
            if move_agrees(self.question, answer, evidence.measured) is not False:
                return f'has {ahead}'
            return f'says {"no" if answer.value == "yes" else "yes"}, {ahead}'
        # A height or a gap is no distance of the place that was looked at.
        measured = evidence.distance if evidence.measured is None else evidence.measured
        # Where places were compared no single length speaks against it.
        if measured is None or answer.kind in ('choice', 'direction'):
            return 'says otherwise'
        return f'has {metres(measured)} {"ahead" if answer.ahead else "there"}'


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
    def load(cls, bundle: Path, *, threads: int = 1, **options: Any) -> SpatialAnswering:
        """
        Load a bundle folder; ``options`` are those of ``load_engine``.

        Raises ``EngineError`` and ``LanguageError``.
        """
        with ExitStack() as undo:
            encoder = undo.enter_context(load_engine(bundle / ENCODER, threads=threads, **options))
            answering = cls(encoder, LanguageModel.load(bundle, threads=threads, **options))
            undo.pop_all()
        return answering

    def warm_up(self) -> None:
        """Answer once: engines set themselves up in their first calls."""
        width, height = self._size
        frame = DepthFrame(np.ones((height, width), np.float32),
                           Camera(width, height, width, width, width / 2, height / 2))
        self.ask(frame, 'what is there?', Limits(tokens=2))
        self._frame = self._picture = None

    def change_engines(self, encoder: Engine | None, decoder: Engine | None) -> None:
        """
        Go on with other engines of the same graphs; those so far are closed.

        If the new ones cannot answer, they are closed instead, and that is raised.
        """
        old_encoder, old_decoder = self.encoder, self.model.decoder
        given = [engine for engine in (encoder, decoder) if engine is not None]
        try:
            if decoder is not None:
                self.model.change_decoder(Decoder(decoder))
            self.encoder = encoder or old_encoder
            self.warm_up()
        except Exception:
            self.encoder = old_encoder
            self.model.change_decoder(old_decoder)
            self._frame = self._picture = None
            for engine in given:
                engine.close()
            raise
        if encoder is not None:
            old_encoder.close()
        if decoder is not None:
            old_decoder.engine.close()

    def close(self) -> None:
        """Free the engines."""
        self.encoder.close()
        self.model.decoder.engine.close()

    def encoder_inputs(self, frame: DepthFrame) -> dict[str, Array]:
        """Inputs of the encoder's graph; boxes where it takes any."""
        shown = depth_input(frame.depth, frame.camera, frame.ground, frame.robot, self._size)
        inputs = {'depth': shown.depth[None], 'camera': shown.camera[None],
                  'ground': shown.ground[None]}
        if any(spec.name == 'boxes' for spec in self.encoder.inputs):
            inputs['boxes'] = find_regions(shown.depth)[None]
        return inputs

    def encode(self, frame: DepthFrame) -> Picture:
        """Encode a frame, unless it is the one that was encoded last."""
        if self._picture is None or self._frame is not frame:
            found = self.encoder(self.encoder_inputs(frame))
            self._picture = Picture(found['tokens'][0], found['features'][0], found['channels'][0])
            self._frame = frame
        return self._picture

    def ask(
        self, frame: DepthFrame, question: str, limits: Limits = NO_LIMITS,
        sampling: Sampling | None = None, on_text: Callable[[str], None] | None = None,
    ) -> SpatialAnswer:
        """
        Answer a question about a frame.

        Places are written as ``<region:u,v>``, ``<loc:u,v>`` or pixels ``(column, row)``, lengths
        in metres, centimetres, feet, inches or yards.
        ``on_text`` sees the text so far. What is wrong with a question is in ``status`` and
        ``error``; ``EngineError`` is raised when an engine fails.
        """
        size = frame.camera.size
        started = time.monotonic()
        if frame.is_empty:
            return unanswered(question, 'error', _EMPTY)
        try:
            asked = as_learned(with_places(question, size))
            needs_ground = asks_for_the_way(asked) or asks_for_height(asked)
            if frame.ground is None and needs_ground:
                return unanswered(question, 'error', _NO_GROUND + (frame.no_ground or _REMEDY))
            if frame.no_way and asks_for_the_way(asked):
                return unanswered(question, 'error', frame.no_way)
            picture = self.encode(frame)
            encoded = time.monotonic()
            say = on_text and (lambda text: on_text(with_pixels(text, size)))
            text, done = self.model.answer(picture, asked, limits, sampling, say)
            if done.status == 'ok':
                said = parse_answer(text)
                refuse(asked, said)
                if is_about_a_move(asked, said):
                    text, done = self._settle(picture, asked, text, done, limits)
        except LanguageError as refusal:
            return unanswered(question, 'rejected', str(refusal))
        except GroundError as problem:
            return unanswered(question, 'error', str(problem))
        answer, evidence, error = parse_answer(text), Evidence(), ''
        status: Status = done.status
        if status != 'ok':
            answer = parse_answer('')
            error = f'{_ENDINGS[status]} after {len(done.tokens)} tokens'
        elif not text:
            status, error = 'error', _NO_WORDS
        elif frame.ground is None and (
                answer.ahead or answer.value in ('ahead', 'higher', 'lower')):
            # The question's words did not tell, but its answer does.
            return unanswered(question, 'error', _NO_GROUND + (frame.no_ground or _REMEDY))
        elif frame.no_way and (answer.ahead or answer.value == 'ahead'):
            return unanswered(question, 'error', frame.no_way)
        elif is_blind(frame, asked, answer):
            return unanswered(question, 'error', _UNSEEN)
        else:
            evidence = find_evidence(frame, asked, answer)
        confidence = self.model.confidence(answer, done.probability) if not error else 0.0
        return SpatialAnswer(
            question, with_pixels(text, size), answer, evidence, confidence,
            len(done.tokens), encoded - started, done.prefill_s, done.decode_s, status, error)

    def _settle(
        self, picture: Picture, asked: str, text: str, done: Generation, limits: Limits,
    ) -> tuple[str, Generation]:
        """Answer a question about a move once the nearest obstacle is known, too."""
        obstacle, read = self.model.answer(picture, OBSTACLE, limits)
        if read.status != 'ok':
            return '', read
        settled = settled_move(asked, text, obstacle)
        return settled, Generation(
            done.tokens + read.tokens, (done if settled == text else read).probability, 'ok',
            done.prefill_s + read.prefill_s, done.decode_s + read.decode_s)


def unanswered(question: str, status: Status, error: str) -> SpatialAnswer:
    """Return what to say where no model was asked."""
    return SpatialAnswer(question, '', parse_answer(''), Evidence(), 0.0, 0, 0.0, 0.0, 0.0, status,
                         error)
