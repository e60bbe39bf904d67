"""Scores of embodied depth against ground truth: overall, per step of the chain, over range."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.crops import inside_crop
from deepsight_ros.evaluation.metrics import average
from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.metrics import metrics_by_range
from deepsight_ros.evaluation.true_ground import fit_near_plane
from deepsight_ros.evaluation.true_ground import FLOOR_TOLERANCE
from deepsight_ros.evaluation.true_ground import MIN_POINTS
from deepsight_ros.evaluation.true_ground import on_ground
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import GROUP_OF_CLASS
from deepsight_ros.geometry import SceneGroup
from deepsight_ros.geometry.embodied_depth import Label
from deepsight_ros.perception.embodied_depth import EmbodiedResult

STEPS: Final = ('road_on_ground', 'road', 'ground_on_ground', 'ground', 'scene')
"""Rows of ``by_step``: road mask where the truth itself finds ground, road mask, the same two for
road and other ground (floors are no road), everything."""
_RANGES: Final = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0)
_MAX_STEP_POINTS: Final = 40_000
"""Dense truth is thinned to so many points where the ground has to be found in it."""

Points = npt.NDArray[np.float32]
Scores = dict[str, float]


@dataclass(frozen=True)
class FrameScore:
    """
    Scores of one picture.

    ``steps`` hold ``depth_metrics``, ``ranges`` hold ``metrics_by_range``, both with the number
    of ``points``; ``ground_recall`` has the share ``found`` of true ground by the ground mask, NaN
    if none is visible, and the number of its ``points``; ``plane_error`` has ``pitch_deg`` and
    ``roll_deg`` (degrees) and ``height`` (m) of the plane used minus the one fitted to the truth,
    NaN likewise.
    """

    metrics: Scores
    steps: dict[str, Scores]
    ranges: dict[tuple[float, float], Scores]
    ground_recall: Scores
    plane_error: Scores


class FrameScorer:
    """Scores frames up to ``max_depth`` metres inside the crop of this name."""

    def __init__(
        self, max_depth: float, crop: str = 'none', *, ground_is_exact: bool = False,
    ) -> None:
        """
        Remember what is scored.

        ``ground_is_exact``: the prior for the ground is the true plane of a flat floor, as in
        data sets with poses; otherwise the true one is fitted to the true points.
        """
        self.max_depth = max_depth
        self.crop = crop
        self._ground_is_exact = ground_is_exact
        self._edges = [*(edge for edge in _RANGES if edge < max_depth), max_depth]
        self._ranges = list(zip(self._edges[:-1], self._edges[1:], strict=True))

    def __call__(
        self, result: EmbodiedResult, truth: Points, prior: GroundPlane,
        labels: npt.NDArray[np.uint8] | None = None,
    ) -> FrameScore:
        """
        Score ``result`` against ``truth`` [N, 3] (column, row, depth in metres).

        ``prior`` is the true ground, or says where to look for it; it is not the estimate.
        ``labels`` [H, W] are the true ``SceneClass`` ids if they are known.
        """
        depth = result.scene.depth
        truth = truth[inside_crop(truth, self.crop, *depth.shape)]
        truth = truth[truth[:, 2] < self.max_depth]
        predicted = sample(depth, truth)
        steps, recall, error = self._by_step(result, truth, predicted, prior, labels)
        return FrameScore(
            depth_metrics(predicted, truth[:, 2], self.max_depth), steps,
            dict(zip(self._ranges, metrics_by_range(predicted, truth[:, 2], self._edges),
                     strict=True)), recall, error)

    def _by_step(
        self, result: EmbodiedResult, truth: Points, predicted: npt.NDArray[Any],
        prior: GroundPlane, labels: npt.NDArray[np.uint8] | None,
    ) -> tuple[dict[str, Scores], Scores, Scores]:
        thinned = slice(None, None, -(-len(truth) // _MAX_STEP_POINTS) or None)
        truth, predicted = truth[thinned], predicted[thinned]
        flat, plane = self._true_ground(truth, result.scene.camera, prior, labels)
        # Enlarged as the chain does it: a border that moves by a pixel would count as misses.
        classes = cv2.resize(result.classes, result.scene.camera.size,
                             interpolation=cv2.INTER_NEAREST_EXACT)
        road, ground = _flat_groups(sample(classes, truth))
        label = sample(result.scene.label, truth)
        ground |= label == Label.GROUND  # Under vehicles geometry finds what the network does not.
        # What the chain filled inside a ground mask is no ground depth: a miss.
        by_ground = np.where(label <= Label.GROUND, predicted, np.nan)
        chosen = {
            'road_on_ground': (road & flat, by_ground), 'road': (road, by_ground),
            'ground_on_ground': (ground & flat, by_ground), 'ground': (ground, by_ground),
            'scene': (np.ones(len(truth), bool), predicted)}
        steps = {name: self._scores(values[mask], truth[mask, 2])
                 for name, (mask, values) in chosen.items()}
        visible = int(np.count_nonzero(flat))
        found = float(np.mean(ground[flat])) if visible >= MIN_POINTS else math.nan
        recall = {'found': found, 'points': float(visible)}
        return steps, recall, _plane_error(result.ground, plane)

    def _true_ground(
        self, truth: Points, camera: Camera, prior: GroundPlane,
        labels: npt.NDArray[np.uint8] | None,
    ) -> tuple[npt.NDArray[np.bool_], GroundPlane | None]:
        """Which points lie on the ground, and the plane below the camera if it can be known."""
        points = unproject(truth, camera)
        if not self._ground_is_exact:
            plane = fit_near_plane(points, prior)
            return on_ground(points, plane or prior), plane
        if labels is not None:
            return _flat_groups(sample(labels, truth))[1], prior
        return on_ground(points, prior, FLOOR_TOLERANCE), prior

    def _scores(
        self, predicted: npt.NDArray[Any], depth: npt.NDArray[np.float32],
    ) -> Scores:
        return {**depth_metrics(predicted, depth, self.max_depth), 'points': float(len(depth))}


def summarise(scores: list[FrameScore]) -> dict[str, Any]:
    """
    Scores of a recording: ``metrics``, ``by_step``, ``by_range`` and ``ground_plane``.

    ``metrics`` are means over the pictures, as the field has it. Where pictures have few points
    or none of a kind, as of the steps and ranges, each counts by its points: the shares are those
    of all points.
    """
    by_step: dict[str, Any] = {
        name: _summary([score.steps[name] for score in scores]) for name in STEPS}
    by_step['ground_recall'] = _summary([score.ground_recall for score in scores])['found']
    by_range = [
        {'from': first, 'to': last, **_summary([score.ranges[first, last] for score in scores])}
        for first, last in scores[0].ranges]
    return {
        'metrics': average(score.metrics for score in scores),
        'by_step': by_step,
        'by_range': [row for row in by_range if row['points']],
        'ground_plane': _plane_summary([score.plane_error for score in scores]),
    }


def sample(image: npt.NDArray[Any], points: Points) -> npt.NDArray[Any]:
    """Values [N] of an image [H, W] at points [N, 3] (column, row, ...), the nearest pixel's."""
    column = np.rint(points[:, 0]).astype(np.int64)
    row = np.rint(points[:, 1]).astype(np.int64)
    values: npt.NDArray[Any] = image[row, column]
    return values


