"""Building plans in a child process: what is kept, what is refused, what a dying one leaves."""

from dataclasses import replace
from importlib.util import find_spec
import os
from pathlib import Path
import sys
import threading

import pytest

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import Manifest
from deepsight_ros.engines.build import Build
from deepsight_ros.engines.build import Progress
from deepsight_ros.engines.build import STAGES
from deepsight_ros.engines.build_child import load_compiler
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.plans import find_plan
from deepsight_ros.engines.plans import plan_path
from deepsight_ros.engines.plans import PlanKey

HERE = Path(__file__).resolve().parent


@pytest.fixture
def dynamic(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bundle with a profile for its free size; children find compilers.py."""
    monkeypatch.setenv('PYTHONPATH', str(HERE), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(HERE))
    profile = {'x': ShapeRange(min=(1, 3), opt=(4, 3), max=(16, 3))}
    replace(Manifest.read(bundle), profiles=(profile,)).write(bundle)
    return bundle


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / 'cache'


def build(bundle: Path, cache: Path, compiler: str, **options) -> Path:
    return Build(bundle, cache=cache, compiler=f'compilers:{compiler}',
                 options=BuildOptions(**options)).wait()


def key_of(bundle: Path, **options) -> PlanKey:
    compiler = load_compiler('compilers:OptimisedGraph')
    return compiler.key(Manifest.read(bundle), BuildOptions(**options))


def files(cache: Path) -> list[str]:
    """Return what is in the cache but locks and folders."""
    return sorted(path.name for path in cache.rglob('*')
                  if path.is_file() and path.suffix != '.lock')


def test_plan_is_built_compared_and_described(dynamic: Path, cache: Path) -> None:
    steps: list[Progress] = []
    path = Build(dynamic, cache=cache, compiler='compilers:OptimisedGraph').wait(steps.append)
    assert list(dict.fromkeys(step.stage for step in steps)) == list(STAGES)
    assert [(step.done, step.total) for step in steps if step.stage == 'build'] == [(0, 1), (1, 1)]
    assert steps[0].remaining == STAGES[1:]
    plan = find_plan(key_of(dynamic), cache, dynamic)
    assert plan.path == path
    made = plan.manifest
    assert made.passed
    assert made.parity['cases'] == 3  # least, usual and largest shapes
    assert (made.precision, made.layer_dtypes) == ('fp32', {'float32': 1})
    assert [(spec.name, spec.dtype) for spec in made.tensors] == [('x', 'float32'),
                                                                  ('y', 'float32')]
    assert files(cache) == sorted([path.name, path.with_suffix('.json').name])


def test_damaged_plan_is_kept_aside_and_never_found(dynamic: Path, cache: Path) -> None:
    with pytest.raises(EngineError, match='(?s)does not compute.*FAILED y float32.*Use the backend'
                       ) as caught:
        build(dynamic, cache, 'Damaged')
    aside = plan_path(key_of(dynamic), cache, failed=True)
    assert str(aside) in str(caught.value)
    assert files(cache) == sorted([aside.name, aside.with_suffix('.json').name])
    with pytest.raises(EngineError, match='failed its parity check'):
        find_plan(key_of(dynamic), cache, dynamic)
    # Not built at every start of a node, only once somebody has looked at it.
    with pytest.raises(EngineError, match='built before.*delete .*failed.*to build it again'):
        build(dynamic, cache, 'OptimisedGraph')
    aside.with_suffix('.json').unlink()
    assert build(dynamic, cache, 'OptimisedGraph') == plan_path(key_of(dynamic), cache)


@pytest.mark.parametrize(('compiler', 'words'), [
    ('Crashing', 'crashed with SIGABRT.*tactic is not null.*choose the backend onnxruntime'),
    ('Failing', 'ended with status 1.*no such tactic'),
    ('Greedy', 'ran out of memory; close other programs'),
    ('NoRoom', 'cannot be written.*set DEEPSIGHT_CACHE'),
])
def test_builder_that_dies_leaves_nothing(dynamic: Path, cache: Path, compiler: str,
                                          words: str) -> None:
    with pytest.raises(EngineError, match=words):
        build(dynamic, cache, compiler)
    assert files(cache) == []


def test_without_inputs_to_compare_nothing_is_built(
        dynamic: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(Manifest.read(dynamic), profiles=()).write(dynamic)
    monkeypatch.setenv('BUILDS', str(tmp_path / 'builds'))
    monkeypatch.setenv('GO', str(tmp_path / 'never'))
    with pytest.raises(EngineError, match='no inputs to compare.*export the bundle with recorded'):
        build(dynamic, cache, 'Patient')
    assert not (tmp_path / 'builds').exists()


def test_killed_builder_leaves_no_lock(dynamic: Path, cache: Path) -> None:
    with pytest.raises(EngineError, match='was killed, most likely since memory ran out.*swap'):
        build(dynamic, cache, 'Killed')
    assert files(cache) == []
    assert build(dynamic, cache, 'OptimisedGraph').is_file()


def test_two_builders_at_once_build_once(dynamic: Path, cache: Path, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    builds, go = tmp_path / 'builds', tmp_path / 'go'
    monkeypatch.setenv('BUILDS', str(builds))
    monkeypatch.setenv('GO', str(go))
    both_waited = threading.Barrier(2, action=go.touch)
    paths = []

    def one() -> None:
        def progress(step: Progress) -> None:
            if step.stage == 'wait':
                both_waited.wait(60)
        paths.append(Build(dynamic, cache=cache, compiler='compilers:Patient').wait(progress))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [plan_path(key_of(dynamic), cache)] * 2
    assert builds.read_text() == 'build\n'


def test_damaged_file_is_built_again(dynamic: Path, cache: Path) -> None:
    path = build(dynamic, cache, 'OptimisedGraph')
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert build(dynamic, cache, 'OptimisedGraph').read_bytes() == content


def test_other_options_are_another_plan(dynamic: Path, cache: Path) -> None:
    path = build(dynamic, cache, 'OptimisedGraph', level=5)
    assert path == plan_path(key_of(dynamic, level=5), cache)
    assert path != plan_path(key_of(dynamic), cache)
    assert find_plan(key_of(dynamic), cache, dynamic).path == path  # better than none


@pytest.mark.parametrize('error', [EngineError, KeyboardInterrupt])
def test_stopped_builder_leaves_nothing(dynamic: Path, cache: Path, tmp_path: Path, error: type,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('BUILDS', str(tmp_path / 'builds'))
    monkeypatch.setenv('GO', str(tmp_path / 'never'))
    running = Build(dynamic, cache=cache, compiler='compilers:Patient')

    def progress(step: Progress) -> None:
        if error is KeyboardInterrupt:
            raise KeyboardInterrupt('the build was stopped')
        running.stop()

    with pytest.raises(error, match='the build was stopped'):
        running.wait(progress)
    assert files(cache) == []


def test_builder_that_cannot_be_started(dynamic: Path, cache: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'executable', '/no/python')
    open_files = set(Path('/proc/self/fd').iterdir())
    with pytest.raises(EngineError, match='cannot be started .*close other programs'):
        Build(dynamic, cache=cache)
    assert set(Path('/proc/self/fd').iterdir()) == open_files


def test_cache_that_cannot_be_written(dynamic: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / 'file'
    in_the_way.touch()
    with pytest.raises(EngineError, match='cannot be written.*set DEEPSIGHT_CACHE'):
        build(dynamic, in_the_way / 'cache', 'OptimisedGraph')


@pytest.mark.skipif(find_spec('tensorrt') is not None, reason='TensorRT is installed')
def test_without_tensorrt_the_remedy_is_named(dynamic: Path, cache: Path) -> None:
    with pytest.raises(EngineError, match='pip install tensorrt.*backend onnxruntime'):
        Build(dynamic, cache=cache).wait()
    assert not cache.exists()
