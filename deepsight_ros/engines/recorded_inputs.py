"""Inputs that a bundle brings along: for parity, and to warm an engine up.

The file is a NumPy archive without pickles. Its arrays are called ``<case>.<input>``, such as
``0.image``; all arrays with one number are the inputs of one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
import zipfile

import numpy as np

from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.tensors import Array
from deepsight_ros.engines.tensors import Shape

Case = dict[str, Array]


def write_recorded(path: Path, cases: Sequence[Mapping[str, Array]]) -> None:
    """Write the inputs of one call or more."""
    arrays: dict[str, Any] = {f'{number}.{name}': array for number, case in enumerate(cases)
                              for name, array in case.items()}
    np.savez_compressed(path, **arrays)


def read_recorded(bundle: Path, manifest: Manifest) -> list[Case]:
    """Return the bundle's recorded inputs, none if it has none; raises ``EngineError``."""
    if not manifest.recorded_inputs:
        return []
    path = bundle / manifest.recorded_inputs
    cases: dict[int, Case] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in archive.files:
                number, name = key.split('.', 1)
                cases.setdefault(int(number), {})[name] = archive[key]
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise EngineError(f'{path} is no archive of recorded inputs ({error}); export the bundle '
                          'again') from error
    return [cases[number] for number in sorted(cases)]


def as_taken(case: Mapping[str, Array], specs: Sequence[TensorSpec]) -> Case:
    """
    Return inputs whose floating-point numbers have the precision that a graph takes.

    A bundle has variants in several precisions and one recording for all of them, whose numbers
    may be stored in half precision.
    """
    taken = {spec.name: np.dtype(spec.dtype) for spec in specs}
    return {name: array.astype(taken[name], copy=False)
            if name in taken and array.dtype.kind == taken[name].kind == 'f' else array
            for name, array in case.items()}


def random_inputs(specs: Sequence[TensorSpec], manifest: Manifest, seed: int = 0) -> list[Case]:
    """
    Return random inputs of the least, usual and largest shapes of each profile.

    Without profiles, of the fixed shapes. None for a graph whose inputs are not all numbers that
    may have any value: indices and masks cannot be drawn at random.
    """
    free = {'float16', 'float32', 'float64', 'uint8', 'int8'}
    if any(spec.dtype not in free for spec in specs):
        return []
    random = np.random.default_rng(seed)
    return [{spec.name: _draw(random, spec.dtype, shapes[spec.name]) for spec in specs}
            for shapes in _shapes(specs, manifest)]


def usual_inputs(specs: Sequence[TensorSpec], manifest: Manifest) -> list[Case]:
    """Return zeros of each profile's usual shapes, or of the fixed shapes."""
    return [{spec.name: np.zeros(shapes[spec.name], spec.dtype) for spec in specs}
            for shapes in _shapes(specs, manifest, kinds=('opt',))]


def _shapes(
    specs: Sequence[TensorSpec], manifest: Manifest, kinds: Sequence[str] = ('min', 'opt', 'max'),
) -> list[dict[str, Shape]]:
    fixed = {spec.name: tuple(size for size in spec.shape if isinstance(size, int))
             for spec in specs}
    if all(len(fixed[spec.name]) == len(spec.shape) for spec in specs):
        return [fixed]
    found: list[dict[str, Shape]] = []
    for profile in manifest.profiles:
        for kind in kinds:
            shapes = fixed | {name: getattr(item, kind) for name, item in profile.items()}
            if shapes not in found:
                found.append(shapes)
    return found


def _draw(random: np.random.Generator, dtype: str, shape: Shape) -> Array:
    if dtype in ('uint8', 'int8'):
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return random.standard_normal(shape).astype(dtype)
