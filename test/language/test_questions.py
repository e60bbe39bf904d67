"""Messages of the topic ``question``."""

import json

import pytest

from deepsight_ros.language.questions import asks_for_height
from deepsight_ros.language.questions import asks_for_the_way
from deepsight_ros.language.questions import Cancel
from deepsight_ros.language.questions import MAX_MESSAGE
from deepsight_ros.language.questions import MAX_QUESTION
from deepsight_ros.language.questions import Question
from deepsight_ros.language.questions import QuestionError
from deepsight_ros.language.questions import read_message


@pytest.mark.parametrize(('data', 'expected'), [
    ('how far is it?', Question('how far is it?')),
    ('  how far is it?\n', Question('how far is it?')),
    ('"quoted"', Question('"quoted"')),
    ('[1, 2]', Question('[1, 2]')),
    ('wie weit ist die Tür? \U0001f6aa', Question('wie weit ist die Tür? \U0001f6aa')),
    ('{"text": "where?"}', Question('where?')),
    (' {"id": 7, "text": "where?", "deadline_s": 0.5, "after": {"sec": 3, "nanosec": 5}}',
     Question('where?', 7, 0.5, 3_000_000_005)),
    ('{"id": null, "text": "where?", "deadline_s": null, "after": null}', Question('where?')),
    ('{"text": "where?", "deadline_s": -1}', Question('where?', None, -1.0)),
    ('{"text": "\\ud83d\\ude97?"}', Question('\U0001f697?')),
    ('{"cancel": "a"}', Cancel('a')), ('{"cancel": 0}', Cancel(0)),
])
def test_what_is_understood(data, expected):
    assert read_message(data) == expected


@pytest.mark.parametrize(('data', 'match'), [
    ('', 'is empty'), (' \n\t', 'is empty'), ('{"text": " "}', 'is empty'),
    ('x' * (MAX_QUESTION + 1), '1001 characters, at most 1000'),
    ('x' * (MAX_MESSAGE + 1), f'{MAX_MESSAGE + 1} characters, at most {MAX_MESSAGE}'),
    ('{"text": "where?"', 'starts like JSON but is none'),
    ('{"text": where}', 'starts like JSON but is none'),
    ('{"a":' * 4000, 'starts like JSON but is none'),
    ('{}', 'no text'), ('{"text": 3}', 'no text'), ('{"id": "a"}', 'no text'),
    ('{"text": "where?", "deadline": 1}', "'deadline', known are after, deadline_s, id, text"),
    ('{"text": "where?", "deadline_s": "soon"}', "deadline_s is 'soon'"),
    ('{"text": "where?", "deadline_s": NaN}', 'deadline_s is nan'),
    ('{"text": "where?", "deadline_s": true}', 'deadline_s is True'),
    ('{"text": "where?", "deadline_s": 2e9}', 'deadline_s is 2000000000.0, .* at most 1e'),
    (f'{{"text": "where?", "deadline_s": {"9" * 400}}}', 'deadline_s is 9999'),
    ('{"text": "where?", "after": {"sec": true, "nanosec": 0}}', 'must be {"sec"'),
    ('{"cancel": "a", "text": "where?"}', 'cancel stands beside other fields'),
    ('{"text": "where?", "after": 3}', 'after is 3, must be {"sec"'),
    ('{"text": "where?", "after": {"sec": 3}}', 'must be {"sec"'),
    ('{"text": "where?", "after": {"sec": -1, "nanosec": 0}}', 'must be {"sec"'),
    ('{"text": "where?", "after": {"sec": 1, "nanosec": 1000000000}}', 'must be {"sec"'),
    ('{"text": "where?", "id": [1]}', r'id is \[1\], must be a text or an integer'),
    ('{"text": "where?", "id": true}', 'id is true'),
    ('{"cancel": null}', 'cancel is null'), ('{"cancel": 1.5}', 'cancel is 1.5'),
    ('wo\ufffd?', 'not UTF-8'), ('{"text": "half \\ud83d"}', 'not UTF-8'),
    ('{"text": "where?", "id": "\\udc00"}', 'not UTF-8'),
])
def test_what_is_refused_says_why(data, match):
    with pytest.raises(QuestionError, match=match) as caught:
        read_message(data)
    assert len(caught.value.question) <= MAX_QUESTION
    json.dumps(caught.value.question).encode('utf8')


@pytest.mark.parametrize('more', ['"after": 3', '"deadline": 1'])
def test_a_refusal_carries_id_and_text_where_they_can_be_read(more):
    with pytest.raises(QuestionError) as caught:
        read_message(f'{{"id": "a", "text": "where?", {more}}}')
    assert (caught.value.id, caught.value.question) == ('a', 'where?')


def test_a_long_question_keeps_its_id():
    with pytest.raises(QuestionError, match='30000 characters') as caught:
        read_message(json.dumps({'id': 'a', 'text': 'x' * 30_000}))
    assert caught.value.id == 'a'


@pytest.mark.parametrize('text', [
    'how far is the nearest obstacle?', 'Is it safe to move 2 m forward?', 'Which way is free?',
    'Can the robot drive on?', 'IS IT SAFE'])
def test_questions_about_the_way(text):
    assert asks_for_the_way(text)
    assert not asks_for_height(text)


@pytest.mark.parametrize('text', [
    'How high is <loc:0.5,0.5>?', 'How far is <region:0.5,0.5> from the ground?',
    'Is <loc:0.1,0.1> above <loc:0.5,0.5>?', 'How tall is the chair?'])
def test_questions_about_heights(text):
    assert asks_for_height(text)
    assert not asks_for_the_way(text)


@pytest.mark.parametrize('text', [
    'How far is the stop sign?', 'How wide is the road?', 'Is the door open?',
    'How far is <loc:0.5,0.5>?', 'How far is the chair from the table?', 'What is this?',
    'How high is the room?', 'Is the floor wet?', 'How many chairs are there?'])
def test_other_questions(text):
    assert not asks_for_height(text)
    assert not asks_for_the_way(text)
