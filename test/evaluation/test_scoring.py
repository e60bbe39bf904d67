"""Scores of the chain on a street whose depth is known."""

from dataclasses import replace
import math

import numpy as np
import pytest

from deepsight_ros.evaluation.datasets.frame import dense_to_points
from deepsight_ros.evaluation.scoring import FrameScorer
from deepsight_ros.evaluation.scoring import summarise
from deepsight_ros.evaluation.scoring import unproject
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import Label
from deepsight_ros.geometry import SceneClass
from deepsight_ros.perception.embodied_depth import EmbodiedDepth


@pytest.fixture
def result(street):
    """Embodied depth of the street from its true classes and ground."""
    classes = (street.image[..., 0] // 32).astype(np.uint8)
    pipeline = EmbodiedDepth(street.camera, lambda image: classes, refine_ground=False)
    return pipeline(street.image, street.ground)


def test_true_ground_scores_full(street, result):
    summary = summarise([FrameScorer(80.0)(result, dense_to_points(street.depth), street.ground)])
    assert summary['metrics']['within_5'] == summary['metrics']['coverage'] == 1.0
    assert all(summary['by_step'][name]['within_5'] == 1.0
               for name in ('road_on_ground', 'road', 'ground', 'scene'))
    assert summary['by_step']['ground_recall'] == 1.0
    assert summary['ground_plane']['pitch_deg']['median'] == pytest.approx(0, abs=0.01)
    points = np.count_nonzero(np.isfinite(street.depth))
    assert sum(row['points'] for row in summary['by_range']) == points


def test_things_in_the_road_mask_count_as_its_errors(street, result):
    """A third of the road is taken up by things at half the depth: not on the ground."""
    depth = street.depth.copy()
    depth[:, ::3] /= 2
    score = FrameScorer(80.0)(result, dense_to_points(depth), street.ground)
    assert score.steps['road']['within_10'] == pytest.approx(2 / 3, abs=0.02)
    assert score.steps['road_on_ground']['within_10'] > 0.99


def test_ground_that_the_mask_misses(street, result):
    half = result.classes.copy()
    half[:, half.shape[1] // 2:] = SceneClass.STRUCTURE
    score = FrameScorer(80.0)(
        replace(result, classes=half), dense_to_points(street.depth), street.ground)
    assert score.ground_recall['found'] == pytest.approx(0.5, abs=0.01)


def test_ground_that_geometry_finds_counts_as_found(street, result):
    """Half of the mask is vehicle; a third of the picture is ground seen under it."""
    half = result.classes.copy()
    half[:, half.shape[1] // 2:] = SceneClass.VEHICLE
    label = result.scene.label.copy()
    width = label.shape[1]
    label[:, width // 2:] = Label.VERTICAL
    label[:, -width // 3:] = Label.GROUND
    found = replace(result, classes=half, scene=replace(result.scene, label=label))
    score = FrameScorer(80.0)(found, dense_to_points(street.depth), street.ground)
    assert score.ground_recall['found'] == pytest.approx(1 / 2 + 1 / 3, abs=0.02)
    assert score.steps['ground']['within_5'] == 1.0


def test_known_labels_decide_what_is_ground(street, result):
    """The left half is something flat that is no ground, which points alone cannot tell."""
    labels = (street.image[..., 0] // 32).astype(np.uint8)
    labels[:, :96] = SceneClass.STRUCTURE
    scorer = FrameScorer(80.0, ground_is_exact=True)
    score = scorer(result, dense_to_points(street.depth), street.ground, labels)
    points = np.count_nonzero(np.isfinite(street.depth[:, 96:]))
    assert score.steps['road_on_ground']['points'] == points
    assert score.plane_error['height'] == 0.0


def test_wrong_plane_is_measured(street, result):
    wrong = replace(result, ground=GroundPlane.from_height(1.75, math.radians(2.0)))
    error = FrameScorer(80.0)(wrong, dense_to_points(street.depth), street.ground).plane_error
    assert error['pitch_deg'] == pytest.approx(2.0, abs=0.01)
    assert error['height'] == pytest.approx(0.10, abs=0.001)


def test_cap_and_crop(street, result):
    score = FrameScorer(10.0, 'garg')(result, dense_to_points(street.depth), street.ground)
    assert score.steps['scene']['points'] < np.count_nonzero(street.depth < 10)
    assert list(score.ranges)[-1][1] == 10.0


def test_no_truth_at_all(street, result):
    summary = summarise([FrameScorer(80.0)(result, np.empty((0, 3), np.float32), street.ground)])
    assert math.isnan(summary['metrics']['abs_rel'])
    assert summary['by_range'] == []


def test_unproject_inverts_projection(street):
    points = street.points()[::50]
    assert np.allclose(unproject(street.camera.project(points), street.camera), points)


def test_shares_of_a_recording_are_those_of_all_points(street, result):
    """A picture that shows a sliver of the ground, all of it wrong, weighs no more than that."""
    truth = dense_to_points(street.depth)
    scorer = FrameScorer(80.0)
    whole = scorer(result, truth, street.ground)
    few = truth[::10].copy()
    few[:, 2] *= 1.5
    sliver = scorer(result, few, street.ground)
    steps = [score.steps['scene'] for score in (whole, sliver)]
    right = sum(step['within_5'] * step['points'] for step in steps)
    summary = summarise([whole, sliver])
    assert summary['by_step']['scene']['within_5'] == pytest.approx(
        right / sum(step['points'] for step in steps))
    assert summary['by_step']['scene']['within_5'] > 0.8
    assert summary['metrics']['within_5'] == pytest.approx(
        (whole.metrics['within_5'] + sliver.metrics['within_5']) / 2)
