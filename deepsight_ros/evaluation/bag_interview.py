"""Questions about the pictures of a bag, through the code of the ``spatial_language`` node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines import engine_options
from deepsight_ros.evaluation.answer_truth import judge
from deepsight_ros.evaluation.answer_truth import true_frame
from deepsight_ros.evaluation.question_file import BagQuestion
from deepsight_ros.evaluation.replay_settings import LanguageSettings
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.answer_details import answer_details
from deepsight_ros.perception.answer_details import Source
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.evidence import Evidence
from deepsight_ros.perception.frames import Frame
from deepsight_ros.resources import find_bundle


@dataclass(frozen=True)
class BagAnswer:
    """
    An answer along a bag.

    ``details`` are those of the topic, without what depends on the clock. ``truth`` is what the
    true depth says; None where the bag has none for this picture.
    """

    stamp_ns: int
    details: dict[str, Any]
    truth: Evidence | None
    seconds: float


@dataclass
class BagInterview:
    """Asks the questions as they fall due, and keeps the answers."""

    answering: SpatialAnswering
    questions: Sequence[BagQuestion]
    robot: Robot
    answers: list[BagAnswer] = field(default_factory=list)
    _asked_once: set[int] = field(default_factory=set)

    @classmethod
    def load(cls, questions: Sequence[BagQuestion], settings: LanguageSettings) -> BagInterview:
        """Load the bundle; raises ``ResourceError``, ``EngineError`` and ``LanguageError``."""
        answering = SpatialAnswering.load(
            find_bundle(settings.language_bundle),
            **engine_options(settings.backend, settings.providers, settings.cache_dir))
        return cls(answering, questions, Robot(
            settings.robot_width, settings.robot_height, settings.min_obstacle_height))

    @property
    def model(self) -> str:
        """Name and version of the model."""
        manifest = self.answering.model.decoder.engine.manifest
        return f'{manifest.name} {manifest.version}'

    @property
    def backend(self) -> str:
        """What runs it."""
        return self.answering.model.decoder.engine.backend

    def close(self) -> None:
        """Free the engines."""
        self.answering.close()

    def ask(
        self, index: int, frame: Frame, stamp_ns: int, frame_id: str,
        truth: npt.NDArray[np.float32] | None,
    ) -> None:
        """Ask what is due about picture ``index``; ``truth`` [N, 3] are its true points."""
        due = [question for number, question in enumerate(self.questions)
               if self._falls_due(number, index, stamp_ns)]
        if not due:
            return
        # The node knows the ground from extrinsics alone; refinement stays with embodied_depth.
        ground = frame.ground.plane.seen_from(frame.camera.offset)
        seen = DepthFrame(frame.result.scene.depth, frame.camera, ground, self.robot)
        true = None if truth is None else true_frame(truth, frame.camera, ground, self.robot)
        for question in due:
            started = time.perf_counter()
            answer = self.answering.ask(seen, question.text)
            seconds = time.perf_counter() - started
            self.answers.append(BagAnswer(
                stamp_ns, self._details(answer, question, Source(stamp_ns, frame_id, None)),
                None if true is None or answer.status != 'ok' else judge(
                    true, frame.camera.size, question.text, answer.text), seconds))

    def _falls_due(self, number: int, index: int, stamp_ns: int) -> bool:
        after = self.questions[number].after_ns
        if after is None:
            return index % self.questions[number].every == 0
        is_due = stamp_ns >= after and number not in self._asked_once
        if is_due:
            self._asked_once.add(number)
        return is_due

    def _details(
        self, answer: SpatialAnswer, question: BagQuestion, source: Source,
    ) -> dict[str, Any]:
        details = answer_details(answer, question.id, source, model=self.model,
                                 backend=self.backend, total_s=0.0)
        return {name: value for name, value in details.items()
                if name not in ('latency_ms', 'frame_age_s', 'model', 'backend')}
