"""ONNX Runtime's optimised graphs, kept in the cache so that the next start is faster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import hashlib
import json
import logging
from pathlib import Path
import platform
from typing import Any
from typing import Final

import onnxruntime

from deepsight_ros.engines.cache import cache_folder
from deepsight_ros.engines.cache import replacing
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import sha256

Providers = list[tuple[str, dict[str, Any]]]

_CPU: Final = 'CPUExecutionProvider'
_CPU_LINES: Final = ('model name', 'flags', 'Features', 'CPU part')
_log = logging.getLogger(__name__)


def open_session(
    graph: Path, digest: str, bundle: str, providers: Providers, cache: Path | None,
    make_options: Callable[[], Any],
) -> Any:
    """
    Open a session on the optimised graph in the cache; make it first if it is not there.

    ``digest`` is the sha256 of ``graph``. An optimised graph fits one ONNX Runtime on one type of
    CPU only, and its name says which. Only graphs for the CPU provider are kept. A cache that
    cannot be read or written costs time, never the session; what ``graph`` itself raises is
    passed on.
    """
    try:
        if [name for name, _ in providers] != [_CPU]:
            raise EngineError(f'only graphs for {_CPU} are kept')
        path = cache_folder(cache) / 'graphs' / bundle / f'{_key(digest, providers)}.onnx'
        if (session := _open_kept(path, providers, make_options())) is not None:
            return session
        with replacing(path) as temporary:
            options = make_options()
            options.optimized_model_filepath = str(temporary)
            session = onnxruntime.InferenceSession(str(graph), options, providers=providers)
            kept = sha256(temporary)
        with replacing(path.with_suffix('.sha256')) as temporary:
            temporary.write_text(kept, encoding='ascii')
        return session
    except Exception as error:  # ONNX Runtime has no type for a graph that cannot be written
        _log.info('the optimised graph of %s is not kept: %s', bundle, error)
    return onnxruntime.InferenceSession(str(graph), make_options(), providers=providers)


def _open_kept(path: Path, providers: Providers, options: Any) -> Any:
    """Return a session on the kept graph, None if there is none or it is damaged."""
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    with suppress(OSError):
        if sha256(path) == path.with_suffix('.sha256').read_text(encoding='ascii'):
            return onnxruntime.InferenceSession(str(path), options, providers=providers)
    return None


def _key(digest: str, providers: Providers) -> str:
    lines = []
    with suppress(OSError):
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8', errors='replace')
        first = text.split('\n\n', 1)[0]  # of one core; the others differ in speed alone
        lines = [line for line in first.splitlines() if line.startswith(_CPU_LINES)]
    content = [digest, providers, onnxruntime.__version__, platform.machine(), *lines]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
