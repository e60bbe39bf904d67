"""What the ``embodied_depth`` node says about itself on /diagnostics."""

from __future__ import annotations

import math

from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.ros.diagnostics import ERROR
from deepsight_ros.ros.diagnostics import OK
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.diagnostics import WARN
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.frame_statistics import Report
from deepsight_ros.ros.pairing import unpaired_text
from deepsight_ros.ros.picture_stream import PictureStream


class EmbodiedDepthStatus:
    """Turns counters into a status; warns about what got worse since the last one."""

    def __init__(self) -> None:
        """Start without a past."""
        self._last = Report()
        self._last_dropped = 0

    def describe(
        self,
        problem: str,
        segmentation: Segmentation | None,
        stream: PictureStream | None,
        frame: Frame | None,
        upgrade: EngineUpgrade | None = None,
    ) -> Status:
        """Return the status; None stands for what the node's state does not have."""
        state = 'active' if stream else 'inactive' if segmentation else 'unconfigured'
        values: dict[str, object] = {'state': state}
        level, text = (ERROR, problem) if problem else (OK, state)
        if segmentation is not None:
            manifest = segmentation.engine.manifest
            values |= {'model': f'{manifest.name} {manifest.version}',
                       'licence': manifest.licence, 'backend': segmentation.engine.backend,
                       'backend_reason': segmentation.engine.reason}
        if upgrade is not None:
            values['engine_build'] = upgrade.state
        if stream is not None:
            report, dropped = stream.report(), stream.dropped
            values |= {
                'rate_hz': report.rate_hz, 'received': report.received,
                'published': report.published, 'failed': report.failed,
                'without_subscriber': report.skipped, 'dropped': dropped,
                'without_camera_info': report.unpaired, 'missing_by_stamps': report.missing,
                'stamp_jumps': report.jumps}
            values |= {f'{stage}_ms': 1e3 * mean for stage, mean in report.seconds.items()}
            level, text = self._judge(problem, report, dropped, stream.topic, frame)
            self._last, self._last_dropped = report, dropped
        if upgrade is not None and upgrade.failed and level == OK:
            level, text = WARN, f'the engine was not built: {upgrade.state}'
        if frame is not None:
            values |= _ground(frame)
        return level, text, values

    def _judge(
        self, problem: str, report: Report, dropped: int, topic: str, frame: Frame | None,
    ) -> tuple[bytes, str]:
        last = self._last if report.received >= self._last.received else Report()
        if report.silent:
            return WARN, f'no pictures on {topic}'
        if problem:
            return ERROR, problem
        if report.unpaired > last.unpaired:
            return WARN, unpaired_text(report.unpaired - last.unpaired)
        missing = report.missing - last.missing
        if missing:
            return WARN, (f'{missing} pictures did not arrive; use fastdds_shm.xml in both '
                          'processes, or a smaller picture')
        if report.skipped > last.skipped:
            return OK, 'nobody subscribes to the results'
        if dropped > self._last_dropped:
            return WARN, f'{dropped - self._last_dropped} pictures dropped: slower than the camera'
        for cause in ('view', 'extrinsics'):
            if frame is not None and cause in frame.warnings:
                return WARN, frame.warnings[cause]
        return OK, 'publishing' if report.published > last.published else 'waiting for pictures'


def _ground(frame: Frame) -> dict[str, object]:
    ground = frame.result.ground
    return {
        'extrinsics': frame.ground.source, 'camera_height_m': ground.height,
        'camera_pitch_deg': math.degrees(ground.pitch),
        'camera_roll_deg': math.degrees(ground.roll)}
