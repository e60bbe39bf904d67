"""The parity gate: does an engine compute what its ONNX graph computes, as the graph stands?"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np
import onnxruntime

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import Tolerance
from deepsight_ros.engines.manifest import Variant
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.recorded_inputs import as_taken
from deepsight_ros.engines.recorded_inputs import Case
from deepsight_ros.engines.recorded_inputs import random_inputs
from deepsight_ros.engines.recorded_inputs import read_recorded
from deepsight_ros.engines.tensors import Array

DEFAULT_TOLERANCES: Final = {
    'float64': Tolerance(max_relative=1e-3, mean_relative=1e-4, cosine=0.99999),
    'float32': Tolerance(max_relative=1e-2, mean_relative=1e-3, cosine=0.9999),
    'float16': Tolerance(max_relative=5e-2, mean_relative=1e-2, cosine=0.999),
}
"""For outputs of these dtypes; those of others have to be equal."""
_EQUAL: Final = Tolerance(max_relative=0, mean_relative=0, cosine=1 - 1e-9)


@dataclass(frozen=True)
class Element:
    """The element of an output that is furthest off; None stands for what is not finite."""

    case: int
    index: tuple[int, ...]
    expected: float | None
    found: float | None


@dataclass(frozen=True)
class OutputParity:
    """How far one output is off, over all cases; None stands for infinitely far."""

    name: str
    dtype: str
    max_relative: float | None
    """Largest error of an element over the largest expected magnitude."""
    mean_relative: float | None
    """Sum of all errors over the sum of the expected magnitudes."""
    cosine: float
    worst: Element
    tolerance: Tolerance
    passed: bool


@dataclass(frozen=True)
class ParityReport:
    """Result of a comparison."""

    engine: str
    reference: str
    cases: int
    outputs: tuple[OutputParity, ...]

    @property
    def passed(self) -> bool:
        """Whether there were inputs, and every output is within its tolerance."""
        return self.cases > 0 and all(output.passed for output in self.outputs)

    def to_json(self) -> dict[str, Any]:
        """Return the report for a JSON file."""
        return {'passed': self.passed, **asdict(self)}

    def __str__(self) -> str:
        """Return one line per output."""
        return '\n'.join(
            f'{"passed" if item.passed else "FAILED"} {item.name} {item.dtype}: max '
            f'{_text(item.max_relative)}, mean {_text(item.mean_relative)} relative, cosine '
            f'{item.cosine:.6f}; worst in case {item.worst.case} at {list(item.worst.index)}: '
            f'{item.worst.found} for {item.worst.expected}' for item in self.outputs)


def parity_inputs(bundle: Path, manifest: Manifest) -> list[Case]:
    """Return the bundle's recorded inputs and random ones; ``EngineError`` if there are none."""
    cases = read_recorded(bundle, manifest) + random_inputs(manifest.inputs, manifest)
    if not cases:
        raise EngineError(f'{bundle}: there are no inputs to compare an engine with its graph on; '
                          'export the bundle with recorded inputs')
    return cases


def run_parity(
    engine: Engine, cases: Sequence[Case], bundle: Path, manifest: Manifest, variant: Variant,
) -> ParityReport:
    """Compare an engine with a variant's graph on the same inputs; raises ``EngineError``."""
    with open_reference(bundle, manifest, variant) as reference:
        return compare(engine, reference, cases, variant.parity)


def open_reference(bundle: Path, manifest: Manifest, variant: Variant) -> Engine:
    """Open a variant's graph on the processor, unoptimised; raises ``EngineError``."""
    path = bundle / variant.file
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=['CPUExecutionProvider'])
    except Exception as error:
        raise EngineError(f'{path}: ONNX Runtime {onnxruntime.__version__} cannot load the graph '
                          f'({error}), so that nothing can be compared with it; export a graph '
                          'that it can run') from error
    own = replace(manifest, variants=(variant,))
    return OnnxRuntimeEngine(session, own, 'the reference', bundle)


