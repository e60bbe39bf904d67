"""TensorRT backend: a verified plan on the GPU, captured as CUDA graphs. TensorRT 10.3 to 11.x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
import logging
import math
from types import TracebackType
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines import cuda
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.tensorrt_plan import FREE
from deepsight_ros.engines.tensorrt_plan import LoadedPlan
from deepsight_ros.engines.tensorrt_plan import plan_key
from deepsight_ros.engines.tensorrt_plan import VERSION
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import described
from deepsight_ros.engines.tensors import Forms
from deepsight_ros.engines.tensors import Inputs
from deepsight_ros.engines.tensors import Shape
from deepsight_ros.engines.tensors import target_index
from deepsight_ros.engines.tensors import Targets
from deepsight_ros.engines.tensors import Tensor
from deepsight_ros.engines.tensors import TensorSlice

__all__ = ['TensorRtEngine', 'plan_key']

GRAPHS: Final = 16
"""Captured graphs that one engine keeps; each has a context of TensorRT of its own."""
_log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """
    One user of a loaded plan: a stream, memory for activations, inputs and outputs, and graphs.

    All memory is allocated here, for the largest shapes of all profiles, so that addresses stay
    put. A call copies its arrays into pinned memory and launches one CUDA graph, which copies to
    the GPU, computes and copies back. The first call with other shapes, resident tensors or
    ``into`` names prepares the graph for them: milliseconds to seconds, hence ``warm_up``.
    """

    def __init__(
        self, plan: Plan, manifest: Manifest, *, reason: str, shared: LoadedPlan | None = None,
    ) -> None:
        """Load the plan, or take the weights that a ``shared`` one has loaded."""
        self.manifest = manifest
        self.reason = reason
        self._plan = plan
        self._loaded = shared or LoadedPlan(plan.content, manifest.name)
        gpu = cuda.current_gpu()
        self.backend = f'tensorrt {VERSION} {gpu.name}'
        self._inputs = described(_symbolic(self._loaded.inputs), manifest.inputs)
        self._outputs = described(_symbolic(self._loaded.outputs), manifest.outputs)
        self._forms = Forms(self._inputs, self._outputs)
        self._tensors: list[DeviceTensor] = []
        self._prepared: dict[Any, Prepared] = {}
        self._closed = False
        self._memory = Memory(self._loaded)

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Return the inputs' specs."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Return the outputs' specs."""
        return self._outputs

    def __call__(self, inputs: Inputs, *, into: Targets | None = None) -> dict[str, Array]:
        """Run the graph once."""
        self._require_open()
        self._forms.check_inputs(inputs)
        if into:
            self._forms.check_targets(into)
        resident = {name: _resident(value).address for name, value in inputs.items()
                    if isinstance(value, Tensor)}
        shapes = {spec.name: inputs[spec.name].shape for spec in self._inputs}
        kept = frozenset(into or ())
        key = (tuple(shapes.values()), tuple(sorted(resident.items())), kept)
        prepared = self._prepared.get(key) or self._prepare(key, shapes, resident, kept)
        moves = [prepared.move(name, target) for name, target in (into or {}).items()]
        for name, value in inputs.items():
            if not isinstance(value, Tensor):
                np.copyto(prepared.staging[name], value)
        prepared.launch()
        for move in moves:
            move()
        self._memory.stream.synchronize()
        return {name: array.copy() for name, array in prepared.results.items()}

    def warm_up(self) -> None:
        """Prepare and run the usual shapes of each profile."""
        for profile in self._loaded.profiles:
            self({spec.name: np.zeros(profile[spec.name].opt, spec.dtype)
                  for spec in self._inputs})

    def allocate(self, name: str, shape: Shape | None = None) -> DeviceTensor:
        """Return a zeroed tensor on the GPU."""
        self._require_open()
        dtype, shape = self._forms.tensor_form(name, shape)
        cuda.require_memory(_nbytes(dtype, shape), f'{self.manifest.name}: tensor {name!r}')
        tensor = DeviceTensor(dtype, shape, self._memory.stream)
        self._tensors.append(tensor)
        return tensor

    def new_context(self) -> TensorRtEngine:
        """Return an engine with a stream, memory and graphs of its own on the same weights."""
        self._require_open()
        return TensorRtEngine(self._plan, self.manifest, reason=self.reason, shared=self._loaded)

    def layer_dtypes(self) -> dict[str, int]:
        """Return dtype to number of layers, as read back from the plan; empty if unknown."""
        return self._loaded.layer_dtypes()

    def close(self) -> None:
        """Free graphs, tensors and memory; the weights go with their last user."""
        if self._closed:
            return
        self._closed = True
        for prepared in self._prepared.values():
            prepared.close()
        self._prepared.clear()
        for tensor in self._tensors:
            tensor.free()
        self._tensors.clear()
        self._memory.close()
        del self._loaded

    def __enter__(self) -> TensorRtEngine:
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

    def _require_open(self) -> None:
        if self._closed:
            raise EngineError('the engine is closed; load it again')

    def _prepare(
        self, key: Any, shapes: dict[str, Shape], resident: dict[str, int], kept: frozenset[str],
    ) -> Prepared:
        if len(self._prepared) >= GRAPHS:
            self._prepared.pop(next(iter(self._prepared))).close()
        prepared = Prepared(self._loaded, self._memory, shapes, resident, kept)
        self._prepared[key] = prepared
        return prepared


