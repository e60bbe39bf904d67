"""Answers that are to another question than the one that was asked."""

import pytest

from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.refusals import asks_for_danger
from deepsight_ros.language.refusals import refuse

MOVE = 'yes, 2.00 m ahead'


@pytest.mark.parametrize(('text', 'opposite'), [
    ('will I hit something if I drive 1 m?', True), ('is the path blocked within 2 m?', True),
    ('is it dangerous to move 2 m?', True), ('is anything within 3 m ahead?', True),
    ('is there an obstacle within 3 m?', True), ('is there less than 3 m of free path?', True),
    ('is it not safe to move 1 m?', True), ('is there no room to move 3 m?', True),
    ('must I stop before 2 m?', True),
    ('can I drive 2 m without hitting anything?', False), ('is it safe to move 1 m?', False),
    ('is a move of 2 m collision-free?', False), ('can I go 2 m before I hit something?', False)])
def test_questions_whose_yes_means_danger(text, opposite):
    assert asks_for_danger(text) is opposite


@pytest.mark.parametrize(('question', 'answer', 'remedy'), [
    ('is it safe to move 1 m to the left?', MOVE, 'turn the camera'),
    ('can I reverse 0.5 m?', MOVE, 'turn the camera'),
    ('how far is the nearest obstacle behind me?', '2.00 m ahead', 'turn the camera'),
    ('is there an obstacle on my right?', 'no', 'turn the camera'),
    ('is it safe to move 1 m or 2 m?', MOVE, 'one length'),
    ('is it safe to move 60 in?', MOVE, 'one length'),
    ('is it safe to move 1,000 mm?', MOVE, 'one length'),
    ('is it safe to move 1 000 mm?', MOVE, 'one length'),
    ('is it safe to move 5 times 1 m?', MOVE, 'one length'),
    ('is it safe to move at 1 m per second?', MOVE, 'one length'),
    ('can a 0.4 m tall robot drive on?', MOVE, 'one length'),
    ('is it unsafe to move 1 m?', MOVE, 'the opposite'),
    ('is there no chair?', 'yes', 'without "not"'),
    ('is the gap ahead wider than 1 m?', MOVE, 'one length'),
    ('which is farther, A <loc:0.1,0.1> or B <loc:0.2,0.2>?', 'A', 'the nearest'),
    ('how far is the farthest wall?', '2.00 m', 'the nearest'),
    ('which is nearer?', 'higher', 'other words'),
    ('is the way to the right blocked?', 'left', 'yes or no'),
    ('is it safe here?', 'ground', 'yes or no')])
def test_what_would_mislead_is_refused(question, answer, remedy):
    with pytest.raises(LanguageError, match=remedy):
        refuse(question, parse_answer(answer))


@pytest.mark.parametrize(('question', 'answer'), [
    ('is it safe to move 1 m?', MOVE), ('is it safe to go on?', MOVE),
    ('is there any obstacle?', 'no'), ('is there a chair or not?', 'yes'),
    ('which is nearer, A or B, and which is farther?', 'A'),
    ('how much farther can I go?', '2.00 m ahead'), ('is the way free left or right?', 'left'),
    ('which way is free?', 'right'), ('is the chair higher or lower?', 'higher'),
    ('can you tell me what is there?', 'wall'), ('can you describe that thing?', 'chair'),
    ('is that higher than this?', 'higher'), ('which is in front and which behind?', 'A'),
    *((question, MOVE) for question in (
        'can I move 1 m without stopping?', 'is the next 1 m clear of furniture?',
        'can I move up to 1 m?', 'can I go 1 m down this corridor?', 'can robot #3 move 1 m?',
        'can I go right ahead for 1 m?', 'Q1: can R2D2 move 1 m?'))])
def test_what_was_asked_is_answered(question, answer):
    refuse(question, parse_answer(answer))
