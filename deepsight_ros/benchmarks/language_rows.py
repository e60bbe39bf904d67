"""Speed of answers on one core: the graph that runs on CPUs beside the one in full precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from itertools import cycle
import math
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from tqdm import tqdm

from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.engines import Manifest
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.demo_questions import QUESTIONS
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.model import LanguageModel
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.depth_frames import DepthFrames
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.extrinsics import Extrinsics

FULL: Final = 'fp32'
_MIN_FRAMES: Final = 5
_EXPORTED: Final = 'times_faster_than_generate_'
"""What ``deepsight_training`` calls its metric, before the precision."""


@dataclass
class _Timed:
    """Answers of one precision; of some, the question was the first about its picture."""

    all: list[SpatialAnswer] = field(default_factory=list)
    first: list[SpatialAnswer] = field(default_factory=list)

    def first_token_ms(self) -> float:
        return 1e3 * median(answer.encode_s + answer.prefill_s for answer in self.first)

    def tokens_per_second(self) -> float:
        # The first token comes with the prompt, and the end costs a step: as many as tokens.
        return sum(answer.tokens for answer in self.all) / math.fsum(
            answer.decode_s for answer in self.all)

    def answer_ms(self) -> float:
        return 1e3 * median(answer.encode_s + answer.prefill_s + answer.decode_s
                            for answer in self.all)


def language_rows(bundle: Path, bag: Path, seconds: float) -> list[Row]:
    """Ask about the true depth of a sample bag for some ``seconds``."""
    manifest = Manifest.read(bundle)
    fast = manifest.variant('onnxruntime').precision
    timed = _ask(bundle, dict.fromkeys((fast, FULL)), list(read_frames(bag)), seconds)
    own, full = timed[fast], timed[FULL] if fast != FULL else None
    plain = (f'the same model with weights in {FULL}; value: {fast}' if full
             else f'none: the bundle has weights in {FULL} only')
    return [
        Row('first_token_ms', own.first_token_ms(), 'ms',
            full.first_token_ms() if full else None, plain),
        Row('tokens_per_second', own.tokens_per_second(), 'tokens/s',
            full.tokens_per_second() if full else None, plain),
        Row('answer_ms', own.answer_ms(), 'ms', full.answer_ms() if full else None, plain),
        against_transformers(manifest, fast)]


def read_frames(bag: Path) -> Iterator[DepthFrame]:
    """Yield the true depth images of a sample bag, with their ground."""
    with BagReader(bag) as reader:
        topics = choose_topics(reader, ReplaySettings())
        frames = DepthFrames(Extrinsics(transforms=read_transforms(reader)), Robot())
        info = reader.first(topics.depth_camera_info)
        for message in reader.messages([topics.depth]):
            yield frames(message.content, info)


def questions(frame: DepthFrame) -> list[str]:
    """What the demonstration asks, with places in this frame."""
    return [question.words(*frame.camera.size)
            for group in QUESTIONS.values() for question in group]


def _ask(
    bundle: Path, precisions: dict[str, None], frames: list[DepthFrame], seconds: float,
) -> dict[str, _Timed]:
    """Let the precisions take turns, so that what slows the machine slows all of them."""
    timed = {precision: _Timed() for precision in precisions}
    with ExitStack() as stack:
        models = {precision: stack.enter_context(closing(open_precision(bundle, precision)))
                  for precision in precisions}
        for model in models.values():
            model.warm_up()
        bar = stack.enter_context(tqdm(desc='language', unit='picture', mininterval=0.5))
        started = perf_counter()
        for frame in cycle(frames):
            for precision, model in models.items():
                said = [model.ask(frame, text) for text in questions(frame)]
                timed[precision].all += said
                timed[precision].first.append(said[0])
            bar.update()
            if bar.n >= _MIN_FRAMES and perf_counter() - started > seconds:
                return timed
    raise AssertionError('a sample bag has depth images')


def open_precision(
    bundle: Path, precision: str, engine_type: type[OnnxRuntimeEngine] = OnnxRuntimeEngine,
) -> SpatialAnswering:
    """Open a bundle's language model in one of its precisions, on one thread."""
    manifest = Manifest.read(bundle)
    variants = tuple(item for item in manifest.variants if item.precision == precision)
    engine = engine_type.load(bundle, replace(manifest, variants=variants))
    encoder = engine_type.load(bundle / ENCODER, Manifest.read(bundle / ENCODER))
    return SpatialAnswering(encoder, LanguageModel(engine, bundle))


def against_transformers(manifest: Manifest, precision: str) -> Row:
    """
    Return what the export measured.

    A bundle has no weights that PyTorch reads, and robots have no PyTorch: only where it is
    exported can both run in one process on the same weights.
    """
    name = f'{_EXPORTED}{precision}'
    found = next((item for item in manifest.metrics if item['name'] == name), None)
    command = 'python -m deepsight_training.export_deepsight --data'
    plain = 'generate of transformers on the same weights' + (
        f', {found["date"]}, {found["dataset"]}, by {command}' if found
        else f': not measured when the bundle was exported, {command} does it')
    return Row('against_transformers', float(found['value']) if found else None, 'times as fast',
               1.0 if found else None, plain)