class Memory:
    """The stream and the buffers of one engine, for the largest shapes of all profiles."""

    def __init__(self, loaded: LoadedPlan) -> None:
        self.stream = cuda.Stream()
        self.device: dict[str, cuda.DeviceBuffer] = {}
        self.pinned: dict[str, cuda.PinnedBuffer] = {}
        try:
            sizes = self._largest(loaded)
            cuda.require_memory(loaded.activation_bytes + sum(sizes.values()),
                                f'{loaded.name}: one context')
            self.activations = cuda.DeviceBuffer(loaded.activation_bytes)
            for name, nbytes in sizes.items():
                self.device[name] = cuda.DeviceBuffer(nbytes)
                self.pinned[name] = cuda.PinnedBuffer(nbytes)
        except BaseException:
            self.close()
            raise

    def _largest(self, loaded: LoadedPlan) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for index, profile in enumerate(loaded.profiles):
            shapes = {name: item.max for name, item in profile.items()}
            outputs = loaded.set_shapes(loaded.new_context(), index, shapes, self.stream.handle)
            for spec in (*loaded.inputs, *loaded.outputs):
                shape = shapes[spec.name] if spec.name in shapes else outputs[spec.name]
                sizes[spec.name] = max(sizes.get(spec.name, 0), _nbytes(spec.dtype, shape))
        self.stream.synchronize()
        return sizes

    def close(self) -> None:
        """Free all of it."""
        for buffer in self.device.values():
            buffer.close()
        for pinned in self.pinned.values():
            pinned.close()
        if hasattr(self, 'activations'):
            self.activations.close()
        self.stream.close()


