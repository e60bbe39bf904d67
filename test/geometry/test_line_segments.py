"""Line segments of drawn pictures, and what they say about the horizon."""

import math

import cv2
import numpy as np
import pytest

from deepsight_ros.geometry.line_segments import find_line_segments
from deepsight_ros.geometry.vanishing_point import horizon_log_likelihood
from deepsight_ros.geometry.vanishing_point import Lines

ROWS = -np.tan(np.radians(np.linspace(-4.5, 4.5, 91)))
COLUMNS = (-0.9, 0.9)


def bar(angle, length=120.0, width=12.0):
    """A bright bar of this angle (degrees) about (100.3, 80.7), with soft edges."""
    direction = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    normal = np.array([-direction[1], direction[0]])
    places = np.stack(np.meshgrid(np.arange(200), np.arange(160)), axis=-1) - (100.3, 80.7)
    inside = np.minimum(length / 2 - np.abs(places @ direction),
                        width / 2 - np.abs(places @ normal))
    return (60 + 140 * np.clip(inside + 0.5, 0, 1)).astype(np.uint8), direction, normal


@pytest.mark.parametrize('angle', [0.0, 17.0, 22.5, 45.0, 67.5, 80.0, 90.0, 131.0, 163.0])
def test_both_edges_of_a_bar_are_found(angle):
    grey, direction, normal = bar(angle)
    segments = find_line_segments(grey)
    long = segments.take(segments.length > 60)
    assert len(long) == 2
    turned = np.degrees(np.abs(long.direction @ normal))
    assert turned.max() < 0.5
    across = np.sort((long.middle - (100.3, 80.7)) @ normal)
    assert across == pytest.approx([-6.0, 6.0], abs=0.6)


def test_masked_and_flat_edges_are_left_out():
    grey, _, _ = bar(10.0)
    assert len(find_line_segments(grey, np.zeros_like(grey))) == 0
    assert len(find_line_segments(grey, np.full_like(grey, 255))) > 0
    assert (find_line_segments(grey, min_slope=0.5).length > 60).sum() == 0


def test_circles_and_empty_pictures_have_no_long_lines():
    grey = np.full((160, 200), 60, np.uint8)
    assert len(find_line_segments(grey)) == 0
    cv2.circle(grey, (100, 80), 30, 200, -1, cv2.LINE_AA)
    assert find_line_segments(grey).length.max(initial=0) < 40


def lines_through(x, y, slopes, on_ground=0.3):
    """Lines below a point, one for each slope dx/dy."""
    below = np.array(slopes)[:, None] * [1.0, 0.0] + [0.0, 1.0]
    count = len(below)
    return Lines(np.array([x, y]) + 0.2 * below, below / np.linalg.norm(below, axis=1)[:, None],
                 np.full(count, 0.002), np.full(count, on_ground))


@pytest.mark.parametrize('pitch', [-3.0, 0.4, 2.0])
def test_the_horizon_is_where_lines_meet(pitch):
    row = -math.tan(math.radians(pitch))
    likelihood = horizon_log_likelihood(
        lines_through(0.1, row, [-2.0, -1.0, -0.3, 0.5, 1.2, 2.0]), ROWS, COLUMNS)
    assert np.linspace(-4.5, 4.5, 91)[np.argmax(likelihood)] == pytest.approx(pitch, abs=0.11)
    assert likelihood.max() > 10


def test_a_line_drawn_twice_counts_once():
    slopes = [-2.0, -1.0, -0.3, 0.5, 1.2, 2.0]
    once = horizon_log_likelihood(lines_through(0.0, 0.0, slopes), ROWS, COLUMNS)
    twice = horizon_log_likelihood(lines_through(0.0, 0.0, 2 * slopes), ROWS, COLUMNS)
    assert twice.max() == pytest.approx(once.max(), rel=0.05)


def test_lines_above_the_point_or_outside_the_columns_do_not_count():
    upright = lines_through(0.0, 0.0, [-2.0, -1.0, 0.5, 1.2])
    above = Lines(-upright.middle, upright.direction, upright.direction_sigma, upright.on_ground)
    assert horizon_log_likelihood(above, ROWS, COLUMNS).max() == 0
    aside = lines_through(2.0, 0.0, [-2.0, -1.0, 0.5, 1.2])
    assert horizon_log_likelihood(aside, ROWS, COLUMNS).max() == 0


@pytest.mark.parametrize('count', [0, 1])
def test_too_few_lines_say_nothing(count):
    few = lines_through(0.0, 0.0, [-1.0, 1.0]).take(np.arange(count))
    assert not horizon_log_likelihood(few, ROWS, COLUMNS).any()
