"""A replay as JSON: the same bytes for the same bag and parameters, apart from ``timings``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
import math
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.evaluation.answer_summary import answer_times
from deepsight_ros.evaluation.answer_summary import summarise_answers
from deepsight_ros.evaluation.replay_run import Replay
from deepsight_ros.evaluation.replay_run import ReplayedFrame
from deepsight_ros.evaluation.scoring import summarise

_TEXTS: Final = 10
"""Different warnings that are listed; more are of the same kinds."""


def summarise_replay(replay: Replay) -> dict[str, Any]:
    """
    Return everything that ``report.json`` holds.

    The scores (``metrics``, ``by_step``, ``by_range``, ``ground_plane``) are those of
    ``evaluate depth``, null where the bag holds no true depth. Lengths in metres, angles in
    radians unless the name says degrees, times in seconds. ``questions`` is null if nothing was
    asked.
    """
    frames, interview = replay.frames, replay.interview
    scores = [frame.score for frame in frames if frame.score is not None]
    empty = dict.fromkeys(('metrics', 'by_step', 'by_range', 'ground_plane'))
    return {
        'bag': replay.bag,
        'topics': {name: topic for name, topic in asdict(replay.topics).items() if topic},
        'settings': asdict(replay.settings),
        'backend': replay.backend,
        'frames': len(frames),
        'scored_frames': len(scores),
        'duration': duration(frames),
        'method': 'embodied',
        **(summarise(scores) if scores else empty),
        'questions': interview and summarise_answers(interview, frames[0].stamp_ns),
        'over_time': [_row(frame, frames[0].stamp_ns) for frame in frames],
        'failures': {kind: {'count': len(texts), 'first': texts[0]}
                     for kind, texts in sorted(replay.failures.items())},
        'warnings': dict(replay.warnings.most_common(_TEXTS)),
        'timings': _timings(replay),
    }


def duration(frames: Sequence[ReplayedFrame]) -> float:
    """Seconds from the first to the last picture."""
    stamps = [frame.stamp_ns for frame in frames]
    return (max(stamps) - min(stamps)) / 1e9


def _row(frame: ReplayedFrame, start_ns: int) -> dict[str, Any]:
    metrics = frame.score.metrics if frame.score is not None else {}
    return {
        'time': (frame.stamp_ns - start_ns) / 1e9,
        'ground_source': frame.source,
        'camera_height': frame.ground.height,
        'camera_pitch': frame.ground.pitch,
        'camera_roll': frame.ground.roll,
        **{name: metrics.get(name, math.nan)
           for name in ('abs_rel', 'within_5', 'within_10', 'coverage')},
    }


def _timings(replay: Replay) -> dict[str, Any]:
    """Seconds per stage of a picture, and how much faster than the recording this was."""
    stages: dict[str, list[float]] = {}
    for frame in replay.frames:
        for stage, seconds in frame.seconds.items():
            stages.setdefault(stage, []).append(seconds)
    # n pictures stand for n periods, not n - 1.
    count = len(replay.frames)
    recorded = duration(replay.frames) * count / max(count - 1, 1)
    answers = replay.interview.answers if replay.interview else []
    return {
        'stages': {stage: {'median': float(np.median(seconds)),
                           'p95': float(np.percentile(seconds, 95))}
                   for stage, seconds in stages.items()},
        'answer': answer_times(answers) if answers else None,
        'wall': replay.wall_seconds,
        'times_faster_than_recorded': recorded / replay.wall_seconds,
    }