class Prepared:
    """
    A context of TensorRT with fixed shapes and addresses, and the graph captured from it.

    A captured graph refers to the state of its context, so that each has one of its own; they
    share the memory for activations, since one stream runs them one after the other.
    """

    def __init__(
        self, loaded: LoadedPlan, memory: Memory, shapes: dict[str, Shape],
        resident: dict[str, int], kept: frozenset[str],
    ) -> None:
        """Fix everything, run once, capture; raises ``EngineError``."""
        self._loaded = loaded
        self._memory = memory
        self._context = loaded.new_context()
        self._graph: cuda.Graph | None = None
        self._context.set_device_memory(memory.activations.address, loaded.activation_bytes)
        self._shapes = loaded.set_shapes(
            self._context, loaded.profile_for(shapes), shapes, memory.stream.handle)
        self._dtypes = {spec.name: np.dtype(spec.dtype) for spec in loaded.outputs}
        for spec in (*loaded.inputs, *loaded.outputs):
            address = resident.get(spec.name, memory.device[spec.name].address)
            if not self._context.set_tensor_address(spec.name, address):
                raise loaded.failed(f'setting the address of {spec.name!r}')
        self.staging = {
            spec.name: memory.pinned[spec.name].array(spec.dtype, shapes[spec.name])
            for spec in loaded.inputs if spec.name not in resident}
        self.results = {
            name: memory.pinned[name].array(self._dtypes[name], shape)
            for name, shape in self._shapes.items() if name not in kept}
        for array in self.staging.values():
            array.fill(0)  # what was left there could be indices that lead anywhere
        self._run()  # TensorRT finishes its own preparations in the first run
        memory.stream.synchronize()
        try:
            self._graph = memory.stream.capture(self._run)
        except EngineError as error:
            _log.warning('%s runs without a CUDA graph: %s', loaded.name, error)

    def launch(self) -> None:
        """Queue copies in, computation and copies out."""
        if self._graph is not None:
            self._graph.launch(self._memory.stream)
        else:
            self._run()

    def move(self, name: str, target: Tensor | TensorSlice) -> Callable[[], None]:
        """Check where an output goes and return what queues the copy; raises ``EngineError``."""
        shape, dtype = self._shapes[name], self._dtypes[name]
        target_index(name, target, dtype, shape)
        place = target if isinstance(target, TensorSlice) else TensorSlice(target, 0, 0)
        tensor = _resident(place.tensor)
        rows = slice_rows(shape, tensor.shape, place.axis, place.start, dtype.itemsize)
        source = self._memory.device[name].address
        return lambda: self._memory.stream.copy_rows(
            tensor.address + rows.offset, rows.pitch, source, rows.width, rows.width, rows.count)

    def close(self) -> None:
        """Free graph and context."""
        if self._graph is not None:
            self._graph.close()
        del self._context

    def _run(self) -> None:
        memory = self._memory
        for name, array in self.staging.items():
            memory.stream.to_device(memory.device[name].address, memory.pinned[name].address,
                                    array.nbytes)
        if not self._context.execute_async_v3(memory.stream.handle):
            raise self._loaded.failed('running')
        for name, array in self.results.items():
            memory.stream.to_host(memory.pinned[name].address, memory.device[name].address,
                                  array.nbytes)


class DeviceTensor(Tensor):
    """A tensor in the GPU's memory."""

    def __init__(self, dtype: npt.DTypeLike, shape: Shape, stream: cuda.Stream) -> None:
        """Allocate zeros."""
        super().__init__(dtype, shape)
        self._stream = stream
        self._buffer: cuda.DeviceBuffer | None = cuda.DeviceBuffer(_nbytes(dtype, shape))
        stream.fill(self.address, 0, self._buffer.nbytes)
        stream.synchronize()

    @property
    def address(self) -> int:
        """Return where it is; ``EngineError`` after its engine was closed."""
        if self._buffer is None:
            raise EngineError('the engine of this tensor is closed; allocate it again')
        return self._buffer.address

    def numpy(self) -> Array:
        """Return a copy of the content."""
        array = np.empty(self.shape, self.dtype)
        self._stream.to_host(array.ctypes.data, self.address, array.nbytes)
        self._stream.synchronize()
        return array

    def write(self, array: Array) -> None:
        """Replace the content."""
        self.check_content(array)
        content = np.ascontiguousarray(array)
        self._stream.to_device(self.address, content.ctypes.data, content.nbytes)
        self._stream.synchronize()

    def free(self) -> None:
        """End the tensor."""
        if self._buffer is not None:
            self._buffer.close()
            self._buffer = None


@dataclass(frozen=True)
class Rows:
    """A part of a tensor as rows of bytes."""

    offset: int
    pitch: int
    width: int
    count: int


def slice_rows(shape: Shape, whole: Shape, axis: int, start: int, itemsize: int) -> Rows:
    """Return where a part of this shape lies in the bytes of a tensor, from ``start`` on."""
    inner = math.prod(whole[axis + 1:]) * itemsize
    return Rows(offset=start * inner, pitch=math.prod(whole[axis:]) * itemsize,
                width=math.prod(shape[axis:]) * itemsize, count=math.prod(shape[:axis]))


def _resident(tensor: Tensor) -> DeviceTensor:
    if not isinstance(tensor, DeviceTensor):
        raise EngineError(f'{type(tensor).__name__} is of another backend; allocate it with this '
                          'engine')
    return tensor


def _symbolic(specs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    return tuple(replace(spec, shape=tuple('any' if size == FREE else size for size in spec.shape))
                 for spec in specs)


def _nbytes(dtype: npt.DTypeLike, shape: Shape) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize
