"""What plans of a language bundle are checked with: prompts about the sample bags, and steps."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.recorded_inputs import Case
from deepsight_ros.engines.recorded_inputs import write_recorded
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import Inputs
from deepsight_ros.engines.tensors import Targets
from deepsight_ros.engines.tensors import Tensor
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.decoder import Decoder
from deepsight_ros.language.model import LanguageModel
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.depth_frames import DepthFrames
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import SAMPLE_BAGS

RECORDED: Final = 'recorded_inputs.npz'
_QUESTION: Final = 'how far is <region:0.500,0.600>?'
_STEPS: Final = 2


class RecordingEngine(OnnxRuntimeEngine):
    """Keeps the inputs of its calls."""

    def __init__(self, session: Any, manifest: Manifest, reason: str, bundle: Path) -> None:
        super().__init__(session, manifest, reason, bundle)
        self.cases: list[Case] = []

    def __call__(self, inputs: Inputs, *, into: Targets | None = None) -> dict[str, Array]:
        """Run the graph once."""
        self.cases.append({name: value.numpy() if isinstance(value, Tensor) else value.copy()
                           for name, value in inputs.items()})
        return super().__call__(inputs, into=into)


def open_precision(
    bundle: Path, precision: str, engine_type: type[OnnxRuntimeEngine] = OnnxRuntimeEngine,
) -> SpatialAnswering:
    """Open a bundle's language model in one of its precisions, on one thread."""
    manifest = Manifest.read(bundle)
    variants = tuple(item for item in manifest.variants if item.precision == precision)
    engine = engine_type.load(bundle, replace(manifest, variants=variants))
    encoder = engine_type.load(bundle / ENCODER, Manifest.read(bundle / ENCODER))
    return SpatialAnswering(encoder, LanguageModel(engine, bundle))


def record_inputs(bundle: Path) -> None:
    """Write recorded inputs of the language model and its encoder, and name them in the manifests.

    A prompt about the first frame of each sample bag and, of the last one, single tokens.
    """
    answering = open_precision(bundle, 'fp32', RecordingEngine)
    encoder, engine = answering.encoder, answering.model.decoder.engine
    assert isinstance(encoder, RecordingEngine)
    assert isinstance(engine, RecordingEngine)
    for frame in _sample_frames():
        decoder = Decoder(engine)
        step = decoder.run(answering.model.prompt(answering.encode(frame), _QUESTION))
    for _ in range(_STEPS):
        step = decoder.step(answering.model.embeddings.row(step.token))
    _record(bundle, engine.cases, np.dtype(np.float16))
    # Depth in half precision would be other depth.
    _record(bundle / ENCODER, encoder.cases[:1], np.dtype(np.float32))


def _sample_frames() -> Iterator[DepthFrame]:
    """First depth image of each sample bag with its camera and ground."""
    for name in SAMPLE_BAGS:
        with BagReader(find_sample_bag(name)) as bag:
            topics = choose_topics(bag, ReplaySettings())
            extrinsics = Extrinsics(transforms=read_transforms(bag))
            yield DepthFrames(extrinsics, Robot())(
                bag.first(topics.depth), bag.first(topics.depth_camera_info))


def _record(bundle: Path, cases: Sequence[Case], precision: np.dtype[Any]) -> None:
    write_recorded(bundle / RECORDED, [
        {name: array.astype(precision) if array.dtype.kind == 'f' else array
         for name, array in case.items()} for case in cases])
    manifest = Manifest.read(bundle)
    files = {**manifest.files, RECORDED: sha256(bundle / RECORDED)}
    replace(manifest, files=files, recorded_inputs=RECORDED).write(bundle)
