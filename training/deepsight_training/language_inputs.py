"""What plans of a language bundle are checked with: prompts about the sample bags, and a step."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.benchmarks.language_rows import open_precision
from deepsight_ros.benchmarks.language_rows import read_frames
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.recorded_inputs import Case
from deepsight_ros.engines.recorded_inputs import write_recorded
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import Inputs
from deepsight_ros.engines.tensors import Targets
from deepsight_ros.engines.tensors import Tensor
from deepsight_ros.language.decoder import Decoder
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import SAMPLE_BAGS

RECORDED: Final = 'recorded_inputs.npz'
_QUESTION: Final = 'how far is <region:0.500,0.600>?'


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


def record_inputs(bundle: Path) -> None:
    """Write recorded inputs of the language model and its encoder, and name them in the manifests.

    A prompt about the first frame of each sample bag and, of the last one, a single token.
    """
    answering = open_precision(bundle, 'fp32', RecordingEngine)
    encoder, engine = answering.encoder, answering.model.decoder.engine
    assert isinstance(encoder, RecordingEngine)
    assert isinstance(engine, RecordingEngine)
    for name in SAMPLE_BAGS:
        frame = next(read_frames(find_sample_bag(name)))
        decoder = Decoder(engine)
        step = decoder.run(answering.model.prompt(answering.encode(frame), _QUESTION))
    decoder.step(answering.model.embeddings.row(step.token))
    _record(bundle, engine.cases, np.dtype(np.float16))
    # Depth in half precision would be other depth.
    _record(bundle / ENCODER, encoder.cases[:1], np.dtype(np.float32))


def _record(bundle: Path, cases: Sequence[Case], precision: np.dtype[Any]) -> None:
    write_recorded(bundle / RECORDED, [
        {name: array.astype(precision) if array.dtype.kind == 'f' else array
         for name, array in case.items()} for case in cases])
    manifest = Manifest.read(bundle)
    files = {**manifest.files, RECORDED: sha256(bundle / RECORDED)}
    replace(manifest, files=files, recorded_inputs=RECORDED).write(bundle)
