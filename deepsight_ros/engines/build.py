"""ONNX to plan in a child process, so that a builder that crashes takes nothing with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
from typing import Final

from deepsight_ros.engines.cache import cache_folder
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.compiler import Request
from deepsight_ros.engines.errors import EngineError

TENSORRT: Final = 'deepsight_ros.engines.tensorrt_builder:TensorRtCompiler'
STAGES: Final = ('wait', 'build', 'parity', 'save')
"""In this order; a plan that another process has just built ends with the first."""
_LAST_LINES: Final = 5


@dataclass(frozen=True)
class Progress:
    """How far a build is."""

    stage: str
    detail: str
    done: int
    total: int
    """Steps of ``detail``; 0 if unknown."""

    @property
    def remaining(self) -> tuple[str, ...]:
        """Return the stages after this one."""
        return STAGES[STAGES.index(self.stage) + 1:]


class Build:
    """
    A builder at work; it starts at once, and ``stop`` from any thread ends it.

    Nothing of it runs in this process, which imports neither TensorRT nor CUDA.
    """

    def __init__(
        self, bundle: Path, *, cache: Path | None = None, options: BuildOptions | None = None,
        compiler: str = TENSORRT,
    ) -> None:
        """Start to build the bundle's plan for this machine into the cache folder."""
        self._bundle = bundle
        self._stopped = False
        request = Request(str(bundle.resolve()), str(cache_folder(cache).absolute()), compiler,
                          options or BuildOptions())
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed by wait
        self._pipe, child_end = os.pipe()
        try:
            # A process group of its own: Ctrl-C ends it through ``stop``, not with a traceback.
            self._process = subprocess.Popen(
                [sys.executable, '-m', 'deepsight_ros.engines.build_child', str(child_end),
                 request.to_json()],
                stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
                pass_fds=[child_end], start_new_session=True)
        except OSError as error:
            os.close(self._pipe)
            self._output.close()
            raise EngineError(f'{bundle}: the builder cannot be started ({error}); close other '
                              'programs, or reinstall Python') from error
        finally:
            os.close(child_end)

    def wait(self, progress: Callable[[Progress], None] = lambda _: None) -> Path:
        """
        Pass progress on until the plan is built and verified; return its path.

        Call it once. ``EngineError`` says why there is no plan that may be used. When
        ``progress`` raises, the builder is stopped.
        """
        with self._output:
            outcome, status = self._follow(progress)
            if 'plan' in outcome:
                return Path(outcome['plan'])
            raise EngineError(f'{self._bundle}: {outcome.get("error") or self._death(status)}')

    def stop(self) -> None:
        """End the builder; what it has not finished is gone, and ``wait`` raises."""
        self._stopped = True
        self._process.kill()

    def _follow(self, progress: Callable[[Progress], None]) -> tuple[dict[str, str], int]:
        """Return the child's last word and its exit status."""
        outcome = {}
        try:
            with os.fdopen(self._pipe, encoding='utf-8') as lines:
                for line in lines:
                    content = json.loads(line)
                    if 'stage' in content:
                        progress(Progress(**content))
                    else:
                        outcome = content
        except BaseException:
            self.stop()
            raise
        finally:
            status = self._process.wait()
        return outcome, status

    def _death(self, status: int) -> str:
        """Say why the child ended without a word."""
        if self._stopped:
            return 'the build was stopped; start it again to get a plan'
        self._output.seek(0)
        lines = self._output.read().decode(errors='replace').strip().splitlines()
        last = ' | '.join(lines[-_LAST_LINES:]) or 'it printed nothing'
        if status == -signal.SIGKILL:
            return (f'the builder was killed, most likely since memory ran out ({last}); close '
                    'other programs, add swap, or give --workspace-mb')
        how = f'crashed with {signal.Signals(-status).name}' if status < 0 else \
            f'ended with status {status}'
        return (f'the builder {how} ({last}); update TensorRT, or choose the backend onnxruntime')
