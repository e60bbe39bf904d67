"""Scans as ground truth: projection, and points that the camera cannot see."""

from dataclasses import replace

import numpy as np

from deepsight_ros.evaluation.datasets.lidar import project_scan
from deepsight_ros.geometry import Camera

CAMERA = Camera(800, 400, 700.0, 700.0, 400.0, 200.0)


def test_point_lands_where_the_camera_sees_it():
    points = np.array([[1.0, -0.5, 10.0], [0.0, 0.0, -5.0], [50.0, 0.0, 10.0]], np.float32)
    assert np.allclose(project_scan(points, CAMERA), [[470.0, 165.0, 10.0]])


def test_offset_of_the_projection_matrix_counts():
    camera = replace(CAMERA, offset=(0.1, 0.0, 0.5))
    assert np.allclose(project_scan(np.array([[0.9, 0.0, 9.5]]), camera), [[470.0, 200.0, 10.0]])


def test_far_points_around_a_near_one_are_hidden():
    """A post at 5 m hides a wall at 30 m within a few pixels, not farther away."""
    wall = np.array([[x, 0.0, 30.0] for x in np.arange(-15, 15, 0.1)])
    seen = project_scan(np.vstack([wall, [[0.0, 0.0, 5.0]]]), CAMERA)
    far = seen[seen[:, 2] > 20]
    assert abs(far[:, 0] - 400).min() > 3
    assert abs(far[:, 0] - 400).min() < 20
    assert 5.0 in seen[:, 2]
    # Eigen et al. keep the nearest point of every pixel, and all of those.
    wall[:, 0] += 0.01
    kept = project_scan(np.vstack([wall, wall * 2, [[0.0, 0.0, 5.0]]]), CAMERA, hide=False)
    assert sorted({*kept[:, 2].tolist()}) == [5.0, 30.0] and abs(kept[:, 0] - 400).min() < 0.5


def test_the_ground_hides_nothing_of_itself():
    points = np.array([[x, 1.65, z] for z in np.geomspace(4, 70, 300) for x in (-1, -0.5, 0, 0.5)])
    assert len(project_scan(points, CAMERA)) == np.count_nonzero(
        1.65 / points[:, 2] * 700 + 200 < 399.5)
