"""Scores, words and pictures of the demonstration, from answers whose errors are known."""

import math
import re

import numpy as np
import pytest

from deepsight_ros.evaluation.answer_pictures import COLOURS
from deepsight_ros.evaluation.answer_pictures import marked
from deepsight_ros.evaluation.demo_page import demo_page
from deepsight_ros.evaluation.demo_pictures import LABEL_COLOURS
from deepsight_ros.evaluation.demo_pictures import panels
from deepsight_ros.evaluation.demo_pictures import side_by_side
from deepsight_ros.evaluation.demo_scores import AnsweredPicture
from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.demo_scores import score_by_label
from deepsight_ros.evaluation.demo_scores import score_by_range
from deepsight_ros.evaluation.demo_text import result_text
from deepsight_ros.evaluation.report_pictures import ERROR_COLOURS
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry.embodied_depth import Label

CAMERA = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)


def answer(stamp_ns=0):
    """Two columns each: right and road, 8 % off and pavement, 30 % off and vertical, unknown."""
    rows, columns = np.mgrid[:CAMERA.height, :CAMERA.width]
    depth = np.full(rows.shape, 10.0, np.float32)
    truth = depth.copy()
    depth[:, 2:4] *= 1.08
    depth[:, 4:6] *= 1.3
    depth[:, 6:] = np.nan
    truth[0] = 30.0
    label = np.repeat(np.array([Label.ROAD, Label.GROUND, Label.VERTICAL, Label.NONE],
                               np.uint8), 2)
    points = np.stack([columns, rows, truth], axis=-1).reshape(-1, 3)
    return AnsweredPicture(
        stamp_ns, np.full((*rows.shape, 3), 90, np.uint8), CAMERA, depth,
        np.where(np.isfinite(depth), np.float32(1.0), np.nan).astype(np.float32),
        np.broadcast_to(label, rows.shape), np.zeros((*rows.shape, 3), np.uint8),
        points.astype(np.float32))


def played():
    given = {'camera_height': 1.5, 'camera_pitch': 0.05, 'camera_roll': -0.0}
    return PlayedBag('street', given, 3, 2, 9.5, {'decode': 1.0, 'latency': 20.0},
                     (answer(), answer(1_500_000_000)))


def test_scores_by_label():
    scores = score_by_label([answer()])
    right = 5 / 6  # the first row is farther away than what came back
    assert scores['road']['within_5'] == pytest.approx(right)
    assert (scores['other ground']['within_5'], scores['vertical']['within_10']) == (0, 0)
    assert scores['other ground']['within_10'] == pytest.approx(right)
    assert scores['everything']['coverage'] == pytest.approx(0.75)
    assert scores['everything']['points'] == 1
    assert scores['road']['points'] == 0.25
    assert math.isnan(scores['filled']['within_5'])
    # 0 m and 0.8 m are within one sigma of 1 m, 3 m is not.
    assert scores['everything']['within_sigma'] == pytest.approx(2 / 3 * right)


def test_scores_by_range():
    scores = score_by_range([answer(), answer()])
    assert list(scores) == ['10\N{EN DASH}20', '20\N{EN DASH}40']
    assert scores['20\N{EN DASH}40']['within_10'] == 0
    assert sum(row['points'] for row in scores.values()) == pytest.approx(1)


def test_words():
    text = result_text(played())
    assert '2 of 3 pictures answered at 9.5 Hz, 20 ms' in text
    assert [line for line in text.splitlines() if line.startswith('filled')][0].split() == [
        'filled', '0.0', '%', '-', '-', '-', '-']


def test_pictures_show_label_and_error():
    shown = panels(answer())
    assert list(shown) == ['camera', 'depth', 'label', 'error']
    tinted = {tuple(pixel) for pixel in shown['label'].reshape(-1, 3).tolist()}
    assert len(tinted) == 4
    strongest = shown['label'][3, 0].argmax()
    assert strongest == np.argmax(LABEL_COLOURS[Label.ROAD])
    green, amber, red = (colour for _, colour in ERROR_COLOURS)
    for column, colour in ((0, green), (2, amber), (4, red)):
        assert shown['error'][3, column].argmax() == np.argmax(colour)
    assert side_by_side(answer()).shape == (6, 4 * 8 + 3 * 8, 3)


def test_page_is_whole_and_says_what_the_node_knew():
    html = demo_page([played()])
    assert html.startswith('<!DOCTYPE html>')
    assert html.count('<img') == 1 + 2 * 4
    assert 'looking 2.9\N{DEGREE SIGN} down, rolled 0.0\N{DEGREE SIGN}' in html
    assert '2 of 3' in html
    assert 'error, 1.5 s' in html
    for tag in ('section', 'table', 'div', 'figure', 'p', 'span'):
        assert len(re.findall(f'<{tag}[ >]', html)) == html.count(f'</{tag}>'), tag


def test_places_are_ringed_and_lettered():
    image = np.full((120, 160, 3), 120, np.uint8)
    ringed = marked(image, [(40, 60)], True, {})
    assert tuple(ringed[60, 40]) == COLOURS[True]
    assert (image == 120).all()
    lettered = marked(image, [(40, 60)], True, {'A': (40, 60)})
    rows, columns = np.nonzero((lettered != ringed).any(-1))
    assert columns.min() > 40
    assert abs(rows.mean() - 60) < 6
