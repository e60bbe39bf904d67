"""TensorRT on a real GPU: build, compare, load and run. ``pytest -m gpu`` where both exist."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
import threading

import numpy as np
import pytest

from deepsight_ros.engines import Engine
from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines.build import Build
from deepsight_ros.engines.build import Progress
from deepsight_ros.engines.build import STAGES
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.plans import PlanManifest

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def gpu() -> None:
    if find_spec('tensorrt') is None or find_spec('cuda') is None:
        pytest.skip('tensorrt or cuda-python is not installed')
    from deepsight_ros.engines import cuda
    try:
        cuda.current_gpu()
    except EngineError as error:
        pytest.skip(f'no GPU: {error}')


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests: equal bundles share their plan."""
    return tmp_path_factory.mktemp('cache')


@pytest.fixture
def doubling(bundle: Path) -> Path:
    """Bundle for TensorRT: y = 2 x for 1 to 16 rows, 2 of them in a profile of its own."""
    manifest = Manifest.read(bundle)
    profiles = ({'x': ShapeRange((2, 3), (2, 3), (2, 3))},
                {'x': ShapeRange((1, 3), (4, 3), (16, 3))})
    variants = tuple(replace(item, backends=('onnxruntime', 'tensorrt'))
                     for item in manifest.variants)
    replace(manifest, variants=variants, profiles=profiles).write(bundle)
    return bundle


@pytest.fixture
def engine(doubling: Path, cache: Path) -> Iterator[Engine]:
    Build(doubling, cache=cache).wait()
    with load_engine(doubling, cache=cache) as engine:
        yield engine


def rows(count: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + 3 * count, dtype=np.float32).reshape(count, 3)


def test_build_reports_compares_and_describes(doubling: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    path = Build(doubling, cache=tmp_path).wait(steps.append)
    assert list(dict.fromkeys(step.stage for step in steps)) == list(STAGES)
    made = PlanManifest.read(path.with_suffix('.json'))
    assert made.passed
    assert made.parity['outputs'][0]['max_relative'] < 1e-6
    assert {spec.name: spec.shape for spec in made.tensors} == {'x': (-1, 3), 'y': (-1, 3)}
    assert set(made.layer_dtypes) <= {'float32', 'other'}
    assert list(tmp_path.glob('timings/*.cache'))


def test_auto_takes_the_verified_plan(engine: Engine) -> None:
    assert engine.backend.startswith('tensorrt ')
    assert engine.inputs[0].shape == ('n', 3)


@pytest.mark.parametrize('count', [1, 2, 3, 16, 2])
def test_every_shape_of_every_profile(engine: Engine, count: int) -> None:
    for first in (0, 100):  # the second call replays the graph
        x = rows(count, first)
        np.testing.assert_array_equal(engine({'x': x})['y'], 2 * x)


def test_results_are_the_callers(engine: Engine) -> None:
    first = engine({'x': rows(2)})['y']
    engine({'x': rows(2, 50)})
    np.testing.assert_array_equal(first, 2 * rows(2))


def test_more_shapes_than_graphs_are_kept(engine: Engine) -> None:
    for _ in range(2):
        for count in range(1, 17):
            engine({'x': rows(count)})
        tensor = engine.allocate('y', (5, 3))
        engine({'x': rows(5)}, into={'y': tensor})
        np.testing.assert_array_equal(tensor.numpy(), 2 * rows(5))


def test_resident_input_and_slice(engine: Engine) -> None:
    tensor = engine.allocate('x', (16, 3))
    tensor.write(rows(16))
    kept = engine.allocate('y', (20, 3))
    for start in (0, 4):
        assert engine({'x': tensor}, into={'y': kept.slice(0, start)}) == {}
    expected = np.zeros((20, 3), np.float32)
    expected[0:16] = 2 * rows(16)
    expected[4:20] = 2 * rows(16)
    np.testing.assert_array_equal(kept.numpy(), expected)


def test_target_that_does_not_fit_changes_nothing(engine: Engine) -> None:
    kept = engine.allocate('y', (4, 3))
    with pytest.raises(EngineError, match='does not fit'):
        engine({'x': rows(3)}, into={'y': kept.slice(0, 2)})
    assert not kept.numpy().any()


def test_shape_that_no_profile_covers(engine: Engine) -> None:
    with pytest.raises(EngineError, match='built for x'):
        engine({'x': rows(17)})


def test_contexts_run_at_once(engine: Engine) -> None:
    failures = []

    def run(first: int) -> None:
        try:
            with engine.new_context() as context:
                context.warm_up()
                for step in range(100):
                    x = rows(1 + step % 16, first + step)
                    np.testing.assert_array_equal(context({'x': x})['y'], 2 * x)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_closed_engine_says_so(engine: Engine) -> None:
    tensor = engine.allocate('x', (2, 3))
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        engine({'x': rows(2)})
    with pytest.raises(EngineError, match='closed'):
        tensor.numpy()


def test_cycles_leave_memory_as_it_was(engine: Engine, doubling: Path, cache: Path) -> None:
    from deepsight_ros.engines import cuda
    free = []
    for _ in range(20):
        with load_engine(doubling, 'tensorrt', cache=cache) as other:
            other.warm_up()
        free.append(cuda.call(cuda.cudart.cudaMemGetInfo)[0])
    assert free[1] - free[-1] <= 4 << 20


@pytest.mark.parametrize('name', ['scene_segmentation_nano'])
def test_shipped_bundle_passes_the_gate(name: str, tmp_path: Path) -> None:
    bundle = Path(__file__).resolve().parents[2] / 'models' / name
    Build(bundle, cache=tmp_path).wait()
    with load_engine(bundle, 'tensorrt', cache=tmp_path) as engine:
        engine.warm_up()
