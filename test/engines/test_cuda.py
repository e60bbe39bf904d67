"""What can be checked of the CUDA layer without a GPU: errors, and where slices lie."""

from collections.abc import Callable
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from deepsight_ros.engines import EngineError

pytest.importorskip('cuda.bindings.runtime', reason='cuda-python is not installed')

from deepsight_ros.engines import cuda
from deepsight_ros.engines.device import slice_rows


def has_gpu() -> bool:
    try:
        return bool(cuda.call(cuda.cudart.cudaGetDeviceCount))
    except EngineError:
        return False


def failing(name: str) -> Callable[[], tuple]:
    """Return a function that fails as CUDA would."""
    def function() -> tuple:
        return getattr(cuda.cudart.cudaError_t, name), None
    return function


@pytest.mark.parametrize(('name', 'words'), [
    ('cudaErrorMemoryAllocation', 'out of memory.*close other programs'),
    ('cudaErrorNoDevice', 'no CUDA-capable device.*CUDA_VISIBLE_DEVICES'),
    ('cudaErrorIllegalAddress', 'illegal memory access.*backend onnxruntime'),
])
def test_status_becomes_an_error_with_a_remedy(name: str, words: str) -> None:
    with pytest.raises(EngineError, match=f'function: {name}.*{words}'):
        cuda.call(failing(name))


@pytest.mark.parametrize(('values', 'expected'), [((), None), ((3,), 3), ((3, 4), (3, 4))])
def test_values_of_a_good_call(values: tuple, expected: object) -> None:
    def function() -> tuple:
        return (cuda.cudart.cudaError_t.cudaSuccess, *values)
    assert cuda.call(function) == expected


def test_missing_driver_library_of_older_bindings() -> None:
    def function() -> tuple:
        raise RuntimeError('Failed to dlopen libcuda.so.1')
    with pytest.raises(EngineError, match='libcuda.*install or update the NVIDIA driver'):
        cuda.call(function)


def test_memory_is_checked_before_it_is_used() -> None:
    cuda.check_memory(1 << 30, free=2 << 30, total=4 << 30, purpose='one context')
    with pytest.raises(EngineError, match='one context needs 1024 MB.*1024 of 4096 MB are free'):
        cuda.check_memory(1 << 30, free=1 << 30, total=4 << 30, purpose='one context')


def test_memory_that_an_integrated_gpu_shares() -> None:
    text = 'MemTotal: 16000000 kB\nMemFree: 200000 kB\nMemAvailable: 9000000 kB\n'
    assert cuda.available_memory(text) == 9_000_000 * 1024
    assert cuda.available_memory('MemTotal: 1 kB\n') == 0  # kernels before 3.14
    assert cuda.available_memory(Path('/proc/meminfo').read_text(encoding='ascii')) > 0


@pytest.mark.skipif(has_gpu(), reason='there is a GPU')
def test_without_a_gpu_the_remedy_is_named() -> None:
    for function in (cuda.current_gpu, cuda.Stream, lambda: cuda.DeviceBuffer(8),
                     lambda: cuda.PinnedBuffer(8), lambda: cuda.require_memory(8, 'a test')):
        with pytest.raises(EngineError, match='driver|no GPU'):
            function()


def test_without_the_bindings_the_remedy_is_named() -> None:
    code = ('import sys; sys.modules["cuda"] = None\n'
            'from deepsight_ros.engines import EngineError\n'
            'try:\n    import deepsight_ros.engines.cuda\n'
            'except EngineError as error:\n    print(error)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert "pip install tensorrt 'cuda-python>=12.6.1'" in done.stdout


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_slices_lie_where_numpy_has_them(axis: int) -> None:
    whole, start = (4, 5, 6), 2
    shape = tuple(2 if index == axis else size for index, size in enumerate(whole))
    content = np.zeros(whole, np.float32)
    content[(slice(None),) * axis + (slice(start, start + 2),)] = 1
    rows = slice_rows(shape, whole, axis, start, content.itemsize)
    flat = np.zeros(content.nbytes, np.uint8)
    for row in range(rows.count):
        first = rows.offset + row * rows.pitch
        flat[first:first + rows.width] = 1
    np.testing.assert_array_equal(flat.reshape(-1, 4).all(axis=1), content.ravel() == 1)
