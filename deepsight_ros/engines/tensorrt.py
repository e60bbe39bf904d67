"""TensorRT backend: a verified plan on the GPU, captured as CUDA graphs. TensorRT 10.3 to 11.x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import logging
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.engines import cuda
from deepsight_ros.engines.device import device_tensor
from deepsight_ros.engines.device import DeviceTensor
from deepsight_ros.engines.device import nbytes
from deepsight_ros.engines.device import slice_rows
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plan_facts import covering_profile
from deepsight_ros.engines.tensorrt_plan import FREE
from deepsight_ros.engines.tensorrt_plan import LoadedPlan
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

    def __init__(self, loaded: LoadedPlan, manifest: Manifest, reason: str) -> None:
        """Become a user of a loaded plan; ``EngineError`` if the GPU has no room for one more."""
        self.manifest = manifest
        self.reason = reason
        self._loaded = loaded
        gpu = cuda.current_gpu()
        self.backend = f'tensorrt {VERSION} {gpu.name}'
        self.inputs = described(_symbolic(self._loaded.inputs), manifest.inputs)
        self.outputs = described(_symbolic(self._loaded.outputs), manifest.outputs)
        self._forms = Forms(self.inputs, self.outputs)
        self._tensors: list[DeviceTensor] = []
        self._prepared: dict[Any, Prepared] = {}
        self._closed = False
        self._memory = Memory(self._loaded)

    def __call__(self, inputs: Inputs, *, into: Targets | None = None) -> dict[str, Array]:
        """Run the graph once."""
        self._require_open()
        self._forms.check_inputs(inputs)
        if into:
            self._forms.check_targets(into)
        resident = {name: device_tensor(value).address for name, value in inputs.items()
                    if isinstance(value, Tensor)}
        shapes = {spec.name: inputs[spec.name].shape for spec in self.inputs}
        kept = frozenset(into or ())
        key = (tuple(shapes.values()), tuple(sorted(resident.items())), kept)
        prepared = self._prepared.pop(key, None) or self._prepare(shapes, resident, kept)
        self._prepared[key] = prepared  # at the end: the first is the one not used for longest
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
                  for spec in self.inputs})

    def allocate(self, name: str, shape: Shape | None = None) -> DeviceTensor:
        """Return a zeroed tensor on the GPU."""
        self._require_open()
        dtype, shape = self._forms.tensor_form(name, shape)
        cuda.require_memory(nbytes(dtype, shape), f'{self.manifest.name}: tensor {name!r}')
        tensor = DeviceTensor(dtype, shape, self._memory.stream)
        self._tensors.append(tensor)
        return tensor

    def new_context(self) -> TensorRtEngine:
        """Return an engine with a stream, memory and graphs of its own on the same weights."""
        self._require_open()
        return TensorRtEngine(self._loaded, self.manifest, self.reason)

    def read_back(self) -> tuple[tuple[TensorSpec, ...], dict[str, int]]:
        """Return the plan's own inputs and outputs, and dtype to number of layers."""
        loaded = self._loaded
        return (*loaded.inputs, *loaded.outputs), loaded.layer_dtypes()

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

    def _require_open(self) -> None:
        if self._closed:
            raise EngineError('the engine is closed; load it again')

    def _prepare(
        self, shapes: dict[str, Shape], resident: dict[str, int], kept: frozenset[str],
    ) -> Prepared:
        if len(self._prepared) >= GRAPHS:
            self._prepared.pop(next(iter(self._prepared))).close()
        return Prepared(self._loaded, self._memory, shapes, resident, kept)


class Memory:
    """The stream and the buffers of one engine, for the largest shapes of all profiles."""

    def __init__(self, loaded: LoadedPlan) -> None:
        """Check that all of it is free; ``EngineError`` otherwise."""
        self.stream = cuda.Stream()
        self._device: dict[str, cuda.DeviceBuffer] = {}
        self._pinned: dict[str, cuda.PinnedBuffer] = {}
        self._activations: cuda.DeviceBuffer | None = None
        try:
            self._sizes = self._largest(loaded)
            cuda.require_memory(loaded.activation_bytes + sum(self._sizes.values()),
                                f'{loaded.name}: one context')
            self._activations = cuda.DeviceBuffer(loaded.activation_bytes)
        except BaseException:
            self.close()
            raise
        self.activations = self._activations.address

    def on_device(self, name: str) -> int:
        """Return where a tensor is on the GPU; one that is always resident gets no other place."""
        if name not in self._device:
            self._device[name] = cuda.DeviceBuffer(self._sizes[name])
        return self._device[name].address

    def on_host(self, name: str) -> cuda.PinnedBuffer:
        """Return the pinned memory of a tensor."""
        if name not in self._pinned:
            self._pinned[name] = cuda.PinnedBuffer(self._sizes[name])
        return self._pinned[name]

    def close(self) -> None:
        """Free all of it."""
        if self._activations is not None:
            self._activations.close()
        for buffer in self._device.values():
            buffer.close()
        for pinned in self._pinned.values():
            pinned.close()
        self.stream.close()

    def _largest(self, loaded: LoadedPlan) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for index, profile in enumerate(loaded.profiles):
            shapes = {name: item.max for name, item in profile.items()}
            outputs = loaded.set_shapes(loaded.new_context(), index, shapes, self.stream.handle)
            for spec in (*loaded.inputs, *loaded.outputs):
                shape = shapes[spec.name] if spec.name in shapes else outputs[spec.name]
                sizes[spec.name] = max(sizes.get(spec.name, 0), nbytes(spec.dtype, shape))
        self.stream.synchronize()
        return sizes


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
        self._graph: cuda.Graph | None = None
        self._context = loaded.new_context()
        self._context.set_device_memory(memory.activations, loaded.activation_bytes)
        profile = covering_profile(loaded.profiles, shapes, loaded.name)
        self._shapes = loaded.set_shapes(self._context, profile, shapes, memory.stream.handle)
        self._dtypes = {spec.name: np.dtype(spec.dtype) for spec in loaded.outputs}
        for spec in (*loaded.inputs, *loaded.outputs):
            address = resident.get(spec.name) or memory.on_device(spec.name)
            if not self._context.set_tensor_address(spec.name, address):
                raise loaded.failed(f'setting the address of {spec.name!r}')
        self.staging = {
            spec.name: memory.on_host(spec.name).array(spec.dtype, shapes[spec.name])
            for spec in loaded.inputs if spec.name not in resident}
        self.results = {
            name: memory.on_host(name).array(self._dtypes[name], shape)
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
        tensor = device_tensor(place.tensor)
        rows = slice_rows(shape, tensor.shape, place.axis, place.start, dtype.itemsize)
        source = self._memory.on_device(name)
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
            memory.stream.to_device(memory.on_device(name), memory.on_host(name).address,
                                    array.nbytes)
        if not self._context.execute_async_v3(memory.stream.handle):
            raise self._loaded.failed('running')
        for name, array in self.results.items():
            memory.stream.to_host(memory.on_host(name).address, memory.on_device(name),
                                  array.nbytes)


def _symbolic(specs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    return tuple(replace(spec, shape=tuple('any' if size == FREE else size for size in spec.shape))
                 for spec in specs)
