"""Answers as JSON: the topic ``answer/details`` and ``deepsight ask``."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any
from typing import Final

from deepsight_ros.language.questions import Id
from deepsight_ros.perception.answering import SpatialAnswer

_DIGITS: Final = 4


@dataclass(frozen=True)
class Source:
    """The picture that was used: stamp (ns), frame, and age (s) when the answer was ready."""

    stamp_ns: int
    frame_id: str
    age_s: float | None


def answer_details(
    answer: SpatialAnswer, identity: Id | None, source: Source | None, *,
    model: str, backend: str, total_s: float,
) -> dict[str, Any]:
    """
    Return what ``json.dumps(..., allow_nan=False)`` can write.

    ``source`` is None where no picture was used; ``total_s`` counts from the question's receipt.
    ``value`` is what the answer says, ``distance_m``, ``bearing_deg`` and ``point`` what the depth
    map has at the place that it points at.
    """
    parsed, evidence = answer.answer, answer.evidence
    bearing = None if evidence.bearing is None else math.degrees(evidence.bearing)
    stamp = None
    if source is not None:
        sec, nanosec = divmod(source.stamp_ns, 1_000_000_000)
        stamp = {'sec': sec, 'nanosec': nanosec}
    seconds = {'encode': answer.encode_s, 'prefill': answer.prefill_s,
               'decode': answer.decode_s, 'total': total_s}
    return {
        'id': identity, 'question': answer.question, 'text': answer.text,
        'kind': parsed.kind, 'value': parsed.value, 'unit': parsed.unit,
        'stamp': stamp, 'frame_id': source.frame_id if source else '',
        'frame_age_s': source and _rounded(source.age_s),
        'distance_m': _rounded(evidence.distance), 'bearing_deg': _rounded(bearing),
        'point': evidence.point and [_rounded(value) for value in evidence.point],
        'evidence': [{'pixel': list(pixel), 'depth_m': _rounded(depth)}
                     for pixel, depth in zip(evidence.pixels, evidence.depths, strict=True)],
        'agrees_with_depth': evidence.agrees, 'confidence': _rounded(answer.confidence),
        'latency_ms': {stage: _rounded(1e3 * value) for stage, value in seconds.items()},
        'tokens': answer.tokens, 'model': model, 'backend': backend,
        'status': answer.status, 'error': answer.error}


def _rounded(value: float | None) -> float | None:
    """Return a number short enough to read, None for what is none."""
    return None if value is None or not math.isfinite(value) else round(value, _DIGITS)