def unproject(points: Points, camera: Camera) -> npt.NDArray[np.float64]:
    """Points [N, 3] in metres in the optical frame, from column, row and depth."""
    column, row, z = points.astype(np.float64).T
    return np.stack([(column - camera.cx) / camera.fx * z, (row - camera.cy) / camera.fy * z, z],
                    axis=1)


def _flat_groups(
    classes: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which classes are road, and which are road or other ground."""
    group = GROUP_OF_CLASS[classes]
    road = group == SceneGroup.ROAD
    return road, road | (group == SceneGroup.OTHER_GROUND)


def _plane_error(used: GroundPlane, true: GroundPlane | None) -> Scores:
    if true is None:
        return {'pitch_deg': math.nan, 'roll_deg': math.nan, 'height': math.nan}
    return {'pitch_deg': math.degrees(used.pitch - true.pitch),
            'roll_deg': math.degrees(used.roll - true.roll), 'height': used.height - true.height}


def _summary(rows: list[Scores]) -> dict[str, Any]:
    weights = [row['points'] for row in rows]
    means = average(({name: value for name, value in row.items() if name != 'points'}
                     for row in rows), weights)
    return {'points': int(sum(weights)), **means}


def _plane_summary(errors: list[Scores]) -> dict[str, Any]:
    """Median and 90th percentile of the absolute errors; the number of frames that show ground."""
    summary: dict[str, Any] = {}
    for name in ('pitch_deg', 'roll_deg', 'height'):
        values = np.abs([error[name] for error in errors if not math.isnan(error[name])])
        summary['frames'] = len(values)
        summary[name] = {
            'median': float(np.median(values)) if len(values) else math.nan,
            'p90': float(np.percentile(values, 90)) if len(values) else math.nan}
    return summary
