"""Counting pictures that did not come."""

import pytest

from deepsight_ros.ros import frame_statistics
from deepsight_ros.ros.frame_statistics import FrameStatistics

PERIOD = 33_333_333


def missing_of(indices, jitter=0):
    statistics = FrameStatistics()
    for index in indices:
        statistics.receive(index * PERIOD + (jitter if index % 2 else -jitter))
    return statistics.report().missing


@pytest.mark.parametrize('jitter', [0, PERIOD // 8])
def test_regular_stamps_have_no_gaps(jitter):
    assert missing_of(range(100), jitter) == 0


def test_gaps_are_counted_in_pictures():
    assert missing_of([*range(20), *range(23, 40), *range(45, 60)]) == 3 + 5


def test_half_of_the_pictures_lost():
    arrived = [index for index in range(300) if index % 10 < 5]
    assert missing_of(arrived) == pytest.approx(150, abs=10)


def test_slower_camera_is_not_taken_for_loss_for_long():
    assert missing_of([*range(30), *range(30, 300, 3)]) < 40


def test_a_pause_is_no_loss():
    assert missing_of([*range(20), *range(120, 140)]) == 0


@pytest.mark.parametrize(('period', 'wait', 'silent'), [
    (0.1, 0.9, False), (0.1, 1.1, True), (1.6, 4.7, False), (1.6, 4.9, True)])
def test_silence_is_long_for_this_camera(monkeypatch, period, wait, silent):
    now = 0.0
    monkeypatch.setattr(frame_statistics.time, 'monotonic', lambda: now)
    statistics = FrameStatistics()
    for index in range(9):
        now += period
        statistics.receive(index)
    now += wait
    assert statistics.report().silent == silent


def test_jump_back_and_repeated_stamps():
    statistics = FrameStatistics()
    for stamp in (*range(20), 19, 19, *range(5, 30)):
        statistics.receive(stamp * PERIOD)
    report = statistics.report()
    assert (report.received, report.missing, report.jumps) == (47, 0, 1)


def test_times_are_means_since_the_last_report():
    statistics = FrameStatistics()
    for publish in (1.0, 3.0):
        statistics.publish({'publish': publish})
    assert statistics.report().seconds == {'publish': 2.0}
    report = statistics.report()
    assert (report.published, report.rate_hz, report.seconds) == (2, 0.0, {})
