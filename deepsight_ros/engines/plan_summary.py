"""What a user wants to know about a plan, as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plan_facts import lost_precision
from deepsight_ros.engines.plans import PlanManifest


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


def _parity_line(output: dict[str, Any]) -> str:
    largest, mean = (f'{output[name]:.1e}' if output[name] is not None else 'infinite'
                     for name in ('max_relative', 'mean_relative'))
    return (f'{"passed" if output["passed"] else "FAILED"} {output["name"]}: relative error max '
            f'{largest}, mean {mean}, cosine {output["cosine"]:.6f}')
