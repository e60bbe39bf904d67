"""Versions of TensorRT whose fused attention is known to compute something else, silently."""

from __future__ import annotations

from typing import Final

Version = tuple[int, ...]

DEFECTS: Final[tuple[tuple[Version, Version, str], ...]] = (
    ((10, 3), (10, 12), 'vision transformers come out wrong with 10.3, 10.4 and 10.7, right from '
                        '10.12 on (NVIDIA/TensorRT issues 4723, 4742, 4328, 4333)'),
    ((11, 2), (11, 3), 'fused layers give NaN with 11.2 (rerun-io/examples-monorepo 87)'),
)
"""First version, first one without it, what was reported. Nobody reports of 11.3: it is taken for
mended, and the parity gate decides, as about every plan."""
BLACKWELL: Final[tuple[Version, Version, str]] = ((10, 0), (10, 16, 2),
                    'fused attention is wrong on consumer Blackwell GPUs through 10.16.1 '
                    '(NVIDIA/TensorRT issue 4837)')


def attention_defect(version: str, compute_capability: str = '') -> str:
    """
    Return what is known to be wrong with a version, an empty text if nothing is.

    The GPU's compute capability, such as ``12.0``, if known, tells whether it is a Blackwell.
    """
    number = tuple(int(part) for part in version.split('.')[:3] if part.isdigit())
    defects = [*DEFECTS]
    if not compute_capability or compute_capability.startswith('12.'):
        defects.append(BLACKWELL)
    return '; '.join(text for first, fixed, text in defects if first <= number < fixed)
