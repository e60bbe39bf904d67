from concurrent.futures import ThreadPoolExecutor
import math
import time

import pytest

from deepsight_ros.language.questions import Question
from deepsight_ros.ros.question_queue import Asked
from deepsight_ros.ros.question_queue import QuestionQueue


def asked(name, after_ns=None, deadline=math.inf):
    return Asked(Question('where?', name, None, after_ns), name, time.monotonic(), deadline)


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_questions_are_taken_in_order_and_beyond_the_bound_refused():
    queue = QuestionQueue(3)
    assert [queue.put(asked(name)) for name in 'abcd'] == [True, True, True, False]
    assert [queue.take().id for _ in 'abc'] == ['a', 'b', 'c']
    assert len(queue) == 0


def test_a_question_for_a_later_picture_lets_others_pass():
    queue = QuestionQueue(9)
    for item in (asked('later', after_ns=5), asked('now'), asked('soon', after_ns=3)):
        queue.put(item)
    assert queue.take().id == 'now'
    queue.see(3)
    assert queue.take().id == 'soon'
    queue.see(6)
    assert queue.take().id == 'later'


def test_who_waits_for_a_picture_keeps_nobody_out():
    queue = QuestionQueue(2)
    assert [queue.put(asked(name, after_ns=5)) for name in 'abc'] == [True, True, False]
    assert [queue.put(asked(name)) for name in 'def'] == [True, True, False]
    assert queue.take().id == 'd'


def test_take_waits_for_a_question_a_picture_or_a_deadline(thread):
    queue = QuestionQueue(9)
    taken = thread.submit(queue.take)
    queue.put(asked('a'))
    assert taken.result(5).id == 'a'
    taken = thread.submit(queue.take)
    queue.put(asked('b', after_ns=7))
    queue.see(7)
    assert taken.result(5).id == 'b'
    deadline = time.monotonic() + 0.05
    queue.put(asked('c', after_ns=8, deadline=deadline))
    assert queue.take().id == 'c'
    assert time.monotonic() >= deadline


def test_cancel_takes_waiting_questions_out_and_flags_the_one_in_work():
    queue = QuestionQueue(9)
    for name in 'aba':
        queue.put(asked(name))
    current = queue.take()
    removed, in_work = queue.cancel(lambda item: item.id == 'a')
    assert [item.id for item in removed] == ['a']
    assert in_work
    assert current.cancelled.is_set()
    other = queue.take()
    assert (other.id, other.cancelled.is_set()) == ('b', False)
    assert queue.cancel(lambda item: item.id == 'a') == ([], False)


def test_close_ends_take_and_returns_what_is_left(thread):
    queue = QuestionQueue(9)
    taken = thread.submit(queue.take)
    assert queue.close() == []
    assert taken.result(5) is None
    assert not queue.put(asked('late'))
    queue = QuestionQueue(9)
    queue.put(asked('a', after_ns=1))
    assert [item.id for item in queue.close()] == ['a']
    assert queue.take() is None
