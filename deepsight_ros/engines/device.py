"""Resident tensors of the GPU, and where a part of one lies in its bytes."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines import cuda
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import Shape
from deepsight_ros.engines.tensors import Tensor


class DeviceTensor(Tensor):
    """A tensor in the GPU's memory; its engine's stream does the copies."""

    def __init__(self, dtype: npt.DTypeLike, shape: Shape, stream: cuda.Stream) -> None:
        """Allocate zeros."""
        super().__init__(dtype, shape)
        self._stream = stream
        self._buffer: cuda.DeviceBuffer | None = cuda.DeviceBuffer(nbytes(dtype, shape))
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
    """A part of a tensor as rows of bytes, whose starts lie a pitch apart."""

    offset: int
    pitch: int
    width: int
    count: int


def slice_rows(shape: Shape, whole: Shape, axis: int, start: int, itemsize: int) -> Rows:
    """
    Return the bytes of a part of this shape, at ``start`` of ``axis``, in a tensor ``whole``.

    All other sizes of the two are equal.
    """
    return Rows(offset=start * math.prod(whole[axis + 1:]) * itemsize,
                pitch=math.prod(whole[axis:]) * itemsize,
                width=math.prod(shape[axis:]) * itemsize,
                count=math.prod(shape[:axis]))


def device_tensor(tensor: Tensor) -> DeviceTensor:
    """Return the tensor if it is on the GPU; ``EngineError`` otherwise."""
    if not isinstance(tensor, DeviceTensor):
        raise EngineError(f'{type(tensor).__name__} is of another backend; allocate it with this '
                          'engine')
    return tensor


def nbytes(dtype: npt.DTypeLike, shape: Shape) -> int:
    """Return the number of bytes of an array."""
    return math.prod(shape) * np.dtype(dtype).itemsize
