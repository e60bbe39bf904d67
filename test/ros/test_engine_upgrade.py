"""Which engine the node runs, and the change from one to another while it works."""

from importlib.util import find_spec
import os
from pathlib import Path
import threading
import time

from language_peer import PLACE
import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from ros_peer import as_array
from ros_peer import camera_info
from ros_peer import image
from ros_peer import PATIENCE
from ros_peer import stamp_of

from deepsight_ros.engines import Manifest
from deepsight_ros.engines.build import Build
from deepsight_ros.engines.build_child import load_compiler
from deepsight_ros.engines.plans import PlanManifest
from deepsight_ros.engines.plans import read_plan
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.managed_node import ManagedNode

ENGINES = Path(__file__).resolve().parents[1] / 'engines'
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Build with ONNX Runtime in place of TensorRT; return the file that lets the builder go on.

    Nothing else is replaced: child process, pipe, parity gate and plan are the real ones.
    """
    monkeypatch.setenv('PYTHONPATH', str(ENGINES), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(ENGINES))
    monkeypatch.setenv('BUILDS', str(tmp_path / 'builds'))
    monkeypatch.setenv('GO', str(tmp_path / 'go'))

    def start(node: ManagedNode, bundle: Path) -> EngineUpgrade:
        def load(path: Path):
            plan = read_plan(path, PlanManifest.read(path.with_suffix('.json')))
            return load_compiler('compilers:Patient').open(plan, Manifest.read(bundle), bundle)

        build = Build(bundle, cache=tmp_path / 'cache', compiler='compilers:Patient')
        return EngineUpgrade(build, load, node.get_logger())

    monkeypatch.setattr(ManagedNode, '_start_upgrade', start)
    return tmp_path / 'go'


def status(peer, condition=lambda values: True) -> dict[str, str]:
    peer.received['diagnostics'].clear()
    return peer.wait_until(
        lambda: peer.received['diagnostics'] and condition(peer.status()) and peer.status())


def children() -> set[int]:
    found = set()
    for entry in Path('/proc').glob('[0-9]*/stat'):
        try:
            after_name = entry.read_text().rpartition(')')[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == os.getpid():
            found.add(int(entry.parent.name))
    return found


def test_the_engine_changes_between_two_pictures(peer, compiler: Path, capfd) -> None:
    peer.start_node(build_engine=True)
    peer.listen('image', 'diagnostics')
    peer.connect()
    peer.send_until(lambda: peer.received['image'], camera_info(0.5), image(0.5))
    building = status(
        peer, lambda values: values['engine_build'].endswith(', parity, save'))
    assert building['backend_reason'] != 'to be compared'
    expected = as_array(peer.received['image'][-1])
    peer.received['image'].clear()
    stamps = []
    changed = None
    deadline = time.monotonic() + PATIENCE
    while changed is None or len(stamps) < changed + 5:
        assert time.monotonic() < deadline, 'the engine did not change'
        if len(stamps) == 5:
            compiler.touch()
        stamps.append(1.0 + 0.125 * len(stamps))
        result = peer.next_result('image', image(stamps[-1]))
        np.testing.assert_array_equal(as_array(result), expected)
        if changed is None and 'now runs on' in capfd.readouterr().err:
            changed = len(stamps)
    assert changed > 5
    assert [stamp_of(message) for message in peer.received['image']] == stamps
    after = status(peer, lambda values: values['engine_build'] == 'done')
    assert after['backend_reason'] == 'to be compared'
    assert after['failed'] == '0'


def test_encoder_and_decoder_change_between_two_questions(
    language_peer, compiler: Path, capfd,
) -> None:
    peer = language_peer
    peer.start_node(build_engine=True)
    peer.listen('diagnostics')
    peer.connect()
    peer.show()
    status(peer, lambda values: values['engine_build_encoder'].endswith(', parity, save')
           and values['engine_build_decoder'].endswith(', parity, save'))
    first, expected = peer.ask(PLACE)['text'], peer.ask(PLACE)['text']
    compiler.touch()
    after = status(peer, lambda values: values['engine_build_encoder'] == 'done'
                   == values['engine_build_decoder'])
    assert 'to be compared' not in (after['backend_reason'], after['encoder_backend_reason'])
    # The first question about a picture reads the picture, too: its sums are rounded otherwise.
    assert [peer.ask(PLACE)['text'] for _ in range(2)] == [first, expected]
    assert capfd.readouterr().err.count(' now runs on ') == 2
    after = status(peer)
    assert after['backend_reason'] == after['encoder_backend_reason'] == 'to be compared'
    assert [answer['status'] for answer in peer.answers] == ['ok'] * 4


@pytest.fixture(params=['peer', 'language_peer'])
def either(request: pytest.FixtureRequest):
    """Peer of a node of each kind."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize('transition', ['cleanup', 'shutdown'])
