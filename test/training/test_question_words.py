"""Questions that need the ground are recognised by their words, in all wordings of the grammar."""

import re

from deepsight_training.instructions.questions import draw_wording
from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.questions import wordings_of
import numpy as np
import pytest

from deepsight_ros.language.questions import asks_for_height
from deepsight_ros.language.questions import asks_for_the_way
from deepsight_ros.language.refusals import asks_for_danger

SLOTS = {'place': '<loc:0.500,0.500>', 'x': '2.00 m', 'thing': 'chair', 'things': 'chairs',
         'a_thing': 'a chair', 'tall': 'tall', 'height': 'height', 'high': 'high',
         'room': 'corridor', 'c': '<loc:0.400,0.400>'}
ENDS = ({'a': '<loc:0.100,0.500>', 'b': '<region:0.900,0.500>'}, {'a': 'chair', 'b': 'table'})
WAY = ('nearest_obstacle', 'safe', 'free_direction')
HEIGHT = ('place_height', 'above_below', 'size')


DRAWS = 300
FALSE_ALARMS = 0.03
"""Share of the other sentences that may be taken for such a question: they are refused only where
the ground is unknown, while one that is missed would be answered by guessing."""


@pytest.mark.parametrize('family', FAMILIES)
def test_all_wordings(family):
    rng = np.random.default_rng(0)
    drawn = [draw_wording(rng, family, 'seen') for _ in range(DRAWS)]
    # Places only where a family compares places.
    ends = ENDS if family == 'distance_between' else ENDS[family == 'left_right':][:1]
    texts = [wording.format(**SLOTS, **end)
             for wording in (*drawn, *wordings_of(family, 'unseen')) for end in ends]
    for asks, families in ((asks_for_the_way, WAY), (asks_for_height, HEIGHT)):
        missed = [text for text in texts if not asks(text)]
        if family in families:
            assert not missed
        else:
            assert len(missed) >= (1 - FALSE_ALARMS) * len(texts)
    # How far is the straight line from the camera, which depth is not.
    if FAMILIES[family].category == 'distance':
        assert not [text for text in texts
                    if re.search(r'\bdepth\b(?! map| image| picture)', text)]
    assert not [text for text in texts
                if re.search(r'\b(\w+) \1\b|is the chair is', text, re.IGNORECASE)]
    if family == 'safe':
        assert not [text for text in texts if asks_for_danger(text)]


@pytest.mark.parametrize('family', FAMILIES)
def test_no_choice_of_a_seen_wording_is_an_unseen_one(family):
    for wording in wordings_of(family, 'seen'):
        parts = re.split(r'\[([^\]]*)\]', wording)
        pattern = ''.join(
            f'({"|".join(map(re.escape, part.split("|")))}) *' if i % 2 else
            re.escape(part.strip()) + ' *' for i, part in enumerate(parts))
        for unseen in wordings_of(family, 'unseen'):
            assert not re.fullmatch(pattern, unseen, re.IGNORECASE), wording
