"""Newest wins, and nothing is left running."""

from threading import active_count
from threading import Event

from deepsight_ros.ros.worker import LatestWorker

PATIENCE = 10.0


def test_newest_item_wins_and_the_others_are_counted():
    done, started, go = [], Event(), Event()

    def work(item):
        started.set()
        assert go.wait(PATIENCE)
        done.append(item)
        if item == 9:
            last.set()

    last = Event()
    worker = LatestWorker(work, name='test')
    worker.submit(0)
    assert started.wait(PATIENCE)
    for item in range(1, 10):
        worker.submit(item)
    go.set()
    assert last.wait(PATIENCE)
    worker.stop()
    assert done == [0, 9]
    assert worker.dropped == 8


def test_stop_finishes_the_item_in_work_and_drops_the_waiting_one():
    threads = active_count()
    done, started, go = [], Event(), Event()

    def work(item):
        started.set()
        assert go.wait(PATIENCE)
        done.append(item)

    worker = LatestWorker(work, name='test')
    worker.submit('in work')
    assert started.wait(PATIENCE)
    worker.submit('waits')
    go.set()
    worker.stop()
    assert done in (['in work'], ['in work', 'waits'])
    assert active_count() == threads


def test_worker_that_never_worked_stops():
    LatestWorker(print, name='test').stop()
