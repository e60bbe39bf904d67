"""Depth metrics against a second formulation: point by point, straight from the definitions."""

import math
import statistics

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.evaluation.metrics import average
from deepsight_ros.evaluation.metrics import depth_metrics
from deepsight_ros.evaluation.metrics import METRICS
from deepsight_ros.evaluation.metrics import metrics_by_range

CAP = 80.0
TRUTH = st.one_of(st.floats(0.01, 100), st.sampled_from([0.0, -1.0, math.nan]))
PREDICTION = st.one_of(
    st.floats(0.01, 200), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -3.0]))


def by_definition(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """The same metrics in scalars: exact sums, variances and base-10 logarithms."""
    scored = [(d, g) for d, g in pairs if 1e-3 < g < CAP]
    pairs = [(min(max(d, 1e-3), CAP), g) for d, g in scored if math.isfinite(d)]
    result = dict.fromkeys(METRICS, math.nan)
    if not scored:
        return result

    def share(hits: list[bool]) -> float:
        return sum(hits) / len(scored)

    for k in (1, 2, 3):
        result[f'd{k}'] = share([d / g < 1.25**k and g / d < 1.25**k for d, g in pairs])
    result['within_5'] = share([20 * abs(d - g) <= g for d, g in pairs])
    result['within_10'] = share([10 * abs(d - g) <= g for d, g in pairs])
    result['coverage'] = share([True for _ in pairs])
    if pairs:
        logs = [math.log(d) - math.log(g) for d, g in pairs]
        result['abs_rel'] = statistics.fmean(abs(d / g - 1) for d, g in pairs)
        result['sq_rel'] = statistics.fmean(d * d / g - 2 * d + g for d, g in pairs)
        result['rmse'] = math.dist(*zip(*pairs, strict=True)) / math.sqrt(len(pairs))
        result['rmse_log'] = math.hypot(*logs) / math.sqrt(len(logs))
        result['log10'] = statistics.fmean(
            abs(math.log10(d) - math.log10(g)) for d, g in pairs)
        result['silog'] = 100 * statistics.pstdev(logs)
    return result


@given(st.lists(st.tuples(PREDICTION, TRUTH), max_size=60))
def test_agrees_with_the_definitions(pairs):
    prediction, truth = np.array(pairs, np.float64).reshape(-1, 2).T
    expected = by_definition(pairs)
    assert depth_metrics(prediction, truth, CAP) == pytest.approx(
        expected, rel=1e-9, abs=1e-9, nan_ok=True)


@given(st.lists(st.tuples(PREDICTION, TRUTH), max_size=60))
def test_ranges_are_the_metrics_of_their_points(pairs):
    edges = [0.0, 5.0, 20.0, CAP]
    prediction, truth = np.array(pairs, np.float64).reshape(-1, 2).T
    rows = metrics_by_range(prediction, truth, edges)
    for first, last, row in zip(edges[:-1], edges[1:], rows, strict=True):
        inside = [(d, g) for d, g in pairs if first <= g < last]
        expected = by_definition(inside)
        assert row.pop('points') == len([g for _, g in inside if g > 1e-3])
        assert row == pytest.approx({name: expected[name] for name in row}, nan_ok=True)


def test_perfect_depth():
    depth = np.linspace(0.5, 70, 1000, dtype=np.float32)
    metrics = depth_metrics(depth, depth, CAP)
    assert [metrics[name] for name in METRICS] == [0.0] * 6 + [1.0] * 6


def test_a_pixel_without_depth_is_a_miss_but_no_error():
    metrics = depth_metrics(np.array([10.0, np.nan, np.inf]), np.array([10.0, 10, 10]), CAP)
    assert metrics['abs_rel'] == 0.0
    assert metrics['within_10'] == metrics['d1'] == metrics['coverage'] == pytest.approx(1 / 3)


def test_nothing_to_score():
    assert all(math.isnan(value)
               for value in depth_metrics(np.empty(0), np.empty(0), CAP).values())


def test_shapes_must_agree():
    with pytest.raises(ValueError, match='differ in shape'):
        depth_metrics(np.ones(3), np.ones(4), CAP)


def test_average_skips_pictures_without_a_value():
    rows = [{'a': 1.0, 'b': math.nan}, {'a': 3.0, 'b': 5.0}]
    assert average(rows) == {'a': 2.0, 'b': 5.0}
    assert math.isnan(average([{'a': math.nan}])['a'])
