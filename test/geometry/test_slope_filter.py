"""What of a change of pitch is the mount's error, and what the slope of the road."""

import math

import numpy as np
import pytest

from deepsight_ros.geometry.slope_filter import SLOPE_SIGMA
from deepsight_ros.geometry.slope_filter import SlopeFilter

ONE = math.radians(1.0)


@pytest.mark.parametrize('mount', [0.0, 0.5, 2.0])
def test_one_picture_splits_by_the_variances(mount):
    slope, sigma = SlopeFilter(mount * SLOPE_SIGMA).update(ONE, 0.0)
    assert slope == pytest.approx(ONE / (1 + mount**2))
    assert sigma == pytest.approx(SLOPE_SIGMA * mount / math.hypot(1, mount), abs=1e-9)


def test_a_vague_change_says_little_about_the_slope():
    slope, sigma = SlopeFilter(0.0).update(ONE, 10 * SLOPE_SIGMA)
    assert 0 < slope < 0.02 * ONE
    assert sigma == pytest.approx(SLOPE_SIGMA, rel=0.01)


def test_what_stays_for_minutes_is_the_mount():
    slopes = SlopeFilter(2 * SLOPE_SIGMA)
    first, _ = slopes.update(2 * ONE, 0.1 * ONE)
    for _ in range(1200):
        slopes.predict(0.1)
        last, sigma = slopes.update(2 * ONE, 0.1 * ONE)
    assert first > 0.35 * ONE
    assert abs(last) < 0.15 * ONE
    assert sigma < 0.5 * SLOPE_SIGMA


def test_what_comes_and_goes_is_the_road():
    """A mount off by one degree on a road of hills, each half a minute long."""
    slopes, errors = SlopeFilter(2 * SLOPE_SIGMA), []
    for index in range(3000):
        road = ONE * math.sin(2 * math.pi * index / 300)
        slopes.predict(0.1)
        errors.append(slopes.update(ONE + road, 0.1 * ONE)[0] - road)
    assert np.abs(errors[2000:]).max() < 0.35 * ONE


def test_after_a_pause_the_road_may_have_any_slope():
    slopes = SlopeFilter(0.1 * SLOPE_SIGMA)
    slopes.update(ONE, 0.01 * ONE)
    slopes.predict(1e6)
    slope, _ = slopes.update(-ONE, 0.01 * ONE)
    assert slope == pytest.approx(-ONE, rel=0.03)
