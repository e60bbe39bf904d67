"""``deepsight engine build``, ``inspect`` and ``check``."""

from dataclasses import replace
from functools import partial
from importlib.util import find_spec
import json
import os
from pathlib import Path
import shutil

import pytest

from deepsight_ros import cli
from deepsight_ros.engines import build_command
from deepsight_ros.engines import EngineError
from deepsight_ros.engines import Manifest
from deepsight_ros.engines.build import Build
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import Tolerance

HERE = Path(__file__).resolve().parent


@pytest.fixture
def dynamic(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bundle with a profile; its builder's children find compilers.py."""
    monkeypatch.setenv('PYTHONPATH', str(HERE), prepend=os.pathsep)
    profile = {'x': ShapeRange(min=(1, 3), opt=(4, 3), max=(16, 3))}
    replace(Manifest.read(bundle), profiles=(profile,)).write(bundle)
    return bundle


def call(what: str, bundle: Path, tmp_path: Path) -> tuple[int, dict]:
    """Run a command with a cache of its own; return its status and its JSON."""
    file = tmp_path / f'{what}.json'
    status = cli.main(['engine', what, str(bundle), '--cache', str(tmp_path / 'cache'),
                       '--json', str(file)])
    return status, json.loads(file.read_text())[0] if file.exists() else {}


def test_build_and_inspect(dynamic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(build_command, 'Build',
                        partial(Build, compiler='compilers:OptimisedGraph'))
    status, built = call('build', dynamic, tmp_path)
    printed = capsys.readouterr().out
    assert status == 0
    assert built['passed'] and Path(built['plan']).is_file()
    assert '[2/4] build: optimising (1 steps)' in printed
    assert 'passed its parity check' in printed
    assert 'precision fp32, layers: 1 in float32' in printed
    assert 'passed y: relative error max 0.0e+00' in printed

    with pytest.raises(EngineError, match='kept aside'):
        Build(dynamic, cache=tmp_path / 'cache', compiler='compilers:Damaged',
              options=BuildOptions(level=1)).wait()
    Path(built['plan']).with_name('other.json').write_text('{')
    status, inspected = call('inspect', dynamic, tmp_path)
    printed = capsys.readouterr().out
    assert status == 0
    for words in ('x: float32 [n, 3]', 'model.onnx: fp32', 'usually [4, 3]',
                  'FAILED its parity check, not used', 'other.json cannot be read'):
        assert words in printed
    assert sorted(plan['passed'] for plan in inspected['plans']) == [False, True]
    assert len(inspected['unreadable']) == 1


def test_inspect_names_the_command_that_builds(dynamic: Path, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    status, inspected = call('inspect', dynamic, tmp_path)
    assert (status, inspected['plans']) == (0, [])
    assert f'deepsight engine build {dynamic} --cache' in capsys.readouterr().out
    assert not (tmp_path / 'cache').exists()


@pytest.mark.parametrize('passes', [True, False])
def test_check(dynamic: Path, tmp_path: Path, passes: bool,
               capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest.read(dynamic)
    parity = {} if passes else {'float32': Tolerance(0, 0, cosine=1.5)}  # no cosine is so large
    variants = tuple(replace(variant, parity=parity) for variant in manifest.variants)
    replace(manifest, variants=variants).write(dynamic)
    status, checked = call('check', dynamic, tmp_path)
    assert status == (0 if passes else 1)
    assert checked['backends']['onnxruntime']['passed'] == passes
    printed = capsys.readouterr().out
    assert f'onnxruntime CPU: {"passed" if passes else "FAILED"} on 3 inputs' in printed
    assert 'tensorrt: not compared' in printed


def test_a_bundle_inside_the_bundle_is_meant_too(dynamic: Path, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    inner = dynamic / 'encoder'
    shutil.copytree(dynamic, inner)
    call('inspect', dynamic, tmp_path)
    printed = capsys.readouterr().out
    assert f'test, {dynamic}\n' in printed
    assert f'test, {inner}\n' in printed
    replace(Manifest.read(inner), profiles=()).write(inner)
    assert call('check', dynamic, tmp_path)[0] == cli.USER_ERROR
    assert f'{inner}: there are no inputs' in capsys.readouterr().err


def test_check_without_any_backend(dynamic: Path, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest.read(dynamic)
    variants = tuple(replace(variant, backends=('other',)) for variant in manifest.variants)
    replace(manifest, variants=variants).write(dynamic)
    assert call('check', dynamic, tmp_path)[0] == cli.USER_ERROR
    assert 'nothing was compared' in capsys.readouterr().err


@pytest.mark.skipif(find_spec('tensorrt') is not None, reason='TensorRT is installed')
def test_build_without_tensorrt(dynamic: Path, tmp_path: Path,
                                capsys: pytest.CaptureFixture[str]) -> None:
    assert call('build', dynamic, tmp_path)[0] == cli.USER_ERROR
    assert 'pip install tensorrt' in capsys.readouterr().err


def test_workspace_that_is_no_size(dynamic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['engine', 'build', str(dynamic), '--workspace-mb', '-1']) == cli.USER_ERROR
    assert '--workspace-mb -1 is no size; give megabytes' in capsys.readouterr().err
