"""Named arrays in, named arrays out: the one interface of all backends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Protocol

import numpy.typing as npt

from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec

Arrays = Mapping[str, npt.NDArray[Any]]


class Engine(Protocol):
    """A loaded graph. Not thread safe: one user at a time."""

    manifest: Manifest
    backend: str
    """Backend and provider that run the graph, for logs and diagnostics."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Return the inputs' specs."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Return the outputs' specs."""

    def __call__(self, inputs: Arrays) -> dict[str, npt.NDArray[Any]]:
        """Run the graph once; ``EngineError`` when a tensor is missing or has the wrong form."""

    def close(self) -> None:
        """Free what the engine holds; calling it again does nothing."""

    def __enter__(self) -> Engine:
        """Return the engine."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""


def load_engine(bundle: Path, *, threads: int = 1) -> Engine:
    """
    Load the bundle in folder ``bundle`` after checking its hashes.

    ``threads`` is the number of threads that one call may use. Raises ``EngineError``.
    """
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    for variant in manifest.variants:
        if 'onnxruntime' in variant.backends:
            from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
            return OnnxRuntimeEngine(bundle / variant.file, manifest, threads=threads)
    raise EngineError(f'{bundle}: no variant runs on ONNX Runtime; export one that does')
