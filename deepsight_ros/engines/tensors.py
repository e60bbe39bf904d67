"""Tensors that stay on the device between calls, and checks that all backends share."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import Union

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import TensorSpec

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
SymbolicShape = tuple[Union[int, str], ...]


class Tensor(ABC):
    """
    Memory where the engine computes; its address never changes.

    It belongs to the engine whose ``allocate`` made it, and ends when that engine is closed:
    every use after that is an ``EngineError``. Other contexts of the engine may use it too.
    """

    def __init__(self, dtype: npt.DTypeLike, shape: Shape) -> None:
        """Remember the form."""
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape = shape

    @abstractmethod
    def numpy(self) -> Array:
        """Return a copy of the content."""

    @abstractmethod
    def write(self, array: Array) -> None:
        """Replace the content; ``EngineError`` unless ``array`` has its dtype and shape."""

    def slice(self, axis: int, start: int) -> TensorSlice:
        """
        Name the part from index ``start`` on of ``axis``, as a place for an output.

        The output's own shape says where the part ends.
        """
        return TensorSlice(self, axis, start)

    def check_content(self, array: Array) -> None:
        """Raise ``EngineError`` unless ``array`` can be written."""
        if array.dtype != self.dtype or array.shape != self.shape:
            raise EngineError(f'{array.dtype}{list(array.shape)} cannot be written into a tensor '
                              f'of {self.dtype}{list(self.shape)}; give it the same form')


@dataclass(frozen=True)
class TensorSlice:
    """Part of a tensor along one axis."""

    tensor: Tensor
    axis: int
    start: int


Value = Union[Array, Tensor]
Inputs = Mapping[str, Value]
Targets = Mapping[str, Union[Tensor, TensorSlice]]


def target_index(
    name: str, target: Tensor | TensorSlice, dtype: npt.DTypeLike, shape: Shape,
) -> tuple[slice, ...]:
    """
    Return the index of the part of the target's tensor that takes output ``name`` of this form.

    ``EngineError`` when the output does not fit in there.
    """
    if isinstance(target, Tensor):
        target = TensorSlice(target, 0, 0)
        fit = shape == target.tensor.shape
    else:
        fit = _fits_slice(target, shape)
    tensor = target.tensor
    if not fit or dtype != tensor.dtype:
        raise EngineError(
            f'output {name!r}, {np.dtype(dtype)}{list(shape)}, does not fit into '
            f'{tensor.dtype}{list(tensor.shape)} from index {target.start} of axis {target.axis}; '
            'allocate a tensor that is large enough, or start earlier')
    if not shape:
        return ()
    part = slice(target.start, target.start + shape[target.axis])
    return (slice(None),) * target.axis + (part,)


def _fits_slice(target: TensorSlice, shape: Shape) -> bool:
    whole = target.tensor.shape
    return (len(shape) == len(whole) and 0 <= target.axis < len(whole)
            and 0 <= target.start <= whole[target.axis] - shape[target.axis]
            and shape[:target.axis] == whole[:target.axis]
            and shape[target.axis + 1:] == whole[target.axis + 1:])


class Forms:
    """The dtypes and shapes that a graph takes and gives, ready to be checked."""

    def __init__(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        """Take the specs of a graph."""
        self._specs = {spec.name: spec for spec in (*inputs, *outputs)}
        self._inputs = {spec.name: (np.dtype(spec.dtype), spec.shape) for spec in inputs}
        self._outputs = {spec.name for spec in outputs}

    def check_inputs(self, inputs: Inputs) -> None:
        """Raise ``EngineError`` when an input is missing, unknown or has another form."""
        if inputs.keys() != self._inputs.keys():
            raise EngineError(f'inputs are {sorted(inputs)}, the graph takes '
                              f'{sorted(self._inputs)}')
        for name, value in inputs.items():
            dtype, shape = self._inputs[name]
            if value.dtype != dtype or not fits(value.shape, shape):
                raise EngineError(f'input {name!r} is {value.dtype}{list(value.shape)}, the graph '
                                  f'takes {dtype}{list(shape)}')

    def check_targets(self, into: Targets) -> None:
        """Raise ``EngineError`` when ``into`` names no output."""
        if unknown := sorted(into.keys() - self._outputs):
            raise EngineError(f'into names {unknown}, the graph gives {sorted(self._outputs)}')

    def tensor_form(self, name: str, shape: Shape | None) -> tuple[np.dtype[Any], Shape]:
        """Return the dtype and shape to allocate for tensor ``name``; raises ``EngineError``."""
        if name not in self._specs:
            raise EngineError(f'no tensor is called {name!r}; there are {sorted(self._specs)}')
        spec = self._specs[name]
        wanted = shape if shape is not None else tuple(
            size for size in spec.shape if isinstance(size, int))
        if not fits(wanted, spec.shape):
            raise EngineError(f'{name!r} is {list(spec.shape)} and cannot be allocated as '
                              f'{list(wanted)}; give allocate a shape that fits')
        return np.dtype(spec.dtype), wanted


def fits(shape: Shape, expected: SymbolicShape) -> bool:
    """Whether a shape is one of those that a symbolic shape stands for."""
    return len(shape) == len(expected) and all(
        isinstance(want, str) or have == want for have, want in zip(shape, expected, strict=True))


def described(
    graph: tuple[TensorSpec, ...], manifest: tuple[TensorSpec, ...],
) -> tuple[TensorSpec, ...]:
    """
    Return the specs of a graph with the manifest's meanings, units and names of free sizes.

    The dtype is the graph's own. ``EngineError`` when names or fixed sizes differ.
    """
    known = {spec.name: spec for spec in manifest}
    if known.keys() != {spec.name for spec in graph}:
        raise EngineError(f'the graph has the tensors {sorted(spec.name for spec in graph)}, the '
                          f'manifest {sorted(known)}; export the bundle again')
    specs = []
    for spec in graph:
        twin = known[spec.name]
        pairs = list(zip(spec.shape, twin.shape, strict=False))
        if len(spec.shape) != len(twin.shape) or any(
                isinstance(have, int) and isinstance(want, int) and have != want
                for have, want in pairs):
            raise EngineError(f'{spec.name!r} is {list(spec.shape)} in the graph and '
                              f'{list(twin.shape)} in the manifest; export the bundle again')
        shape = tuple(have if isinstance(have, int) else want for have, want in pairs)
        specs.append(replace(spec, shape=shape, meaning=twin.meaning, unit=twin.unit))
    return tuple(specs)
