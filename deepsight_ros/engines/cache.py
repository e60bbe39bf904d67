"""Where plans and optimised graphs are kept, and how nothing half-written gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
import errno
import fcntl
import logging
import os
from pathlib import Path
import tempfile
from typing import Final

from deepsight_ros.engines.errors import EngineError

VARIABLE: Final = 'DEEPSIGHT_CACHE'
_log = logging.getLogger(__name__)

_REMEDIES: Final = {
    errno.ENOSPC: 'make room there',
    errno.EDQUOT: 'make room there',
    errno.EROFS: 'mount it writable',
    errno.EACCES: 'make it writable for this user',
    errno.EPERM: 'make it writable for this user',
}


def cache_folder(folder: Path | None = None) -> Path:
    """
    Return the folder for what this machine can make again, which need not exist yet.

    ``folder`` if given, else $DEEPSIGHT_CACHE, $XDG_CACHE_HOME/deepsight or ~/.cache/deepsight.
    ``EngineError`` without any of them: a temporary folder would hide that a robot builds its
    plans anew at every start.
    """
    named = os.environ.get(VARIABLE)
    base = Path(os.environ.get('XDG_CACHE_HOME', ''))
    try:
        if folder is not None:
            return folder.expanduser()
        if named:
            return Path(named).expanduser()
        if base.is_absolute():  # the specification says to ignore relative ones
            return base / 'deepsight'
        return Path.home() / '.cache' / 'deepsight'
    except RuntimeError:
        raise EngineError(f'there is no home folder to keep engines in; set {VARIABLE} to a '
                          'folder that outlives the container') from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """
    Give the path of a temporary file beside ``path`` to write to, in a new folder if need be.

    When the block ends well, the file is synced and takes its place in one step; otherwise it is
    removed and ``path`` stays as it was. An ``OSError`` becomes an ``EngineError`` that says why
    nothing could be written.
    """
    with writable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix='.', suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # Whoever builds an image is often not who runs it.
            temporary.chmod(0o644)
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """
    Keep other processes that lock ``path`` out, after waiting for the one that is in.

    The lock ends with the process, however that ends; its file ``<path>.lock`` stays.
    """
    with writable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f'{path.name}.lock').open('ab')
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info('waiting for another process that writes %s', path)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into an ``EngineError`` about the cache's ``folder``."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, 'look at the folder')
        raise EngineError(f'{folder} cannot be written ({error.strerror or error}); {remedy}, or '
                          f'set {VARIABLE} to another folder') from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
