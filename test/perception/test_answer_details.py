from dataclasses import replace
import json
import math

from deepsight_ros.language.answers import parse_answer
from deepsight_ros.perception.answer_details import answer_details
from deepsight_ros.perception.answer_details import Source
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import unanswered
from deepsight_ros.perception.evidence import Evidence

KEYS = {
    'id', 'question', 'text', 'kind', 'value', 'unit', 'stamp', 'frame_id', 'frame_age_s',
    'distance_m', 'bearing_deg', 'point', 'evidence', 'agrees_with_depth', 'confidence',
    'latency_ms', 'tokens', 'model', 'backend', 'status', 'error'}
EVIDENCE = Evidence(((320, 410),), (2.0,), (0.1, 0.5, 2.0), 2.06, math.radians(-3.0), True)
ANSWER = SpatialAnswer(
    'how far?', '2.06 m at (320, 410)', parse_answer('2.06 m at <loc:0.5,0.5>'), EVIDENCE, 0.9, 5,
    0.010, 0.020, 0.012, 'ok')


def details(answer, source=None, identity='a'):
    found = answer_details(answer, identity, source, model='nano', backend='cpu', total_s=0.05)
    return json.loads(json.dumps(found, allow_nan=False))


def test_an_answer_has_all_keys():
    found = details(ANSWER, Source(3_000_000_005, 'camera', 0.125))
    assert found.keys() == KEYS
    assert found['stamp'] == {'sec': 3, 'nanosec': 5}
    assert (found['frame_id'], found['frame_age_s']) == ('camera', 0.125)
    assert (found['kind'], found['value'], found['unit']) == ('distance', 2.06, 'm')
    assert (found['distance_m'], found['bearing_deg']) == (2.06, -3.0)
    assert found['point'] == [0.1, 0.5, 2.0]
    assert found['evidence'] == [{'pixel': [320, 410], 'depth_m': 2.0}]
    assert found['latency_ms'] == {'encode': 10, 'prefill': 20, 'decode': 12, 'total': 50}
    assert (found['status'], found['error']) == ('ok', '')


def test_no_answer_has_all_keys_and_no_nan():
    found = details(unanswered('how far?', 'no_frame', 'no picture yet'), None, 7)
    assert found.keys() == KEYS
    assert (found['id'], found['kind'], found['value'], found['stamp']) == (
        7, 'unknown', None, None)
    assert (found['status'], found['error'], found['evidence']) == (
        'no_frame', 'no picture yet', [])
    odd = replace(ANSWER, confidence=math.nan, evidence=replace(EVIDENCE, distance=math.inf))
    found = details(odd, Source(0, '', None))
    assert (found['confidence'], found['distance_m'], found['frame_age_s']) == (None, None, None)


def test_the_sentence_tells_of_a_disagreement_and_of_errors():
    assert ANSWER.sentence == '2.06 m at (320, 410)'
    other = replace(ANSWER, evidence=replace(EVIDENCE, agrees=False, distance=4.0))
    assert other.sentence == '2.06 m at (320, 410); but the depth image has 4.00 m there'
    other = replace(ANSWER, evidence=replace(EVIDENCE, agrees=False, measured=0.5))
    assert other.sentence.endswith('has 0.50 m there'), 'a height is not the distance of its place'
    other = replace(ANSWER, text='nothing ahead', evidence=Evidence(agrees=False))
    assert other.sentence == 'nothing ahead; but the depth image says otherwise'
    for wanted, ending in (('8 m', 'but the depth image says no, 4.00 m ahead'),
                           ('1 m', 'but the depth image has 4.00 m ahead')):
        move = replace(ANSWER, question=f'safe to move {wanted}?', text='yes, 9.00 m ahead',
                       answer=parse_answer('yes, 9.00 m ahead'),
                       evidence=replace(EVIDENCE, agrees=False, measured=4.0))
        assert move.sentence == f'yes, 9.00 m ahead; {ending}'
    assert unanswered('?', 'stale', 'too old').sentence == 'no answer: too old'
