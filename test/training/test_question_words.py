"""Questions that need the ground are recognised by their words, in all wordings of the grammar."""

from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.questions import wordings_of
import pytest

from deepsight_ros.language.questions import asks_for_height
from deepsight_ros.language.questions import asks_for_the_way

SLOTS = {'place': '<loc:0.500,0.500>', 'x': '2.00 m', 'thing': 'chair', 'things': 'chairs',
         'a_thing': 'a chair', 'tall': 'tall', 'height': 'height', 'high': 'high',
         'room': 'corridor', 'c': '<loc:0.400,0.400>'}
ENDS = ({'a': '<loc:0.100,0.500>', 'b': '<region:0.900,0.500>'}, {'a': 'the chair', 'b': 'it'})
WAY = ('nearest_obstacle', 'safe', 'free_direction')
HEIGHT = ('place_height', 'above_below', 'size')


@pytest.mark.parametrize('family', FAMILIES)
def test_all_wordings(family):
    for wording in wordings_of(family, 'seen') + wordings_of(family, 'unseen'):
        # Places only where a family compares places.
        ends = ENDS if family == 'distance_between' else ENDS[family == 'left_right':][:1]
        for end in ends:
            text = wording.format(**SLOTS, **end)
            assert asks_for_the_way(text) == (family in WAY), text
            assert asks_for_height(text) == (family in HEIGHT), text
