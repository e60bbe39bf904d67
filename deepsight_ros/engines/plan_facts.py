"""What is worked out about a plan without TensorRT, and said to the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
import json
from pathlib import Path
from typing import Any
from typing import Final

from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Profile
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plans import PlanManifest
from deepsight_ros.engines.tensors import Shape

_FORMATS: Final = {  # TensorRT's words for dtypes; BFLOAT16 contains FLOAT
    'BFLOAT16': 'bfloat16', 'BF16': 'bfloat16', 'FP16': 'float16', 'HALF': 'float16',
    'FP8': 'float8', 'FP32': 'float32', 'FLOAT': 'float32', 'INT64': 'int64', 'INT32': 'int32',
    'INT8': 'int8', 'INT4': 'int4', 'BOOL': 'bool',
}
_PRECISIONS: Final = {'fp16': 'float16', 'bf16': 'bfloat16', 'int8': 'int8', 'fp8': 'float8',
                      'int4': 'int4'}


def covering_profile(
    profiles: Sequence[Profile], shapes: Mapping[str, Shape], name: str,
) -> int:
    """Return the index of the first profile that covers all input shapes; ``EngineError`` if none.

    ``name`` is the plan's, for the message.
    """
    for index, profile in enumerate(profiles):
        if all(_covers(profile[tensor], shape) for tensor, shape in shapes.items()):
            return index
    built = '; '.join(', '.join(f'{tensor} {list(item.min)} to {list(item.max)}'
                                for tensor, item in profile.items()) for profile in profiles)
    given = ', '.join(f'{tensor} {list(shape)}' for tensor, shape in shapes.items())
    raise EngineError(f'{name}: the plan was built for {built}, not for {given}; change the '
                      "profiles in the bundle's manifest and build again, or choose the backend "
                      'onnxruntime')


def count_dtypes(inspected: str) -> dict[str, int]:
    """
    Return dtype to the number of layers whose first output has it; empty if that is not said.

    ``inspected`` is what TensorRT's engine inspector says as JSON.
    """
    try:
        formats = [layer['Outputs'][0]['Format/Datatype'].upper()
                   for layer in json.loads(inspected)['Layers'] if layer.get('Outputs')]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return dict(Counter(next((name for word, name in _FORMATS.items() if word in text), 'other')
                        for text in formats))


def lost_precision(plan: PlanManifest) -> str:
    """Say it when no layer computes in the precision that was asked for; else an empty text."""
    wanted = _PRECISIONS.get(plan.precision)
    if wanted is None or not plan.layer_dtypes or wanted in plan.layer_dtypes:
        return ''
    return f'no layer computes in {wanted}, although the variant is {plan.precision}'


def plan_lines(path: Path, plan: PlanManifest) -> list[str]:
    """Return what a plan is, what it was built for, and how far it is from its ONNX graph."""
    key = plan.key
    size = f'{path.stat().st_size / 1e6:.1f} MB' if path.is_file() else 'the plan is missing'
    layers = ', '.join(f'{count} in {dtype}' for dtype, count in plan.layer_dtypes.items())
    lines = [
        f'{path} ({size})',
        f'  {"passed its parity check" if plan.passed else "FAILED its parity check, not used"}',
        f'  for TensorRT {key.tensorrt} on {key.gpu}, compute capability '
        f'{key.compute_capability or "any"}',
        f'  built {plan.built} in {plan.build_seconds:.0f} s with CUDA {plan.cuda}, driver '
        f'{plan.driver}, level {key.level}, {", ".join(key.flags) or "no flags"}'
        f'{", attention " + key.attention if key.attention else ""}',
        f'  precision {plan.precision}, layers: {layers or "unknown"}',
    ]
    if lost := lost_precision(plan):
        lines.append(f'  WARNING: {lost}')
    return [*lines, *(f'  {tensor_line(spec)}' for spec in plan.tensors),
            *(f'  {_parity_line(output)}' for output in plan.parity.get('outputs', ()))]


def tensor_line(spec: TensorSpec) -> str:
    """Return a tensor in one line."""
    shape = ', '.join('?' if size == -1 else str(size) for size in spec.shape)
    meaning = f'  {spec.meaning}' if spec.meaning else ''
    return f'{spec.name}: {spec.dtype} [{shape}]{meaning}{f", {spec.unit}" if spec.unit else ""}'


def _covers(item: ShapeRange, shape: Shape) -> bool:
    return len(item.min) == len(shape) and all(
        low <= size <= high
        for low, size, high in zip(item.min, shape, item.max, strict=True))


def _parity_line(output: dict[str, Any]) -> str:
    largest, mean = (f'{output[name]:.1e}' if output[name] is not None else 'infinite'
                     for name in ('max_relative', 'mean_relative'))
    return (f'{"passed" if output["passed"] else "FAILED"} {output["name"]}: relative error max '
            f'{largest}, mean {mean}, cosine {output["cosine"]:.6f}')
