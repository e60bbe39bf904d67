"""``deepsight ask`` without files: another process would do the same over the same topics."""

from concurrent.futures import ThreadPoolExecutor

from language_peer import PLACE
import pytest

from deepsight_ros.ros.ask import ask_nodes
from deepsight_ros.ros.ask import AskError


def test_the_running_node_is_asked(language_peer):
    peer = language_peer
    peer.start_node()
    peer.connect()
    peer.show()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask_nodes, PLACE, '', 15.0)
        peer.wait_until(asked.done, 'answer')
    details = asked.result()
    assert (details['status'], details['question']) == ('ok', PLACE)
    assert details['stamp']['sec'] == 100


def test_nobody_to_ask():
    with pytest.raises(AskError, match='no node listens to /nowhere/question; start'):
        ask_nodes('how far?', 'nowhere', 0.1)
