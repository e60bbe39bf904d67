"""The ground as the true points show it."""

import numpy as np
import pytest

from deepsight_ros.evaluation.true_ground import fit_near_plane
from deepsight_ros.evaluation.true_ground import on_ground
from deepsight_ros.geometry import GroundPlane

PRIOR = GroundPlane.from_height(1.65)


@pytest.fixture
def road():
    """Road points [N, 3] of a slightly pitched and rolled camera, with 2 cm of noise."""
    random = np.random.default_rng(1)
    x, z = random.uniform(-8, 8, 5000), random.uniform(4, 50, 5000)
    a, b, c = GroundPlane.from_height(1.7, 0.02, -0.01).normal
    y = (1.7 - a * x - c * z) / b + random.normal(0, 0.02, 5000)
    return np.stack([x, y, z], axis=1)


@pytest.fixture
def cars(road):
    """Points [N, 3] up to 1.5 m above the road, over a third of it."""
    random = np.random.default_rng(2)
    return road[:1700] - np.outer(random.uniform(0.3, 1.5, 1700), [0, 1, 0])


def test_plane_is_found_under_traffic(road, cars):
    plane = fit_near_plane(np.vstack([road, cars]), PRIOR)
    assert plane.height == pytest.approx(1.7, abs=0.01)
    assert plane.pitch == pytest.approx(0.02, abs=1e-3)
    assert plane.roll == pytest.approx(-0.01, abs=2e-3)


def test_cars_do_not_lie_on_the_ground(road, cars):
    points = np.vstack([road, cars])
    flat = on_ground(points, fit_near_plane(points, PRIOR))
    assert flat[:len(road)].mean() > 0.99
    assert flat[len(road):].mean() < 0.01


def test_a_hill_is_ground(road):
    """The road bends by 1 % from 15 m on: 30 cm at 45 m."""
    hill = road - np.outer(0.01 * np.maximum(road[:, 2] - 15, 0), [0, 1, 0])
    flat = on_ground(hill, fit_near_plane(hill, PRIOR))
    assert flat.mean() > 0.98


@pytest.mark.parametrize('points', [
    np.empty((0, 3)),
    np.random.default_rng(3).normal([0, -5, 10], 1, (500, 3)),
    np.random.default_rng(4).normal([0, 1.65, 5], [0.2, 0.01, 0.2], (500, 3)),
], ids=['none', 'above the camera', 'a patch too small to be tilted'])
def test_no_plane(points):
    assert fit_near_plane(points, PRIOR) is None


def test_no_points_no_ground():
    assert on_ground(np.empty((0, 3)), PRIOR).shape == (0,)
