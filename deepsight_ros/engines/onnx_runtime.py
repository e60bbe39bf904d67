"""ONNX Runtime backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final
from typing import Union

import numpy as np
import onnxruntime

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.optimised_graphs import open_session
from deepsight_ros.engines.recorded_inputs import as_taken
from deepsight_ros.engines.recorded_inputs import read_recorded
from deepsight_ros.engines.recorded_inputs import usual_inputs
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import described
from deepsight_ros.engines.tensors import Forms
from deepsight_ros.engines.tensors import Inputs
from deepsight_ros.engines.tensors import Shape
from deepsight_ros.engines.tensors import target_index
from deepsight_ros.engines.tensors import Targets
from deepsight_ros.engines.tensors import Tensor
from deepsight_ros.engines.tensors import TensorSlice

LOWEST: Final = '1.15'
"""First version that loads graphs of IR version 9 and opset 18, as bundles have them."""
Providers = Sequence[Union[str, tuple[str, dict[str, Any]]]]

_PREFERRED = ('CUDAExecutionProvider', 'CPUExecutionProvider')
"""Best first. Not ONNX Runtime's TensorRT provider: it builds, unchecked, at the first call."""
_DTYPES = {
    'tensor(float)': 'float32', 'tensor(float16)': 'float16', 'tensor(double)': 'float64',
    'tensor(uint8)': 'uint8', 'tensor(int8)': 'int8', 'tensor(int32)': 'int32',
    'tensor(int64)': 'int64', 'tensor(bool)': 'bool',
}


def _shares_outputs() -> bool:
    """Whether an output becomes an array without a copy; old versions make two of them."""
    value = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(1, np.float32))
    return bool(value.numpy().ctypes.data == value.data_ptr())


_SHARES_OUTPUTS: Final = _shares_outputs()


class OnnxRuntimeEngine(Engine):
    """
    A graph in an ONNX Runtime session.

    Resident tensors are in the computer's memory: with the CPU provider no array is ever copied
    on its way in or out, with others each call copies.
    """

    def __init__(self, session: Any, manifest: Manifest, reason: str, bundle: Path) -> None:
        """Make a context of an open session; ``EngineError`` if the manifest describes another."""
        self.manifest = manifest
        provider = session.get_providers()[0].removesuffix('ExecutionProvider')
        self.backend = f'onnxruntime {provider}'
        self.reason = reason
        self._bundle = bundle
        self._session = session
        self._binding = session.io_binding()
        self.inputs = described(tuple(map(_spec, session.get_inputs())), manifest.inputs)
        self.outputs = described(tuple(map(_spec, session.get_outputs())), manifest.outputs)
        self._output_names = [spec.name for spec in self.outputs]
        self._forms = Forms(self.inputs, self.outputs)
        self._tensors: list[HostTensor] = []

    @classmethod
    def load(
        cls, bundle: Path, manifest: Manifest, *, threads: int = 1,
        providers: Providers | None = None, cache: Path | None = None, reason: str = 'asked for',
    ) -> OnnxRuntimeEngine:
        """Open a bundle's graph; ``EngineError`` when ONNX Runtime cannot."""
        def make_options() -> Any:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            # Spinning threads steal the cores that DDS needs to receive the next picture.
            options.add_session_config_entry('session.intra_op.allow_spinning', '0')
            options.log_severity_level = 3
            return options

        chosen = _choose(providers)
        # Other providers lack kernels for 8 bits, and would copy to and from the CPU for each.
        on_cpu = chosen[0][0] == 'CPUExecutionProvider'
        name = manifest.variant('onnxruntime', quantised=on_cpu).file
        path = bundle / name
        try:
            session = open_session(path, manifest.files[name], manifest.name, chosen, cache,
                                   make_options)
        except Exception as error:
            raise EngineError(f'{path}: ONNX Runtime {onnxruntime.__version__} cannot load the '
                              f'graph ({error}); reinstall the bundle, or update onnxruntime to '
                              f'{LOWEST} or newer') from error
        if providers and session.get_providers()[0] != chosen[0][0]:
            raise EngineError(f'{chosen[0][0]} is installed and did not start; look at what it '
                              'printed, or choose another provider')
        return cls(session, manifest, reason, bundle)

    def __call__(self, inputs: Inputs, *, into: Targets | None = None) -> dict[str, Array]:
        """Run the graph once."""
        binding = self._binding
        if binding is None:
            raise EngineError('the engine is closed; load it again')
        self._forms.check_inputs(inputs)
        if into:
            self._forms.check_targets(into)
        try:
            for name, value in inputs.items():
                array = _content(value)
                if not array.flags.c_contiguous:
                    array = np.ascontiguousarray(array)
                binding.bind_cpu_input(name, array)
            # Binding anew makes ONNX Runtime allocate anew: the last outputs are the caller's.
            for name in self._output_names:
                binding.bind_output(name)
            self._session.run_with_iobinding(binding)
            values = ([value.numpy() for value in binding.get_outputs()] if _SHARES_OUTPUTS
                      else binding.copy_outputs_to_cpu())
        except EngineError:
            raise
        except Exception as error:
            given = {name: list(value.shape) for name, value in inputs.items()}
            raise EngineError(f'{self.manifest.name}: ONNX Runtime failed on {given} ({error}); '
                              'give shapes that belong together, or free memory') from error
        results = dict(zip(self._output_names, values, strict=True))
        if into:
            self._move(results, into)
        return results

    def _move(self, results: dict[str, Array], into: Targets) -> None:
        """Move outputs to where ``into`` wants them, all or none."""
        moves = []
        for name, target in into.items():
            array = results.pop(name)
            index = target_index(name, target, array.dtype, array.shape)
            tensor = target.tensor if isinstance(target, TensorSlice) else target
            moves.append((_content(tensor), index, array))
        for content, index, array in moves:
            content[index] = array

    def warm_up(self) -> None:
        """Run recorded or usual inputs once."""
        for case in (read_recorded(self._bundle, self.manifest)
                     or usual_inputs(self.inputs, self.manifest)):
            self(as_taken(case, self.inputs))

    def allocate(self, name: str, shape: Shape | None = None) -> HostTensor:
        """Return a zeroed tensor."""
        if self._binding is None:
            raise EngineError('the engine is closed; load it again')
        dtype, shape = self._forms.tensor_form(name, shape)
        tensor = HostTensor(dtype, shape)
        self._tensors.append(tensor)
        return tensor

    def new_context(self) -> OnnxRuntimeEngine:
        """Return an engine on the same session, which is safe to share between threads."""
        if self._binding is None:
            raise EngineError('the engine is closed; load it again')
        return OnnxRuntimeEngine(self._session, self.manifest, self.reason, self._bundle)

    def close(self) -> None:
        """Free tensors, and the session with its last context."""
        for tensor in self._tensors:
            tensor.free()
        self._tensors.clear()
        self._session = self._binding = None


