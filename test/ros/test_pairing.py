"""Which camera_info goes with which picture."""

import pytest
from ros_peer import camera_info
from ros_peer import image
from ros_peer import stamp_of

from deepsight_ros.ros import pairing
from deepsight_ros.ros.pairing import Pairing


def pairs_of(*messages, exact):
    """Stamps of the pairs that come out of a sequence of messages."""
    result = []
    pairs = Pairing(lambda picture, info: result.append(
        (stamp_of(picture), info and stamp_of(info))), exact=exact)
    for message in messages:
        add = pairs.add_info if hasattr(message, 'k') else pairs.add_picture
        add(message)
    return result


def test_cached_info_serves_all_pictures():
    assert pairs_of(camera_info(1), image(1), image(2), camera_info(3), image(3),
                    exact=False) == [(1, 1), (2, 1), (3, 3)]


def test_first_picture_waits_for_its_info():
    assert pairs_of(image(1), camera_info(5), image(2), exact=False) == [(1, 5), (2, 5)]


def test_exact_pairs_in_any_order():
    assert pairs_of(image(1), camera_info(1), camera_info(2), image(2), camera_info(4), image(3),
                    image(4), exact=True) == [(1, 1), (2, 2), (4, 4)]


def test_exact_waits_for_infos_that_are_late():
    late = [m for stamp in range(1, 9) for m in (image(stamp + 5), camera_info(stamp))]
    assert pairs_of(*map(image, range(1, 6)), *late, exact=True) == [(n, n) for n in range(1, 9)]


@pytest.mark.parametrize('messages', [
    [*map(image, range(1, 14))], [*map(image, range(1, 5)), camera_info(4)]])
def test_exact_counts_what_it_gives_up(messages):
    pairs = Pairing(lambda picture, info: None, exact=True)
    for message in messages:
        (pairs.add_info if hasattr(message, 'k') else pairs.add_picture)(message)
    assert pairs.unpaired == 3


def test_picture_without_info_is_handed_on_after_a_while(monkeypatch):
    monkeypatch.setattr(pairing, 'GRACE', -1.0)
    for exact in (False, True):
        assert pairs_of(image(1), image(2), image(3), exact=exact) == [(1, None), (2, None)]


def test_old_infos_are_forgotten():
    infos = [camera_info(stamp) for stamp in range(1, 12)]
    assert pairs_of(*infos, image(1), image(11), exact=True) == [(11, 11)]