def compare(
    engine: Engine, reference: Engine, cases: Sequence[Case],
    tolerances: Mapping[str, Tolerance] | None = None,
) -> ParityReport:
    """
    Run both engines on the same inputs and measure how far ``engine`` is from ``reference``.

    ``tolerances`` has dtypes of outputs as keys (a variant's ``parity``); for dtypes that it
    lacks, ``DEFAULT_TOLERANCES``. ``EngineError`` when the two engines' outputs have other names;
    other shapes or dtypes are a failure of that output.
    """
    sums = {spec.name: _Sums() for spec in reference.outputs}
    if sums.keys() != {spec.name for spec in engine.outputs}:
        raise EngineError(f'{engine.backend} gives {[spec.name for spec in engine.outputs]}, '
                          f'{reference.backend} {sorted(sums)}; build the engine again')
    for number, case in enumerate(cases):
        found, expected = (item(as_taken(case, item.inputs)) for item in (engine, reference))
        for name, item in sums.items():
            item.add(number, found[name], expected[name])
    chosen = {**DEFAULT_TOLERANCES, **(tolerances or {})}
    outputs = (sums[spec.name].parity(spec.name, spec.dtype, chosen.get(spec.dtype, _EQUAL))
               for spec in reference.outputs)
    return ParityReport(engine.backend, reference.backend, len(cases), tuple(outputs))


class _Sums:
    """What the numbers of one output are made of, summed up over the cases."""

    def __init__(self) -> None:
        self._error = self._magnitude = self._dot = self._found2 = self._expected2 = 0.0
        self._largest_error = -1.0
        self._largest_magnitude = 0.0
        self._worst = Element(0, (), None, None)

    def add(self, case: int, found: Array, expected: Array) -> None:
        if found.shape != expected.shape or found.dtype != expected.dtype:
            self._error = self._largest_error = np.inf
            self._worst = Element(case, (), None, None)
            return
        if not expected.size:
            return
        f, e = found.astype(np.float64), expected.astype(np.float64)
        both = np.isfinite(f) & np.isfinite(e)
        same = (f == e) | (np.isnan(f) & np.isnan(e))
        f0, e0 = np.where(both, f, 0), np.where(both, e, 0)
        error = np.where(both, np.abs(f0 - e0), np.where(same, 0, np.inf))
        self._error += float(error.sum())
        self._magnitude += float(np.abs(e0).sum())
        self._dot += float((f0 * e0).sum())
        self._found2 += float((f0 * f0).sum())
        self._expected2 += float((e0 * e0).sum())
        self._largest_magnitude = max(self._largest_magnitude, float(np.abs(e0).max()))
        flat = int(error.argmax())
        if error.flat[flat] > self._largest_error:
            self._largest_error = float(error.flat[flat])
            index = tuple(int(i) for i in np.unravel_index(flat, error.shape))
            self._worst = Element(case, index, _finite(e.flat[flat]), _finite(f.flat[flat]))

    def parity(self, name: str, dtype: str, tolerance: Tolerance) -> OutputParity:
        largest = _ratio(max(self._largest_error, 0.0), self._largest_magnitude)
        mean = _ratio(self._error, self._magnitude)
        norms = np.sqrt(self._found2 * self._expected2)
        # Two outputs of zeros point the same way; zeros and anything else do not.
        cosine = self._dot / norms if norms else float(self._found2 == self._expected2)
        passed = (largest <= tolerance.max_relative and mean <= tolerance.mean_relative
                  and cosine >= tolerance.cosine)
        return OutputParity(name, dtype, _finite(largest), _finite(mean), float(cosine),
                            self._worst, tolerance, bool(passed))


def _ratio(error: float, magnitude: float) -> float:
    if magnitude:
        return error / magnitude
    return np.inf if error else 0.0


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _text(value: float | None) -> str:
    return 'infinite' if value is None else f'{value:.2e}'
