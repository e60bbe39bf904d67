"""Named arrays in, named arrays out: the one interface of all backends."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
import logging
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Final
from typing import Protocol

from deepsight_ros.engines.cache import cache_folder
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import Inputs
from deepsight_ros.engines.tensors import Shape
from deepsight_ros.engines.tensors import Targets
from deepsight_ros.engines.tensors import Tensor

BACKENDS: Final = ('auto', 'onnxruntime', 'tensorrt')
_TENSORRT_NEEDS: Final = {
    'tensorrt': 'tensorrt', 'cuda': "'cuda-python>=12.6.1', on JetPack 6 'cuda-python==12.6.*'"}
"""Module: what pip calls it."""
_log = logging.getLogger(__name__)


class Engine(Protocol):
    """
    A loaded graph. Not thread safe: one user at a time; each further user has a context.

    State is kept in resident tensors, for example the keys and values of a language model::

        kv = engine.allocate('kv', (layers, capacity, size))
        for length, token in enumerate(tokens):
            logits = engine({'token': token, 'kv': kv},
                            into={'kv_new': kv.slice(1, length)})['logits']
    """

    manifest: Manifest
    backend: str
    """Backend and device that run the graph, for logs and diagnostics."""
    reason: str
    """Why this backend was chosen, and not a faster one."""
    inputs: tuple[TensorSpec, ...]
    """Dtypes and fixed sizes of the graph, the rest as the manifest says."""
    outputs: tuple[TensorSpec, ...]

    def __call__(self, inputs: Inputs, *, into: Targets | None = None) -> dict[str, Array]:
        """
        Run the graph once.

        ``inputs`` has an array or a resident tensor for each input. An output that ``into``
        names is written there, after the run, and not returned; the tensor may be an input of
        the same call. The arrays returned are the caller's: no later call changes them.
        Raises ``EngineError`` when a tensor is missing or has the wrong form; the resident
        tensors are as before then.
        """

    def warm_up(self) -> None:
        """
        Run recorded inputs, or zeros of the profiles' usual shapes, and forget the results.

        The first calls with these shapes are then as fast as the later ones. Calls with resident
        tensors are prepared when they are first made: whoever keeps state makes some.
        """

    def allocate(self, name: str, shape: Shape | None = None) -> Tensor:
        """
        Return a zeroed tensor of the dtype of input or output ``name``, that stays on the device.

        ``shape`` is needed where the graph leaves sizes free, and must fit the others.
        """

    def new_context(self) -> Engine:
        """Return an engine for another user: same weights in memory, state of its own."""

    def close(self) -> None:
        """Free tensors and contexts of this engine; calling it again does nothing."""

    def __enter__(self) -> Engine:
        """Return the engine."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()


def engine_options(backend: str, providers: str, cache_dir: str) -> dict[str, Any]:
    """
    Return what ``load_engine`` takes, from the parameters that nodes have for it.

    ``providers`` are names with options, such as ``CUDAExecutionProvider:device_id=1``, apart by
    spaces; an empty text stands for the default. Raises ``EngineError``.
    """
    chosen = []
    for item in providers.split():
        name, *options = item.split(':')
        pairs = [option.partition('=') for option in options]
        if not name or not all(key and equals for key, equals, _ in pairs):
            raise EngineError(f'providers: {item!r} is not NAME or NAME:OPTION=VALUE:...; see the '
                              'description of the parameter')
        chosen.append((name, {key: value for key, _, value in pairs}))
    return {'backend': backend, 'providers': chosen or None,
            'cache': Path(cache_dir) if cache_dir else None}


def load_engine(
    bundle: Path,
    backend: str = 'auto',
    *,
    threads: int = 1,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    cache: Path | None = None,
) -> Engine:
    """
    Load the bundle in folder ``bundle`` after checking its hashes.

    ``auto`` takes TensorRT if the cache has a verified plan for this machine, else ONNX Runtime;
    nothing is built here. ``threads`` is the number of CPU threads that one call may use,
    ``providers`` are ONNX Runtime's, with their options (default: the best that is installed),
    ``cache`` is the folder of plans (default: see ``cache_folder``). Raises ``EngineError``.
    """
    if backend not in BACKENDS:
        raise EngineError(f'backend {backend!r} is unknown; choose from {", ".join(BACKENDS)}')
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    reason = 'asked for'
    engine: Engine
    if backend != 'onnxruntime':
        try:
            engine = _load_tensorrt(bundle, manifest, cache)
        except EngineError as error:
            if backend == 'tensorrt':
                raise
            reason = f'TensorRT cannot be used: {error}'
        else:
            _log.info('%s runs on %s: %s', manifest.name, engine.backend, engine.reason)
            return engine
    from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
    engine = OnnxRuntimeEngine.load(bundle, manifest, threads=threads, providers=providers,
                                    cache=cache, reason=reason)
    _log.info('%s runs on %s: %s', manifest.name, engine.backend, engine.reason)
    return engine


def _load_tensorrt(bundle: Path, manifest: Manifest, cache: Path | None) -> Engine:
    """Open the bundle's plan for this machine; importing what runs it needs TensorRT."""
    for needed, package in _TENSORRT_NEEDS.items():
        if find_spec(needed) is None:
            raise EngineError(f'{needed} is not installed (pip install {package})')
    try:
        from deepsight_ros.engines.plan_facts import lost_precision
        from deepsight_ros.engines.tensorrt import TensorRtEngine
        from deepsight_ros.engines.tensorrt_plan import find_plan_here
        from deepsight_ros.engines.tensorrt_plan import LoadedPlan
    except (ImportError, AttributeError) as error:  # names that old versions lack
        raise EngineError(f'the installed TensorRT or cuda-python is too old ({error}); update to '
                          'TensorRT 10.3 and cuda-python 12.6 or newer') from error
    plan = find_plan_here(manifest, cache_folder(cache), bundle)
    found = ['its plan is in the cache', lost_precision(plan.manifest)]
    return TensorRtEngine(LoadedPlan(plan.content, manifest.name), manifest,
                          '; '.join(filter(None, found)))
