"""The cache folder, and that nothing half-written gets there."""

import fcntl
import os
from pathlib import Path
import subprocess
import sys

import pytest

from deepsight_ros.engines import cache_folder
from deepsight_ros.engines import EngineError
from deepsight_ros.engines.cache import locked
from deepsight_ros.engines.cache import replacing


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('DEEPSIGHT_CACHE', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)


def test_argument_before_variable_before_xdg_before_home(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', '/home/robot')
    assert cache_folder() == Path('/home/robot/.cache/deepsight')
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    assert cache_folder() == Path('/home/robot/.cache/deepsight')
    monkeypatch.setenv('XDG_CACHE_HOME', '/var/cache')
    assert cache_folder() == Path('/var/cache/deepsight')
    monkeypatch.setenv('DEEPSIGHT_CACHE', '/data/plans')
    assert cache_folder() == Path('/data/plans')
    assert cache_folder(Path('~/mine')) == Path('/home/robot/mine')


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become a user without a name')
@pytest.mark.parametrize('named', ['', 'pathlib.Path("~/plans")'])
def test_no_home_in_a_container(named: str) -> None:
    code = ('import os, pathlib\n'
            'from deepsight_ros.engines import cache_folder, EngineError\n'
            'os.setuid(61234)\n'
            f'try: print(cache_folder({named}))\n'
            'except EngineError as error: print(error)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          env={'PATH': os.environ['PATH']})
    assert 'set DEEPSIGHT_CACHE to a folder' in done.stdout, done.stderr


def test_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'file.plan'
    with replacing(path) as temporary:
        temporary.write_text('first')
        assert not path.exists()
    with replacing(path) as temporary:
        temporary.write_text('second')
        assert path.read_text() == 'first'
    assert path.read_text() == 'second'
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / 'file.plan'
    path.write_text('old')
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text('half')
        raise ZeroDivisionError
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures('full_disk')
def test_no_space(tmp_path: Path) -> None:
    path = tmp_path / 'file.plan'
    path.write_text('old')
    with (pytest.raises(EngineError, match='No space left.*make room.*DEEPSIGHT_CACHE'),
          replacing(path) as temporary):
        temporary.write_bytes(bytes(1 << 20))
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with (pytest.raises(EngineError, match='cannot be written.*DEEPSIGHT_CACHE'),
          replacing(tmp_path / 'file' / 'x.plan')):
        pass
    with (pytest.raises(EngineError, match='cannot be written.*DEEPSIGHT_CACHE'),
          locked(tmp_path / 'file' / 'x.plan')):
        pass


def test_folder_in_which_nobody_may_write() -> None:
    with (pytest.raises(EngineError, match='/proc/sys.* cannot be written'),
          replacing(Path('/proc/sys/deepsight/x.plan'))):
        pass


def test_a_second_process_waits(tmp_path: Path) -> None:
    path = tmp_path / 'file.plan'
    code = ('import sys, pathlib\n'
            'from deepsight_ros.engines.cache import locked\n'
            'path = pathlib.Path(sys.argv[1])\n'
            'print("started", flush=True)\n'
            'with locked(path): print(path.read_text())')
    with locked(path):
        child = subprocess.Popen([sys.executable, '-c', code, str(path)], text=True,
                                 stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.readline() == 'started\n'
        path.write_text('written by the first')
    out, _ = child.communicate(timeout=30)
    assert out == 'written by the first\n'


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / 'file.plan'
    code = ('import os, sys, pathlib\n'
            'from deepsight_ros.engines.cache import locked\n'
            'with locked(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)')
    assert subprocess.run([sys.executable, '-c', code, str(path)]).returncode == -9
    with (tmp_path / 'file.plan.lock').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
