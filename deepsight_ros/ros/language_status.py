"""What the ``spatial_language`` node says about itself on /diagnostics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock

from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.ros.diagnostics import ERROR
from deepsight_ros.ros.diagnostics import OK
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.diagnostics import WARN
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.frame_statistics import Report
from deepsight_ros.ros.pairing import unpaired_text
from deepsight_ros.ros.picture_stream import PictureTopics


class LanguageStatus:
    """Counts answers by their status; may be told of them from any thread."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._disagreeing = 0
        self._seconds: dict[str, float] = {}
        self._unpaired = 0

    def note(self, answer: SpatialAnswer, total_s: float) -> None:
        """Count an answer and keep its times."""
        with self._lock:
            self._counts[answer.status] += 1
            self._disagreeing += answer.evidence.agrees is False
            if answer.status == 'ok':
                self._seconds = {'encode': answer.encode_s, 'prefill': answer.prefill_s,
                                 'decode': answer.decode_s, 'total': total_s}

    def describe(
        self, problem: str, answering: SpatialAnswering | None, topics: PictureTopics | None,
        waiting: int, frame_age_s: float | None, upgrades: Mapping[str, EngineUpgrade | None],
    ) -> Status:
        """Return the status; None stands for what the node's state does not have."""
        state = 'active' if topics else 'inactive' if answering else 'unconfigured'
        values: dict[str, object] = {'state': state}
        level, text = (ERROR, problem) if problem else (OK, state)
        if answering is not None:
            engine, encoder = answering.model.decoder.engine, answering.encoder
            values |= {'model': f'{engine.manifest.name} {engine.manifest.version}',
                       'licence': engine.manifest.licence, 'backend': engine.backend,
                       'backend_reason': engine.reason, 'encoder_backend': encoder.backend,
                       'encoder_backend_reason': encoder.reason}
        building = {name: upgrade for name, upgrade in upgrades.items() if upgrade is not None}
        values |= {f'engine_build_{name}': upgrade.state for name, upgrade in building.items()}
        with self._lock:
            values |= {f'answers_{status}': count for status, count in self._counts.items()}
            values |= {f'{stage}_ms': 1e3 * value for stage, value in self._seconds.items()}
            values['disagreeing_with_depth'] = self._disagreeing
        if topics is not None:
            report = topics.report()
            values |= _traffic(report, waiting, frame_age_s)
            if not problem:
                level, text = self._judge(report, topics.topic)
        failed = [upgrade.state for upgrade in building.values() if upgrade.failed]
        if failed and level == OK:
            level, text = WARN, f'an engine was not built: {failed[0]}'
        return level, text, values

    def _judge(self, report: Report, topic: str) -> tuple[bytes, str]:
        """Return level and text while pictures may come."""
        last, self._unpaired = self._unpaired, report.unpaired
        if report.silent:
            return WARN, f'no depth images on {topic}'
        if report.unpaired > last:
            return WARN, unpaired_text(report.unpaired - last)
        return OK, 'waiting for questions'


def _traffic(
    report: Report, waiting: int, frame_age_s: float | None,
) -> dict[str, object]:
    values: dict[str, object] = {
        'received': report.received, 'without_camera_info': report.unpaired,
        'missing_by_stamps': report.missing, 'stamp_jumps': report.jumps,
        'waiting_questions': waiting}
    if frame_age_s is not None:
        values['frame_age_ms'] = 1e3 * frame_age_s
    return values
