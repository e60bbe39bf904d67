"""CUDA on a real GPU, through cuda-python alone: ``pytest -m gpu`` on any CUDA machine."""

from collections.abc import Iterator
import threading

import numpy as np
import pytest

from deepsight_ros.engines import EngineError

pytest.importorskip('cuda.bindings.runtime', reason='cuda-python is not installed')

from deepsight_ros.engines import cuda
from deepsight_ros.engines.device import DeviceTensor
from deepsight_ros.engines.device import slice_rows

pytestmark = pytest.mark.gpu
COUNT = 1000


@pytest.fixture(scope='module', autouse=True)
def gpu() -> cuda.Gpu:
    try:
        return cuda.current_gpu()
    except EngineError as error:
        pytest.skip(f'no GPU: {error}')


@pytest.fixture
def stream() -> Iterator[cuda.Stream]:
    stream = cuda.Stream()
    yield stream
    stream.close()


class Echo:
    """Copies pinned numbers to the GPU and back, as one captured graph on a stream of its own."""

    def __init__(self) -> None:
        self.stream = cuda.Stream()
        self._buffers = [cuda.PinnedBuffer(4 * COUNT), cuda.DeviceBuffer(4 * COUNT),
                         cuda.PinnedBuffer(4 * COUNT)]
        self.source = self._buffers[0].array(np.float32, (COUNT,))
        self.result = self._buffers[2].array(np.float32, (COUNT,))
        self.source[:] = 1
        self.result[:] = -1
        self.graph = self.stream.capture(self._work)

    def _work(self) -> None:
        source, device, result = (buffer.address for buffer in self._buffers)
        self.stream.fill(device, 0, 4 * COUNT)
        self.stream.to_device(device, source, 4 * COUNT // 2)
        self.stream.to_host(result, device, 4 * COUNT)

    def __call__(self, number: float) -> None:
        self.source[:] = number
        self.graph.launch(self.stream)
        self.stream.synchronize()
        expected = np.repeat(np.float32([number, 0]), COUNT // 2)
        np.testing.assert_array_equal(self.result, expected)

    def close(self) -> None:
        self.graph.close()
        for buffer in self._buffers:
            buffer.close()
        self.stream.close()


def free_memory() -> int:
    return cuda.call(cuda.cudart.cudaMemGetInfo)[0]


def test_gpu_is_described(gpu: cuda.Gpu) -> None:
    assert gpu.name
    for version in (gpu.compute_capability, gpu.driver, gpu.runtime):
        major, minor = version.split('.')
        assert int(major) > 0
        assert int(minor) >= 0


def test_capture_records_and_launch_repeats() -> None:
    echo = Echo()
    echo.stream.synchronize()
    assert (echo.result == -1).all()  # capturing does nothing yet
    for number in (3, 5, 7):
        echo(number)
    echo.close()
    echo.close()


def test_error_while_capturing_leaves_the_stream_usable(stream: cuda.Stream) -> None:
    def work() -> None:
        raise ValueError('inside')
    with pytest.raises(ValueError, match='inside'):
        stream.capture(work)
    tensor = DeviceTensor(np.float32, (3,), stream)
    tensor.write(np.float32([1, 2, 3]))
    assert tensor.numpy().tolist() == [1, 2, 3]
    tensor.free()


def test_other_threads_may_allocate_while_one_captures(stream: cuda.Stream) -> None:
    def allocate() -> None:
        cuda.DeviceBuffer(1 << 20).close()

    def work() -> None:
        stream.fill(buffer.address, 0, 8)
        thread = threading.Thread(target=allocate)
        thread.start()
        thread.join()

    buffer = cuda.DeviceBuffer(8)
    graph = stream.capture(work)
    graph.launch(stream)
    stream.synchronize()
    graph.close()
    buffer.close()


def test_several_contexts_at_once() -> None:
    failures = []

    def run(first: int) -> None:
        try:
            echo = Echo()
            for number in range(first, first + 200):
                echo(number)
            echo.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize('dtype', ['float32', 'float16', 'uint8', 'int64', 'bool'])
def test_tensor_keeps_what_is_written(stream: cuda.Stream, dtype: str) -> None:
    tensor = DeviceTensor(dtype, (2, 3), stream)
    assert not tensor.numpy().any()
    content = np.arange(6).reshape(3, 2).T.astype(dtype)  # not contiguous
    tensor.write(content)
    np.testing.assert_array_equal(tensor.numpy(), content)
    with pytest.raises(EngineError, match='same form'):
        tensor.write(content[:1])
    tensor.free()
    with pytest.raises(EngineError, match='closed'):
        tensor.numpy()


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_slice_is_written_by_one_copy(stream: cuda.Stream, axis: int) -> None:
    whole = DeviceTensor(np.float32, (4, 5, 6), stream)
    shape = tuple(2 if index == axis else size for index, size in enumerate(whole.shape))
    part = DeviceTensor(np.float32, shape, stream)
    content = np.random.default_rng(0).random(shape, np.float32)
    part.write(content)
    rows = slice_rows(shape, whole.shape, axis, 1, 4)
    stream.copy_rows(whole.address + rows.offset, rows.pitch, part.address, rows.width, rows.width,
                     rows.count)
    stream.synchronize()
    expected = np.zeros(whole.shape, np.float32)
    expected[(slice(None),) * axis + (slice(1, 3),)] = content
    np.testing.assert_array_equal(whole.numpy(), expected)
    whole.free()
    part.free()


def test_more_than_there_is() -> None:
    _, total = cuda.call(cuda.cudart.cudaMemGetInfo)
    with pytest.raises(EngineError, match='MB of GPU memory'):
        cuda.require_memory(total, 'a test')
    with pytest.raises(EngineError, match='cudaErrorMemoryAllocation.*close other programs'):
        cuda.DeviceBuffer(2 * total)
    Echo().close()  # the device is still usable


def test_two_hundred_cycles_leave_memory_as_it_was() -> None:
    Echo().close()
    before = free_memory()
    for _ in range(200):
        echo = Echo()
        echo(2)
        echo.close()
    assert before - free_memory() <= 4 << 20
