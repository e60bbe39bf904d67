"""ONNX Runtime backend."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from deepsight_ros.engines.engine import Arrays
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec

_DTYPES = {
    'tensor(float)': 'float32', 'tensor(float16)': 'float16', 'tensor(double)': 'float64',
    'tensor(uint8)': 'uint8', 'tensor(int8)': 'int8', 'tensor(int32)': 'int32',
    'tensor(int64)': 'int64', 'tensor(bool)': 'bool',
}


class OnnxRuntimeEngine(Engine):
    """A graph in an ONNX Runtime session on the CPU."""

    def __init__(self, path: Path, manifest: Manifest, *, threads: int = 1) -> None:
        """Open the graph; ``EngineError`` when ONNX Runtime cannot."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads steal the cores that DDS needs to receive the next picture.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider'])
        except Exception as error:
            raise EngineError(f'{path}: ONNX Runtime {onnxruntime.__version__} cannot load the '
                              f'graph ({error}); reinstall the bundle or update onnxruntime',
                              ) from error
        self.manifest = manifest
        self.backend = 'onnxruntime CPU'
        self._inputs = tuple(_spec(item) for item in self._session.get_inputs())
        self._outputs = tuple(_spec(item) for item in self._session.get_outputs())
        self._output_names = [spec.name for spec in self._outputs]
        self._forms = {spec.name: (np.dtype(spec.dtype), spec.shape) for spec in self._inputs}

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Return the inputs' specs as the graph has them."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Return the outputs' specs as the graph has them."""
        return self._outputs

    def __call__(self, inputs: Arrays) -> dict[str, npt.NDArray[Any]]:
        """Run the graph once."""
        if self._session is None:
            raise EngineError('the engine is closed; load it again')
        if inputs.keys() != self._forms.keys():
            raise EngineError(f'inputs are {sorted(inputs)}, the graph takes '
                              f'{sorted(self._forms)}')
        for name, array in inputs.items():
            dtype, shape = self._forms[name]
            if array.dtype != dtype or not _fits(array.shape, shape):
                raise EngineError(f'input {name!r} is {array.dtype}{list(array.shape)}, the graph '
                                  f'takes {dtype}{list(shape)}')
        try:
            results = self._session.run(self._output_names, dict(inputs))
        except Exception as error:
            raise EngineError(f'{self.manifest.name}: ONNX Runtime failed ({error})') from error
        return dict(zip(self._output_names, results, strict=True))

    def close(self) -> None:
        """Free the session."""
        self._session = None

    def __enter__(self) -> OnnxRuntimeEngine:
        """Return the engine."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()


def _spec(item: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else str(size) for size in item.shape)
    return TensorSpec(item.name, _DTYPES.get(item.type, item.type), shape)


def _fits(shape: tuple[int, ...], expected: tuple[int | str, ...]) -> bool:
    return len(shape) == len(expected) and all(
        isinstance(want, str) or have == want for have, want in zip(shape, expected, strict=True))
