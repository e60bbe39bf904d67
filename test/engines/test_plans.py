"""Plans in the cache: found only when whole, passed, and built for this very machine."""

from dataclasses import asdict
from dataclasses import replace
import hashlib
import json
import logging
from pathlib import Path

import pytest

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines import ShapeRange
from deepsight_ros.engines import TensorSpec
from deepsight_ros.engines.plans import find_plan
from deepsight_ros.engines.plans import plan_path
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.plans import PlanManifest
from deepsight_ros.engines.plans import profiles_text
from deepsight_ros.engines.plans import save_plan

CONTENT = bytes(range(256)) * 64
KEY = PlanKey(
    bundle='net', onnx_sha256='ab' * 32, tensorrt='10.3.0', gpu='Orin', compute_capability='8.7',
    profiles=profiles_text(({'x': ShapeRange((1,), (2,), (3,))},)), attention='plain',
    flags=('TF32',), level=3)
BUNDLE = Path('/models/my net')
REMEDY = "deepsight engine build '/models/my net' --cache "


def manifest(key: PlanKey = KEY, *, passed: bool = True, built: str = '2026-11-20T12:00:00') \
        -> PlanManifest:
    return PlanManifest(
        key=key, sha256=hashlib.sha256(CONTENT).hexdigest(), cuda='12.6', driver='12.6',
        precision='fp16', tensors=(TensorSpec('x', 'float32', (-1,)),),
        layer_dtypes={'float16': 10}, parity={'passed': passed}, passed=passed,
        build_seconds=1.5, built=built)


def test_round_trip(tmp_path: Path) -> None:
    path = save_plan(CONTENT, manifest(), tmp_path)
    plan = find_plan(KEY, tmp_path, BUNDLE)
    assert (plan.path, plan.content, plan.manifest) == (path, CONTENT, manifest())
    assert path.parent == tmp_path / 'plans' / 'net'
    assert {item.name for item in path.parent.iterdir()} == {
        path.name, path.with_suffix('.json').name}


def test_no_plan(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"no plan of 'net'.*{REMEDY}{tmp_path}"):
        find_plan(KEY, tmp_path, BUNDLE)


@pytest.mark.parametrize('other', [
    {'onnx_sha256': 'cd' * 32}, {'tensorrt': '11.4.1'}, {'gpu': 'Thor'},
    {'compute_capability': '11.0'}, {'profiles': '[]'}, {'attention': 'fused'},
])
def test_a_plan_for_something_else(tmp_path: Path, other: dict[str, str]) -> None:
    save_plan(CONTENT, manifest(), tmp_path)
    with pytest.raises(EngineError, match=REMEDY) as caught:
        find_plan(replace(KEY, **other), tmp_path, BUNDLE)
    (name, value), = other.items()
    told = f'{name} is {value}, the plan was built for {asdict(KEY)[name]}'
    assert told in str(caught.value)


