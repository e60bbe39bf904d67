"""
What the GPU backend needs of CUDA, through cuda-python: memory, one stream, captured graphs.

Only names and argument orders that ``cuda.bindings.runtime`` has both in 12.6 and in 13.x. Import
this module only when a GPU engine is wanted: importing it needs the package cuda-python.
"""

from __future__ import annotations

from collections.abc import Callable
import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Final
from typing import ParamSpec

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines.errors import EngineError

try:
    from cuda.bindings import runtime as cudart
except ImportError as error:
    raise EngineError(
        f'the Python bindings of CUDA cannot be imported ({error}); install them, and TensorRT, '
        "with `pip install tensorrt 'cuda-python>=12.6.1'` (JetPack 6 has TensorRT: only "
        "'cuda-python==12.6.*'), or choose the backend onnxruntime") from error

P = ParamSpec('P')

MARGIN: Final = 64 << 20
"""Bytes of GPU memory that are left to the driver and to others."""

_REMEDIES: Final = {
    'cudaErrorMemoryAllocation': 'close other programs that use the GPU, or build for smaller '
                                 'shapes',
    'cudaErrorInsufficientDriver': 'install or update the NVIDIA driver (in a container: start it '
                                   'with --gpus all), or choose the backend onnxruntime',
    'cudaErrorNoDevice': 'no GPU is visible: look at nvidia-smi and CUDA_VISIBLE_DEVICES, or '
                         'choose the backend onnxruntime',
}
_OTHER_REMEDY: Final = 'restart the program; if it happens again, choose the backend onnxruntime'


@dataclass(frozen=True)
class Gpu:
    """The current device, as a plan is built for it."""

    name: str
    compute_capability: str
    """Such as ``8.7``."""
    multiprocessors: int
    driver: str
    """Newest CUDA version that the driver supports, such as ``12.6``."""
    runtime: str
    """CUDA version of the runtime library in use."""


def call(function: Callable[P, tuple[Any, ...]], *args: P.args, **kwargs: P.kwargs) -> Any:
    """
    Call a function of the CUDA runtime, which returns its status and then its values.

    Return None, the value, or the tuple of values; ``EngineError`` for every other status.
    """
    try:
        status, *values = function(*args, **kwargs)
    except RuntimeError as error:  # 12.x raises where the driver's library is missing
        raise EngineError(f'{function.__name__}: {error}; '
                          f'{_REMEDIES["cudaErrorInsufficientDriver"]}') from error
    if status != cudart.cudaError_t.cudaSuccess:
        _, text = cudart.cudaGetErrorString(status)
        raise EngineError(f'{function.__name__}: {status.name} ({text.decode()}); '
                          f'{_REMEDIES.get(status.name, _OTHER_REMEDY)}')
    if len(values) > 1:
        return tuple(values)
    return values[0] if values else None


def current_gpu() -> Gpu:
    """Return what the current device is; ``EngineError`` where there is none."""
    device = call(cudart.cudaGetDevice)
    properties: cudart.cudaDeviceProp = call(cudart.cudaGetDeviceProperties, device)
    return Gpu(
        name=properties.name.decode().rstrip('\0'),
        compute_capability=f'{properties.major}.{properties.minor}',
        multiprocessors=properties.multiProcessorCount,
        driver=_version(call(cudart.cudaDriverGetVersion)),
        runtime=_version(call(cudart.cudaRuntimeGetVersion)))


def require_memory(needed: int, purpose: str) -> None:
    """Raise ``EngineError`` unless this many bytes of GPU memory are free, and some to spare."""
    free, total = call(cudart.cudaMemGetInfo)
    properties: cudart.cudaDeviceProp = call(
        cudart.cudaGetDeviceProperties, call(cudart.cudaGetDevice))
    if properties.integrated:
        # A Jetson's GPU has the computer's memory, and CUDA takes the page cache for used.
        free = max(free, available_memory(Path('/proc/meminfo').read_text(encoding='ascii')))
    check_memory(needed, free, total, purpose)


def available_memory(meminfo: str) -> int:
    """Return the bytes that programs can get, page cache included, from Linux's meminfo."""
    for line in meminfo.splitlines():
        if line.startswith('MemAvailable:'):
            return int(line.split()[1]) << 10
    return 0


