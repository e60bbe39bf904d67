"""What came back over topics for a bag, against the bag's true depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.scoring import sample
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry.embodied_depth import Label

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

    @property
    def latency_ms(self) -> float:
        """Milliseconds from a picture's arrival at the node to the end of publishing."""
        return self.stages['latency']

    def seconds(self, index: int) -> float:
        """Time of a picture in seconds after the first one."""
        return (self.pictures[index].stamp_ns - self.pictures[0].stamp_ns) * 1e-9


Scores = dict[str, float]


def score_by_label(pictures: Sequence[AnsweredPicture]) -> dict[str, Scores]:
    """Return ``depth_metrics`` and the share of ``points`` for each of ``LABEL_ROWS``."""
    predicted, truth, label = _points(pictures)
    chosen = {name: np.isin(label, labels) for name, labels in LABEL_ROWS.items()}
    return {name: _scores(predicted[mask], truth[mask], len(truth))
            for name, mask in chosen.items()}


def score_by_range(pictures: Sequence[AnsweredPicture]) -> dict[str, Scores]:
    """Return the same for intervals of true depth, named like ``5-10``."""
    predicted, truth, _ = _points(pictures)
    rows = {}
    for first, last in zip(_RANGES[:-1], _RANGES[1:], strict=True):
        mask = (truth >= first) & (truth < last)
        if mask.any():
            name = f'{first:g}\N{EN DASH}{last:g}'
            rows[name] = _scores(predicted[mask], truth[mask], len(truth))
    return rows


def _scores(
    predicted: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], total: int,
) -> Scores:
    metrics = depth_metrics(predicted, truth, MAX_RANGE)
    return {**metrics, 'points': len(truth) / total if total else 0.0}


def _points(
    pictures: Sequence[AnsweredPicture],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Depth that came back, true depth and label of all true points in range."""
    rows = [(sample(picture.depth, truth), truth[:, 2], sample(picture.label, truth))
            for picture in pictures
            for truth in (picture.truth[picture.truth[:, 2] < MAX_RANGE],)]
    predicted, depth, label = (np.concatenate(column) for column in zip(*rows, strict=True))
    return predicted, depth, label