def test_no_builder_outlives_the_configured_node(either, compiler: Path, transition: str) -> None:
    before, threads = children(), threading.active_count()
    node = either.start_node(autostart=False, build_engine=True)
    assert node.trigger_configure() == SUCCESS
    either.wait_until((compiler.parent / 'builds').exists, 'builder at work')
    assert children() > before
    assert getattr(node, f'trigger_{transition}')() == SUCCESS
    assert (children(), threading.active_count()) == (before, threads)


def test_an_engine_that_nobody_took_is_freed(peer, compiler: Path) -> None:
    node = peer.start_node(autostart=False, build_engine=True)
    peer.listen('diagnostics')
    compiler.touch()
    assert node.trigger_configure() == SUCCESS
    status(peer, lambda values: values.get('engine_build') == 'done')
    upgrade = node._upgrade
    assert node.trigger_cleanup() == SUCCESS
    assert upgrade.take() is None


def test_engines_of_language_that_nobody_took_are_freed(language_peer, compiler: Path) -> None:
    node = language_peer.start_node(autostart=False, build_engine=True)
    language_peer.listen('diagnostics')
    compiler.touch()
    assert node.trigger_configure() == SUCCESS
    status(language_peer, lambda values: values.get('engine_build_encoder') == 'done'
           == values.get('engine_build_decoder'))
    upgrades = [node._encoder_upgrade, node._decoder_upgrade]
    assert node.trigger_cleanup() == SUCCESS
    assert [upgrade.take() for upgrade in upgrades] == [None, None]


@pytest.mark.skipif(find_spec('tensorrt') is not None, reason='TensorRT is installed')
def test_without_tensorrt_the_node_goes_on_and_says_so(peer, tmp_path: Path, capfd) -> None:
    peer.start_node(build_engine=True, cache_dir=str(tmp_path))
    peer.listen('image', 'diagnostics')
    peer.connect()
    peer.send_until(lambda: peer.received['image'], camera_info(), image())
    values = status(peer, lambda values: values['engine_build'].startswith('failed'))
    assert 'tensorrt' in values['engine_build']
    assert values['backend'] == 'onnxruntime CPU'
    assert capfd.readouterr().err.count('no faster engine, ') == 1
    peer.next_result('image', image(2.0))


@pytest.mark.skipif(find_spec('tensorrt') is not None, reason='TensorRT is installed')
def test_without_tensorrt_questions_are_answered_all_the_same(
    language_peer, tmp_path: Path, capfd,
) -> None:
    peer = language_peer
    peer.start_node(build_engine=True, cache_dir=str(tmp_path))
    peer.listen('diagnostics')
    peer.connect()
    peer.show()
    for name in ('encoder', 'decoder'):
        values = status(
            peer, lambda values, key=f'engine_build_{name}': values[key].startswith('failed'))
    assert 'tensorrt' in values['engine_build_decoder']
    assert (values['backend'], values['encoder_backend']) == ('onnxruntime CPU',) * 2
    assert capfd.readouterr().err.count('no faster engine, ') == 2
    assert peer.ask(PLACE)['status'] == 'ok'


def test_tensorrt_without_a_plan(either, capfd, tmp_path: Path) -> None:
    node = either.start_node(autostart=False, backend='tensorrt', cache_dir=str(tmp_path))
    assert node.trigger_configure() == FAILURE
    assert 'configure failed: ' in capfd.readouterr().err
    assert 'tensorrt' in node.problem


@pytest.mark.parametrize(('parameters', 'words'), [
    ({'backend': 'cuda'}, "backend 'cuda' is unknown; choose from"),
    ({'backend': 'onnxruntime', 'build_engine': True}, 'set build_engine to false'),
    ({'providers': 'CPUExecutionProvider:threads'}, 'is not NAME or NAME:OPTION=VALUE'),
    ({'providers': 'NoSuchProvider'}, 'NoSuchProvider'),
])
def test_parameters_that_cannot_be_used(either, parameters: dict, words: str) -> None:
    node = either.start_node(autostart=False, **parameters)
    assert node.trigger_configure() == FAILURE
    assert words in node.problem


def test_the_chosen_engine_is_on_diagnostics(peer, tmp_path: Path) -> None:
    peer.start_node(backend='onnxruntime', cache_dir=str(tmp_path),
                    providers='CPUExecutionProvider')
    peer.listen('diagnostics')
    values = status(peer)
    assert (values['backend'], values['backend_reason']) == ('onnxruntime CPU', 'asked for')
    assert 'engine_build' not in values
    assert list(tmp_path.glob('graphs/painted/*.onnx'))
