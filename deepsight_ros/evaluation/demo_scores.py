"""What came back over topics for a bag, against the bag's true depth."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any
from typing import Final
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.scoring import sample
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry.embodied_depth import Label
from deepsight_ros.language.answers import metres
from deepsight_ros.perception.evidence import Evidence

LABEL_ROWS: Final = {
    'road': (Label.ROAD,),
    'other ground': (Label.GROUND,),
    'vertical': (Label.VERTICAL,),
    'filled': (Label.FILLED,),
    'everything': tuple(Label),
}
"""Rows of the table by label; each true point counts for what the label topic says there."""
MAX_RANGE: Final = ReplaySettings.max_range
"""Metres, the node's default: farther points do not count."""
_RANGES: Final = (0.0, 5.0, 10.0, 20.0, 40.0, MAX_RANGE)


@dataclass(frozen=True, eq=False)
class AnsweredPicture:
    """
    A picture [H, W, 3], the topics that came back for it, and the true depth.

    ``depth`` and ``uncertainty`` [H, W] in metres, ``label`` [H, W], ``preview`` [H, W, 3],
    ``truth`` [N, 3] (column, row, depth in metres).
    """

    stamp_ns: int
    image: npt.NDArray[np.uint8]
    camera: Camera
    depth: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    preview: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AskedQuestion:
    """
    A question with the ``answer/details`` that came back.

    ``picture`` is the one that was answered about, ``truth`` what its true depth says; both are
    None where the bag has no true depth for it.
    """

    details: Mapping[str, Any]
    picture: AnsweredPicture | None = None
    truth: Evidence | None = None

    @property
    def text(self) -> str:
        """What was said, or why nothing was, in one line."""
        if self.details['status'] != 'ok':
            return f'no answer ({self.details["status"]}): {self.details["error"]}'
        return ' '.join(self.details['text'].split())

    @property
    def true_text(self) -> str:
        """What the true depth has where a length was said; else whether the answer is right."""
        if self.truth is None:
            return 'unknown'
        if self.truth.measured is not None:
            return metres(self.truth.measured)
        return {True: 'the same', False: 'otherwise', None: 'depth cannot tell'}[self.truth.agrees]

    @property
    def stamp_ns(self) -> int:
        """Stamp of the picture that was answered about, 0 if none was."""
        stamp = self.details['stamp']
        return int(stamp['sec'] * 1_000_000_000 + stamp['nanosec']) if stamp else 0

    @property
    def milliseconds(self) -> float:
        """From the question's receipt to the answer."""
        return float(self.details['latency_ms']['total'])

    @property
    def pixels(self) -> list[tuple[int, int]]:
        """Pixels (column, row) that the answer, or else its question, points at."""
        return [(int(column), int(row)) for column, row in (
            place['pixel'] for place in self.details['evidence'])]


@dataclass(frozen=True, eq=False)
class PlayedBag:
    """What came back for one bag."""

    name: str
    given: dict[str, float]
    """What the node was told about the camera: ``camera_height`` (m), ``camera_pitch``..."""
    sent: int
    answered: int
    rate_hz: float
    stages: dict[str, float]
    """Milliseconds per picture, as the node reports them."""
    pictures: tuple[AnsweredPicture, ...]
    """Those for which the bag has true depth."""
    asked: tuple[AskedQuestion, ...] = ()
    """What was asked meanwhile."""

    @property
    def latency_ms(self) -> float:
        """Milliseconds from a picture's arrival at the node to the end of publishing."""
        return self.stages['latency']

    def seconds(self, index: int) -> float:
        """Time of a picture in seconds after the first one."""
        return self.seconds_of(self.pictures[index].stamp_ns)

    def seconds_of(self, stamp_ns: int) -> float:
        """Time of a stamp in seconds after the first picture."""
        return (stamp_ns - self.pictures[0].stamp_ns) * 1e-9


Scores = dict[str, float]
"""``depth_metrics``, the share of ``points``, and the share ``within_sigma`` of those with depth
whose error is at most the uncertainty that came with it (68 % if that is right)."""


def score_by_label(pictures: Sequence[AnsweredPicture]) -> dict[str, Scores]:
    """Score each of ``LABEL_ROWS``."""
    points = _points(pictures)
    return {name: _scores(points, np.isin(points.label, labels))
            for name, labels in LABEL_ROWS.items()}


def score_by_range(pictures: Sequence[AnsweredPicture]) -> dict[str, Scores]:
    """Score intervals of true depth, named like ``5-10``."""
    points = _points(pictures)
    rows = {}
    for first, last in zip(_RANGES[:-1], _RANGES[1:], strict=True):
        chosen = (points.truth >= first) & (points.truth < last)
        if chosen.any():
            rows[f'{first:g}\N{EN DASH}{last:g}'] = _scores(points, chosen)
    return rows


class _Points(NamedTuple):
    """Depth, uncertainty and label that came back at all true points in range, arrays [N]."""

    depth: npt.NDArray[np.float32]
    sigma: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.float32]


def _points(pictures: Sequence[AnsweredPicture]) -> _Points:
    rows = [(sample(picture.depth, truth), sample(picture.uncertainty, truth),
             sample(picture.label, truth), truth[:, 2])
            for picture in pictures
            for truth in (picture.truth[picture.truth[:, 2] < MAX_RANGE],)]
    return _Points(*map(np.concatenate, zip(*rows, strict=True)))


def _scores(points: _Points, chosen: npt.NDArray[np.bool_]) -> Scores:
    depth, truth = points.depth[chosen], points.truth[chosen]
    finite = np.isfinite(depth)
    error = np.abs(depth[finite] - truth[finite])
    within = error <= points.sigma[chosen][finite]
    return {**depth_metrics(depth, truth, MAX_RANGE), 'points': float(np.mean(chosen)),
            'within_sigma': float(np.mean(within)) if within.size else math.nan}