def test_the_nearest_plan_is_told(tmp_path: Path) -> None:
    save_plan(CONTENT, manifest(replace(KEY, gpu='Thor', tensorrt='11.4.1')), tmp_path)
    save_plan(CONTENT, manifest(replace(KEY, tensorrt='10.7.0')), tmp_path)
    with pytest.raises(EngineError, match='fits: tensorrt is 10.3.0, .* for 10.7.0; build'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_how_it_was_built_does_not_matter(tmp_path: Path) -> None:
    save_plan(CONTENT, manifest(replace(KEY, level=5, flags=())), tmp_path)
    assert find_plan(KEY, tmp_path, BUNDLE).manifest.key.level == 5
    save_plan(CONTENT, manifest(), tmp_path)
    assert find_plan(KEY, tmp_path, BUNDLE).manifest.key.level == 3, 'the very one comes first'


def test_of_two_that_fit_the_newest(tmp_path: Path) -> None:
    for level, day in ((1, '18'), (5, '20'), (2, '19')):
        key = replace(KEY, level=level)
        save_plan(CONTENT, manifest(key, built=f'2026-11-{day}T12:00:00'), tmp_path)
    assert find_plan(KEY, tmp_path, BUNDLE).manifest.key.level == 5


@pytest.mark.parametrize('content', [
    CONTENT[:-1], CONTENT[:1 << 12], b'', b'\1' + CONTENT[1:]], ids=len)
def test_a_plan_that_was_cut_or_changed(tmp_path: Path, content: bytes) -> None:
    save_plan(CONTENT, manifest(), tmp_path).write_bytes(content)
    with pytest.raises(EngineError, match=f'does not match the hash.*{REMEDY}'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_plan_without_its_manifest_is_none(tmp_path: Path) -> None:
    save_plan(CONTENT, manifest(), tmp_path).with_suffix('.json').unlink()
    with pytest.raises(EngineError, match='has no plan'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_manifest_without_its_plan(tmp_path: Path) -> None:
    save_plan(CONTENT, manifest(), tmp_path).unlink()
    with pytest.raises(EngineError, match=f'cannot be read.*{REMEDY}'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_failed_plan_is_kept_aside(tmp_path: Path) -> None:
    path = save_plan(CONTENT, manifest(passed=False), tmp_path)
    assert path == tmp_path / 'plans' / 'net' / 'failed' / f'{KEY.name}.plan'
    assert path.read_bytes() == CONTENT
    with pytest.raises(EngineError, match=f'failed its parity check.*{KEY.name}.json.*{REMEDY}'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_failed_plan_that_was_moved_back(tmp_path: Path) -> None:
    path = save_plan(CONTENT, manifest(passed=False), tmp_path)
    for suffix in ('.plan', '.json'):
        source = path.with_suffix(suffix)
        source.rename(source.parent.parent / source.name)
    with pytest.raises(EngineError, match='failed its parity check'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_new_build_that_fails_leaves_no_old_plan_behind(tmp_path: Path) -> None:
    save_plan(CONTENT, manifest(), tmp_path)
    save_plan(CONTENT, manifest(passed=False), tmp_path)
    with pytest.raises(EngineError, match='failed its parity check'):
        find_plan(KEY, tmp_path, BUNDLE)


@pytest.mark.parametrize(('edit', 'words'), [
    (lambda item: item.pop('sha256'), 'sha256'),
    (lambda item: item.update(colour='red'), 'colour'),
    (lambda item: item['key'].pop('gpu'), 'gpu'),
    (lambda item: item.update(format=9), 'format is not'),
    (lambda item: item.update(passed='no'), 'failed'),
    (lambda item: item.update(sha256=5), 'hash'),
])
def test_manifests_with_missing_or_extra_keys(tmp_path: Path, edit, words: str) -> None:
    path = save_plan(CONTENT, manifest(), tmp_path).with_suffix('.json')
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(EngineError, match=f'{words}.*{REMEDY}'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_manifest_of_another_key_under_this_name(tmp_path: Path) -> None:
    path = save_plan(CONTENT, manifest(replace(KEY, gpu='Thor')), tmp_path)
    for suffix in ('.plan', '.json'):
        path.with_suffix(suffix).rename(plan_path(KEY, tmp_path).with_suffix(suffix))
    with pytest.raises(EngineError, match='gpu is Orin, the plan was built for Thor'):
        find_plan(KEY, tmp_path, BUNDLE)


def test_a_broken_manifest_of_another_plan_does_not_matter(tmp_path: Path) -> None:
    path = save_plan(CONTENT, manifest(), tmp_path)
    (path.parent / 'a.json').write_text('{')
    assert find_plan(KEY, tmp_path, BUNDLE).content == CONTENT


def test_no_space(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    save_plan(CONTENT, manifest(replace(KEY, level=5)), tmp_path)
    before = sorted(tmp_path.rglob('*'))
    request.getfixturevalue('full_disk')
    with pytest.raises(EngineError, match='No space left on device.*make room'):
        save_plan(CONTENT, manifest(), tmp_path)
    assert sorted(tmp_path.rglob('*')) == before


def test_a_cache_that_cannot_be_written() -> None:
    with pytest.raises(EngineError, match='cannot be written.*DEEPSIGHT_CACHE'):
        save_plan(CONTENT, manifest(), Path('/proc/sys/deepsight'))


def test_auto_says_why_not_tensorrt(
        bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), load_engine(bundle, cache=tmp_path) as engine:
        assert engine.backend == 'onnxruntime CPU'
        assert engine.reason.startswith('TensorRT cannot be used: ')
    assert caplog.text.count(engine.reason) == 1
    with load_engine(bundle, 'onnxruntime', cache=tmp_path) as engine:
        assert engine.reason == 'asked for'


def test_tensorrt_where_it_cannot_run(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match='no variant .* runs on tensorrt|not installed'):
        load_engine(bundle, 'tensorrt', cache=tmp_path)


def test_unknown_backend(bundle: Path) -> None:
    with pytest.raises(EngineError, match="'cuda' is unknown; choose from auto, onnxruntime"):
        load_engine(bundle, 'cuda')
