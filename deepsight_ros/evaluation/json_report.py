"""Writing results as JSON that any program reads: no NaN, the same bytes for the same numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any


def to_json(value: Any) -> str:
    """Return JSON text; NaN and infinities become null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + '\n'


def write_json(path: Path, value: Any) -> None:
    """Write ``to_json`` to a file, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(value), 'utf8')


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