def check_memory(needed: int, free: int, total: int, purpose: str) -> None:
    """Raise ``EngineError`` unless ``needed`` bytes and a margin are below ``free``."""
    if needed + MARGIN > free:
        raise EngineError(
            f'{purpose} needs {needed >> 20} MB of GPU memory, {free >> 20} of {total >> 20} MB '
            f'are free; {_REMEDIES["cudaErrorMemoryAllocation"]}')


class DeviceBuffer:
    """Bytes on the device."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        self.address: int = int(call(cudart.cudaMalloc, max(nbytes, 1)))

    def close(self) -> None:
        """Free them; calling it again does nothing."""
        if self.address:
            address, self.address = self.address, 0
            call(cudart.cudaFree, address)


class PinnedBuffer:
    """Bytes on the host that the GPU copies from and to without the processor."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        self.address: int = int(call(cudart.cudaMallocHost, max(nbytes, 1)))

    def array(self, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """View the first bytes as an array; it must not outlive the buffer."""
        count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if count > self.nbytes:
            raise ValueError(f'{count} bytes are more than the {self.nbytes} of the buffer')
        memory = (ctypes.c_uint8 * count).from_address(self.address)
        return np.ctypeslib.as_array(memory).view(dtype).reshape(shape)

    def close(self) -> None:
        """Free them; calling it again does nothing."""
        if self.address:
            address, self.address = self.address, 0
            call(cudart.cudaFreeHost, address)


class Graph:
    """Work that was captured once and is launched with one call."""

    def __init__(self, executable: Any) -> None:
        self._executable = executable

    def launch(self, stream: Stream) -> None:
        """Queue the work on a stream."""
        call(cudart.cudaGraphLaunch, self._executable, stream.native)

    def close(self) -> None:
        """Free the graph; calling it again does nothing."""
        if self._executable is not None:
            executable, self._executable = self._executable, None
            call(cudart.cudaGraphExecDestroy, executable)


class Stream:
    """A queue of work that does not wait for the default stream. Lengths are in bytes."""

    def __init__(self) -> None:
        self.native: Any = call(cudart.cudaStreamCreateWithFlags, cudart.cudaStreamNonBlocking)
        self.handle = int(self.native)
        """What TensorRT takes."""

    def to_device(self, target: int, source: int, nbytes: int) -> None:
        """Queue a copy from the host's address ``source`` to the device's ``target``."""
        call(cudart.cudaMemcpyAsync, target, source, nbytes,
             cudart.cudaMemcpyKind.cudaMemcpyHostToDevice, self.native)

    def to_host(self, target: int, source: int, nbytes: int) -> None:
        """Queue a copy from the device's address ``source`` to the host's ``target``."""
        call(cudart.cudaMemcpyAsync, target, source, nbytes,
             cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost, self.native)

    def copy_rows(self, target: int, target_pitch: int, source: int, source_pitch: int,
                  width: int, rows: int) -> None:
        """Queue a copy on the device of ``rows`` rows; their starts lie a pitch apart."""
        call(cudart.cudaMemcpy2DAsync, target, target_pitch, source, source_pitch, width, rows,
             cudart.cudaMemcpyKind.cudaMemcpyDeviceToDevice, self.native)

    def fill(self, target: int, byte: int, nbytes: int) -> None:
        """Queue setting ``nbytes`` on the device to ``byte``."""
        call(cudart.cudaMemsetAsync, target, byte, nbytes, self.native)

    def synchronize(self) -> None:
        """Wait until all queued work is done; errors of that work surface here."""
        call(cudart.cudaStreamSynchronize, self.native)

    def capture(self, work: Callable[[], None]) -> Graph:
        """
        Record what ``work`` queues on this stream, without doing it.

        Thread-local mode: CUDA calls of other threads do not disturb the recording.
        """
        call(cudart.cudaStreamBeginCapture, self.native,
             cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
        try:
            work()
        except BaseException:
            cudart.cudaStreamEndCapture(self.native)  # its status only repeats the failure
            raise
        graph = call(cudart.cudaStreamEndCapture, self.native)
        try:
            return Graph(call(cudart.cudaGraphInstantiate, graph, 0))
        finally:
            call(cudart.cudaGraphDestroy, graph)

    def close(self) -> None:
        """Free the stream; calling it again does nothing."""
        if self.native is not None:
            native, self.native = self.native, None
            call(cudart.cudaStreamDestroy, native)


def _version(number: int) -> str:
    return f'{number // 1000}.{number % 1000 // 10}'
