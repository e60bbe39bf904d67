"""A bundle against the PyTorch model it was exported from: same words, and how much faster."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timezone
from pathlib import Path
from statistics import median
import time
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from deepsight_ros.benchmarks.language_rows import open_precision
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.language.answers import is_about_a_move
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.answers import settled_move
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.lengths import as_learned
from deepsight_ros.language.places import with_pixels
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.perception.answering import OBSTACLE
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_training.datasets.questions import pack
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.models.places_together import PlacesTogether

PER_FRAME: Final = 10
LIMITS: Final = Limits(tokens=32)


def ask_torch(
    model: DeepSightForConditionalGeneration, prompter: Prompter,
    shown: Mapping[str, npt.NDArray[np.float32]], question: str,
) -> tuple[int, ...]:
    """Tokens that ``generate`` of transformers answers with, without the end.

    ``shown`` are the encoder's inputs [1, ...] by name.
    """
    packed = pack(prompter, [(question, '')])
    ids = packed['ids'][None, :-1]  # without the end of the empty answer
    with torch.no_grad():
        found = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), regions=packed['regions'][None],
            **{name: torch.from_numpy(array) for name, array in shown.items()},
            max_new_tokens=LIMITS.tokens, do_sample=False,
            logits_processor=[PlacesTogether(model.config)])
    answer = found[0, ids.shape[1]:].tolist()
    return tuple(answer[:answer.index(prompter.end)] if prompter.end in answer else answer)


def measure(
    model: DeepSightForConditionalGeneration, bundle: Path, frames: Sequence[FrameSample],
    title: str, count: int = 200,
) -> tuple[dict[str, Any], ...]:
    """Compare greedy answers to ``count`` questions, and time both on one thread.

    Args:
        model: with its adapters folded in.
        bundle: its bundle.
        frames: to ask about; the first question on each waits for the encoder, too.
        title: what to call them.
        count: number of questions.

    Returns:
        Metrics for the manifest: shares of equal answers, milliseconds and tokens per second.
    """
    torch.set_num_threads(1)
    model.eval().set_attn_implementation('sdpa')
    rng = np.random.default_rng(0)
    asked = [
        (frame, item.text)
        for sample in (frames[int(i)] for i in rng.permutation(len(frames))[:count])
        for frame in [DepthFrame(sample.depth, sample.camera, sample.ground, sample.robot)]
        for item in write_questions(sample, rng, count=PER_FRAME)][:count]
    expected, torch_s, said = _ask_in_turns(model, bundle, asked)
    starts = [n for n in range(len(asked)) if n == 0 or asked[n][0] is not asked[n - 1][0]]
    values: dict[str, float] = {}
    for precision, answers in said.items():
        values |= {
            f'same_text_{precision}': float(np.mean([
                answer.text == text for answer, text in zip(answers, expected, strict=True)])),
            f'first_token_ms_{precision}': 1e3 * median(
                answers[n].encode_s + answers[n].prefill_s for n in starts),
            f'answer_ms_{precision}': 1e3 * median(map(_seconds, answers)),
            # The first token comes with the prompt, and the end costs a step: as many as tokens.
            f'tokens_per_second_{precision}': sum(answer.tokens for answer in answers) / sum(
                answer.decode_s for answer in answers),
            f'times_faster_than_generate_{precision}': torch_s / sum(map(_seconds, answers))}
    date = datetime.now(timezone.utc).date().isoformat()
    return tuple({'name': name, 'value': round(value, 3), 'date': date,
                  'dataset': f'{len(asked)} questions on {title}, one CPU core'}
                 for name, value in values.items())


def _ask_in_turns(
    model: DeepSightForConditionalGeneration, bundle: Path,
    asked: Sequence[tuple[DepthFrame, str]],
) -> tuple[list[str], float, dict[str, list[SpatialAnswer]]]:
    """PyTorch's answers and the seconds they took, and those of each precision.

    Each question goes to all of them, so that what slows the machine slows all of them.
    """
    bundles = {variant.precision: open_precision(bundle, variant.precision)
               for variant in Manifest.read(bundle).variants}
    for answering in bundles.values():
        answering.warm_up()
    reference = next(iter(bundles.values()))
    expected: list[str] = []
    seconds = 0.0
    said: dict[str, list[SpatialAnswer]] = {precision: [] for precision in bundles}
    for frame, question in tqdm(asked, unit='question', desc='compare'):
        started = time.perf_counter()
        text = _torch_text(model, reference, frame, as_learned(question))
        seconds += time.perf_counter() - started
        expected.append(with_pixels(text, frame.camera.size))
        for precision, answering in bundles.items():
            said[precision].append(answering.ask(frame, question, LIMITS))
    return expected, seconds, said


def _torch_text(model: DeepSightForConditionalGeneration, reference: SpatialAnswering,
                frame: DepthFrame, question: str) -> str:
    """What ``reference`` would say if ``generate`` of transformers stood behind it."""
    shown = reference.encoder_inputs(frame)

    def ask(question: str) -> str:
        tokens = ask_torch(model, reference.model.prompter, shown, question)
        return reference.model.tokenizer.decode(tokens)

    text = ask(question)
    if is_about_a_move(question, parse_answer(text)):
        return settled_move(question, text, ask(OBSTACLE))
    return text


def _seconds(answer: SpatialAnswer) -> float:
    return answer.encode_s + answer.prefill_s + answer.decode_s