class HostTensor(Tensor):
    """A NumPy array that is written in place."""

    def __init__(self, dtype: np.dtype[Any], shape: Shape) -> None:
        """Allocate zeros."""
        super().__init__(dtype, shape)
        self._array: Array | None = np.zeros(shape, dtype)

    @property
    def content(self) -> Array:
        """Return the array itself."""
        if self._array is None:
            raise EngineError('the engine of this tensor is closed; allocate it again')
        return self._array

    def numpy(self) -> Array:
        """Return a copy of the content."""
        return self.content.copy()

    def write(self, array: Array) -> None:
        """Replace the content."""
        self.check_content(array)
        self.content[...] = array

    def free(self) -> None:
        """End the tensor."""
        self._array = None


def _choose(providers: Providers | None) -> list[tuple[str, dict[str, Any]]]:
    """Return providers with their options, the best if none is asked for."""
    available = onnxruntime.get_available_providers()
    if not providers:
        return [(name, {}) for name in _PREFERRED if name in available]
    chosen = [(item, {}) if isinstance(item, str) else item for item in providers]
    for name, _ in chosen:
        if name not in available:  # ONNX Runtime would take another in silence
            raise EngineError(f'provider {name!r} is not in this onnxruntime; choose from '
                              f'{", ".join(available)}')
    return chosen


def _content(value: Array | Tensor) -> Array:
    """Return the array behind a value of a call."""
    if not isinstance(value, Tensor):
        return value
    if not isinstance(value, HostTensor):
        raise EngineError(f'{type(value).__name__} is of another backend; allocate it with this '
                          'engine')
    return value.content


def _spec(item: Any) -> TensorSpec:
    if item.type not in _DTYPES:
        raise EngineError(f'{item.name!r} is a {item.type}; export a graph whose inputs and '
                          f'outputs are among {", ".join(_DTYPES)}')
    shape = tuple(size if isinstance(size, int) else str(size) for size in item.shape)
    return TensorSpec(item.name, _DTYPES[item.type], shape)
