"""Processes of a demonstration, which never outlive the one that started them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time
from types import TracebackType

from deepsight_ros.resources import profile_environment

_POLL = 0.02
_FAREWELL = 5.0
"""Seconds that a process has for a clean exit."""


class ChildError(RuntimeError):
    """A process ended or reported an error; the message ends with what it logged last."""


def own_graph() -> dict[str, str]:
    """Return the variables of a graph on this machine that nobody else takes part in."""
    # Humble knows the first, Jazzy the second and warns about the first.
    local = ({'ROS_LOCALHOST_ONLY': '1'} if os.environ.get('ROS_DISTRO') == 'humble'
             else {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})
    return {**local, **profile_environment(), 'ROS_DOMAIN_ID': str(random.randrange(1, 101))}


def ros_arguments(parameters: Mapping[str, object], topics: Mapping[str, str]) -> list[str]:
    """Arguments of a node: values of ``parameters``, and ``topics`` by the names they replace."""
    return ['--ros-args',
            *(word for name, value in parameters.items() for word in ('-p', f'{name}:={value}')),
            *(word for name, topic in topics.items() for word in ('-r', f'{name}:={topic}'))]


class ChildProcess:
    """``python -m MODULE``; a context manager that ends the process."""

    def __init__(
        self, module: str, arguments: Sequence[str], log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Remember what to start; everything that it prints goes to the file ``log``."""
        self._module = module
        self._command = [sys.executable, '-m', module, *arguments]
        self._log = log
        self._environment = {**os.environ, **(environment or {})}

    def __enter__(self) -> ChildProcess:
        """Start."""
        try:
            with self._log.open('wb') as log, _interrupts_held_back():
                self._process = subprocess.Popen(
                    self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT)
        except KeyboardInterrupt:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask the process to end; insist after some seconds."""
        self._end()

    def wait_for(self, text: str, patience: float) -> None:
        """Wait until the process logs ``text``; ``ChildError`` when it does not."""
        deadline = time.monotonic() + patience
        while text not in self._logged():
            if '[ERROR]' in self._logged() or self.has_ended() or time.monotonic() > deadline:
                raise ChildError(f'{self._module} did not say {text!r}; its log, {self._log}, '
                                 f'ends with:\n{self.last_words()}')
            time.sleep(_POLL)

    def peak_rss_mb(self) -> float:
        """Return the largest resident memory of the running process so far, in MB."""
        status = Path(f'/proc/{self._process.pid}/status').read_text('ascii')
        for line in status.splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024
        raise ChildError(f'{self._module} has ended, its memory cannot be read:\n'
                         f'{self.last_words()}')

    def has_ended(self) -> bool:
        """Whether the process has ended, well or not."""
        return self._process.poll() is not None

    def last_words(self) -> str:
        """Return the last lines of the log."""
        return '\n'.join(self._logged().splitlines()[-5:])

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _logged(self) -> str:
        return self._log.read_text('utf8', errors='replace')


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let signals wait: while it starts, nobody could end the process yet. Main thread only."""
    held: list[int] = []
    handlers = {number: signal.signal(number, lambda number, frame: held.append(number))
                for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])
