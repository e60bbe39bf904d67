"""A faster engine, built beside the node's work and taken between two pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from threading import Thread

from rclpy.impl.rcutils_logger import RcutilsLogger

from deepsight_ros.engines import Engine
from deepsight_ros.engines import EngineError
from deepsight_ros.engines.build import Build
from deepsight_ros.engines.build import Progress


class EngineUpgrade:
    """
    Waits for a builder in a thread of its own, then loads and warms up what it built.

    Whoever uses the old engine asks ``take`` for the new one when it has no call in progress.
    """

    def __init__(
        self, build: Build, load: Callable[[Path], Engine], logger: RcutilsLogger,
    ) -> None:
        """Watch a ``build``; ``load`` opens its plan."""
        self.state = 'waiting for the builder'
        """For diagnostics: the stage at work and those that remain, or how it ended."""
        self.failed = False
        self._build = build
        self._load = load
        self._logger = logger
        self._lock = Lock()
        self._ready: Engine | None = None
        self._stopping = False
        self._thread = Thread(target=self._run, name='engine_upgrade', daemon=True)
        self._thread.start()

    def take(self) -> Engine | None:
        """Return the new engine once, when it is ready; the caller closes it."""
        if self._ready is None:  # asked with every picture
            return None
        with self._lock:
            engine, self._ready = self._ready, None
        return engine

    def fail(self, error: Exception) -> None:
        """Tell that the new engine cannot be used."""
        self.state = f'failed: {error}'
        self.failed = True
        unexpected = '' if isinstance(error, EngineError) else 'unexpectedly, please report: '
        self._logger.error(f'no faster engine, {unexpected}{error}')

    def stop(self) -> None:
        """End the builder and free what nobody took."""
        with self._lock:
            self._stopping = True
        self._build.stop()
        self._thread.join()
        if (engine := self.take()) is not None:
            engine.close()

    def _run(self) -> None:
        try:
            engine = self._load(self._build.wait(self._note))
            try:
                engine.warm_up()
            except Exception:
                engine.close()
                raise
        except Exception as error:
            with self._lock:
                if self._stopping:
                    return
            self.fail(error)
            return
        self.state = 'done'
        with self._lock:
            self._ready = engine

    def _note(self, progress: Progress) -> None:
        steps = f' {progress.done} of {progress.total}' if progress.total else ''
        rest = ', '.join(progress.remaining)
        state = f'{progress.stage}: {progress.detail}{steps}'
        self.state = f'{state}; then {rest}' if rest else state
