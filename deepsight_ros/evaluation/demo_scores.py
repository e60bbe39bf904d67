"""What came back over topics for a bag, against the bag's true depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.scoring import sample
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry.embodied_depth import Label

LABEL_ROWS: Final = {
    'road': (Label.ROAD,),
    'other ground': (Label.GROUND,),
    'standing on it': (Label.VERTICAL,),
    'filled': (Label.FILLED,),
    'everything': tuple(Label),
}
"""Rows of the table by label; each true point counts for what the label topic says there."""
_RANGES: Final = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)


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
    """One bag of the demonstration; ``stages`` are milliseconds per picture."""

    name: str
    given: dict[str, str]
    """What the node was told beside the pictures: parameters and their values."""
    sent: int
    answered: int
    rate_hz: float
    latency_ms: float
    stages: dict[str, float]
    pictures: tuple[AnsweredPicture, ...]
    """Those for which the bag has true depth."""


Scores = dict[str, float]


def score_by_label(pictures: Sequence[AnsweredPicture], max_range: float) -> dict[str, Scores]:
    """Return ``depth_metrics`` and the share of ``points`` for each of ``LABEL_ROWS``."""
    predicted, truth, label = _points(pictures, max_range)
    chosen = {name: np.isin(label, labels) for name, labels in LABEL_ROWS.items()}
    return {name: _scores(predicted[mask], truth[mask], len(truth), max_range)
            for name, mask in chosen.items()}


def score_by_range(pictures: Sequence[AnsweredPicture], max_range: float) -> dict[str, Scores]:
    """Return the same for intervals of true depth, named like ``5-10``."""
    predicted, truth, _ = _points(pictures, max_range)
    edges = [*(edge for edge in _RANGES if edge < max_range), max_range]
    rows = {}
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        mask = (truth >= first) & (truth < last)
        if mask.any():
            name = f'{first:g}\N{EN DASH}{last:g}'
            rows[name] = _scores(predicted[mask], truth[mask], len(truth), max_range)
    return rows


def _scores(
    predicted: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], total: int,
    max_range: float,
) -> Scores:
    metrics = depth_metrics(predicted, truth, max_range)
    return {**metrics, 'points': len(truth) / total if total else 0.0}


def _points(
    pictures: Sequence[AnsweredPicture], max_range: float,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Depth that came back, true depth and label of all true points in range."""
    rows = [(sample(picture.depth, truth), truth[:, 2], sample(picture.label, truth))
            for picture in pictures
            for truth in (picture.truth[picture.truth[:, 2] < max_range],)]
    predicted, depth, label = (np.concatenate(column) for column in zip(*rows, strict=True))
    return predicted, depth, label
