"""How sure a bundle may be of its answers: a curve for each form, fitted on held-out frames."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from deepsight_ros.benchmarks.language_rows import open_precision
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.language.answers import Answer
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.confidence import CONFIDENCE
from deepsight_ros.language.confidence import Confidence
from deepsight_ros.language.confidence import Curve
from deepsight_ros.language.confidence import form_of
from deepsight_ros.language.confidence import logit
from deepsight_ros.language.confidence import OTHERS
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.evidence import close
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_training.datasets.questions import FAMILY_WEIGHTS
from deepsight_training.instructions.questions import QuestionItem
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.sensors import sense

PER_FRAME: Final = 16
ENOUGH: Final = 60
"""Answers of a form below which it has no curve of its own."""
BINS: Final = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """An answer, the probability of its tokens, and whether it was right."""

    answer: Answer
    probability: float
    is_right: bool


def calibrate(bundle: Path, frames: Sequence[FrameSample], title: str, count: int = 6000,
              ) -> tuple[dict[str, Any], ...]:
    """Write ``confidence.json`` of a bundle, fitted to half of the frames.

    Frames are shown as sensors give them. A length is right within a tenth or 5 cm, as at run
    time; everything else must be what was asked for.

    Args:
        bundle: to ask, in the precision that runs on a CPU.
        frames: that were never trained on.
        title: what to call them.
        count: answers to collect.

    Returns:
        Metrics for the manifest: expected calibration error on the other half, before and after.
    """
    answering = open_precision(bundle, Manifest.read(bundle).variant('onnxruntime').precision)
    answering.model.confidence = Confidence({})
    halves = ask(answering, frames, count)
    confidence = Confidence(fit_curves(halves[0]))
    confidence.write(bundle / CONFIDENCE)
    raw = np.array([item.probability for item in halves[1]])
    curved = np.array([confidence(item.answer, item.probability) for item in halves[1]])
    right = np.array([item.is_right for item in halves[1]], np.float64)
    date = datetime.now(timezone.utc).date().isoformat()
    values = {'right_answers': right.mean(),
              'confidence_error_of_probabilities': calibration_error(raw, right),
              'confidence_error': calibration_error(curved, right)}
    return tuple({'name': name, 'value': round(float(value), 3), 'date': date,
                  'dataset': f'{len(right)} answers on {title}'}
                 for name, value in values.items())


def ask(answering: SpatialAnswering, frames: Sequence[FrameSample], count: int,
        ) -> tuple[list[Outcome], list[Outcome]]:
    """Ask about ``count`` things; the outcomes of every other frame are kept apart."""
    halves: tuple[list[Outcome], list[Outcome]] = [], []
    with tqdm(total=count, unit='answer', desc='confidence') as bar:
        for number, seen, items in _draw(frames):
            for item in items:
                answer = answering.ask(seen, item.text)
                if answer.status == 'ok':
                    halves[number % 2].append(Outcome(
                        answer.answer, answer.confidence, is_right(item, answer.answer)))
                    bar.update()
            if sum(map(len, halves)) >= count:
                break
    return halves


def _draw(frames: Sequence[FrameSample]) -> Iterator[tuple[int, DepthFrame, list[QuestionItem]]]:
    rng = np.random.default_rng(0)
    for number, index in enumerate(rng.permutation(len(frames))):
        seen, truth = sense(frames[int(index)], rng)
        yield (number, DepthFrame(seen.depth, seen.camera, seen.ground, seen.robot),
               # Rare families as often as in training: their forms need curves, too.
               write_questions(truth, rng, FAMILY_WEIGHTS, count=PER_FRAME))


def is_right(item: QuestionItem, answer: Answer) -> bool:
    """Whether an answer is what the question's frame has."""
    wanted = parse_answer(item.answer)
    if answer.kind != wanted.kind:
        return False
    if isinstance(answer.value, float) and item.value is not None:
        return close(answer.value, item.value)
    return answer.value == wanted.value


def fit_curves(outcomes: Sequence[Outcome]) -> dict[str, Curve]:
    """Curve of each form that there is enough of, and one for the others."""
    by_form: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_form[form_of(outcome.answer)].append(outcome)
    curves = {form: fit_curve(found) for form, found in sorted(by_form.items())
              if len(found) >= ENOUGH}
    return {**curves, OTHERS: fit_curve(outcomes)}


def fit_curve(outcomes: Sequence[Outcome], steps: int = 50) -> Curve:
    """Most likely curve, by Newton's method; targets are Platt's, which are never quite 0 or 1."""
    right = np.array([outcome.is_right for outcome in outcomes], bool)
    ones, zeros = np.count_nonzero(right), np.count_nonzero(~right)
    targets = np.where(right, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    inputs = np.array([[logit(outcome.probability), 1.0] for outcome in outcomes])
    found = np.array([1.0, 0.0])
    for _ in range(steps):
        shares = _sigmoid(inputs @ found)
        slopes = inputs.T * (shares * (1 - shares)) @ inputs + 1e-3 * np.eye(2)
        step = np.linalg.solve(slopes, inputs.T @ (shares - targets))
        # A whole step may overshoot to where all is certain, and there is no way back.
        while _surprise(inputs @ (found - step), targets) > _surprise(inputs @ found, targets):
            step /= 2
        found = found - step
    if found[0] < 0:  # the probability says nothing: confidence is how often the form is right
        return Curve(0.0, logit(float(targets.mean())))
    return Curve(float(found[0]), float(found[1]))


def _surprise(values: Floats, targets: Floats) -> float:
    """Cross-entropy of the sigmoid of values [N] against targets [N], a little less exact."""
    return round(float(np.logaddexp(0.0, values).sum() - targets @ values), 6)


def _sigmoid(values: Floats) -> Floats:
    shares: Floats = 0.5 * (1 + np.tanh(values / 2))
    return shares


def calibration_error(confidence: Floats, right: Floats) -> float:
    """Mean of how far confidence is from the share of right answers, over ten bins."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(float((confidence - right)[bins == number].sum())) for number in range(BINS)]
    return sum(gaps) / len(right)
