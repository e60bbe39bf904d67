"""The page of the demonstration: what came back over topics, in pictures and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
import re
from typing import Final

import numpy as np

from deepsight_ros.evaluation.answer_pictures import COLOURS
from deepsight_ros.evaluation.answer_pictures import marked
from deepsight_ros.evaluation.demo_pictures import LABEL_COLOURS
from deepsight_ros.evaluation.demo_pictures import panels
from deepsight_ros.evaluation.demo_scores import AskedQuestion
from deepsight_ros.evaluation.demo_scores import MAX_RANGE
from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.demo_scores import score_by_label
from deepsight_ros.evaluation.demo_scores import score_by_range
from deepsight_ros.evaluation.demo_text import camera_sentence
from deepsight_ros.evaluation.demo_text import LABEL_HEAD
from deepsight_ros.evaluation.demo_text import label_rows
from deepsight_ros.evaluation.html_page import figures
from deepsight_ros.evaluation.html_page import grid
from deepsight_ros.evaluation.html_page import page
from deepsight_ros.evaluation.html_page import section
from deepsight_ros.evaluation.html_page import table
from deepsight_ros.evaluation.html_page import tiles
from deepsight_ros.evaluation.plots import bar_plot
from deepsight_ros.evaluation.report_pictures import colour_bar
from deepsight_ros.evaluation.report_pictures import ERROR_COLOURS
from deepsight_ros.evaluation.report_pictures import inline
from deepsight_ros.evaluation.report_pictures import MISSED_COLOUR
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.geometry.embodied_depth import Label

_SHOWN: Final = 4
_LETTERED: Final = re.compile(r'\b([A-D]) \((\d+), (\d+)\)')
"""Place that a question gives a letter."""
_LABEL_NAMES: Final = {
    Label.ROAD: 'road', Label.GROUND: 'other ground', Label.VERTICAL: 'vertical: as far as where '
    'it touches the ground', Label.FILLED: 'filled from around', Label.SKY: 'sky'}
_ERROR_NAMES: Final = ('within 5 %', 'within 10 %', 'beyond')
_SIGMA: Final = (
    'Within 1 sigma: the error is at most what topic <code>uncertainty</code> says, as it '
    'should be for 68 % of the points.')
_STAGES: Final = ('decode', 'segmentation', 'refinement', 'embodied', 'publish', 'latency')
_INTRODUCTION: Final = (
    'Metric depth from one ordinary camera. Each bag was played over ROS 2 topics, as fast as it '
    'was recorded but each picture after the answer to the last, to the '
    '<code>embodied_depth</code> node in a process of its own. Everything below is what came '
    'back. The node saw pictures and <code>camera_info</code> and was told how the camera is '
    'mounted. It saw no depth, no transforms and no IMU. Both scenes are rendered by this '
    'project, which is why the true depth is known at every pixel.')
_ASKED: Final = (
    'Asked over topics to the <code>spatial_language</code> node, which hears the depth above and '
    'sees no picture. Rings are where an answer, or else its question, points at; their colour '
    'says what the true depth has to say. Not a safety function.')
_RIGHT: Final = {True: 'right by the true depth', False: 'wrong',
                 None: 'depth cannot tell, or is not known there'}
_AGREES: Final = {True: 'agrees', False: 'disagrees', None: 'cannot tell'}
_EXPECTATION: Final = (
    'What to expect: the ground follows from the height of the camera. What stands on it is as '
    'far as its foot; where the foot is hidden, as that of a house behind a hedge, depth is a '
    'guess. The ground is taken for one plane, so a pavement 12 cm above the road, seen from '
    '1.5 m, comes out 8 % too far.')


def demo_page(played: Sequence[PlayedBag]) -> str:
    """Return the page as HTML that needs nothing else."""
    return page('deepsight demo', [
        f'<h1>deepsight demo</h1><p class="sub">{_INTRODUCTION}</p>',
        section('How to read the pictures', f'<p>{_EXPECTATION}</p>{_legends()}'),
        *(block for bag in played for block in _bag(bag))])


def _bag(played: PlayedBag) -> Iterable[str]:
    sentence = camera_sentence(played.given)
    yield f'<h1>{escape(played.name)}</h1><p class="sub">The node knew {escape(sentence)}.</p>'
    everything = score_by_label(played.pictures)['everything']
    yield tiles([
        (percent(everything['within_5']), 'of true points within 5 %'),
        (percent(everything['within_10']), 'within 10 %'),
        (percent(everything['coverage']), 'have a depth'),
        (f'{played.answered} of {played.sent}', 'pictures answered'),
        (f'{played.rate_hz:.1f} Hz', 'rate of the answers'),
        (f'{played.latency_ms:.0f} ms', 'from picture to depth')])
    if played.asked:
        yield section('Questions', _questions(played))
    yield section('Pictures', _pictures(played))
    ranges = score_by_range(played.pictures)
    shares = {title: [100 * scores[key] for scores in ranges.values()] for title, key in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'), ('have depth', 'coverage'))}
    yield grid([
        section('By label', table(LABEL_HEAD, label_rows(played)) + f'<p>{_SIGMA}</p>'),
        section('By distance', bar_plot(list(ranges), shares, 'true depth (m)', '% of points'))])
    yield section('Milliseconds per picture, as the node reports them', _times(played.stages))


def _times(stages: Mapping[str, float]) -> str:
    known = [name for name in _STAGES if name in stages]
    return table(known, [[f'{stages[name]:.1f}' for name in known]])


def _pictures(played: PlayedBag) -> str:
    count = len(played.pictures)
    chosen = np.linspace(0, count - 1, min(count, _SHOWN)).astype(int).tolist()
    return ''.join(
        figures((inline(picture), f'{name}, {played.seconds(index):.1f} s')
                for name, picture in panels(played.pictures[index]).items())
        for index in chosen)


def _questions(played: PlayedBag) -> str:
    rows = [[asked.details['question'], asked.text, asked.true_text,
             _AGREES[asked.details['agrees_with_depth']], f'{asked.milliseconds:.0f} ms']
            for asked in played.asked]
    head = ('question', 'answer', 'true depth', 'depth image', 'time')
    colours = {name: COLOURS[right] for right, name in _RIGHT.items()}
    shown = [_figure(played, asked) for asked in played.asked if asked.picture is not None]
    return (f'<p>{_ASKED}</p>{figures(shown)}<p>{_chips(colours)}</p>'
            f'<div class="texts">{table(head, rows)}</div>')


def _figure(played: PlayedBag, asked: AskedQuestion) -> tuple[str, str]:
    assert asked.picture is not None
    right = asked.truth.agrees if asked.truth is not None else None
    question = asked.details['question']
    letters = {letter: (int(column), int(row))
               for letter, column, row in _LETTERED.findall(question)}
    picture = marked(asked.picture.image, asked.pixels, right, letters)
    return inline(picture), (f'{played.seconds_of(asked.stamp_ns):.1f} s: '
                             f'{question} {asked.text}')


def _legends() -> str:
    labels = {name: LABEL_COLOURS[label] for label, name in _LABEL_NAMES.items()}
    errors = {name: colour for name, (_, colour) in zip(_ERROR_NAMES, ERROR_COLOURS, strict=True)}
    return (f'<p><b>depth</b>, topic <code>preview</code>; white is sky</p>{colour_bar(MAX_RANGE)}'
            f'<p><b>label</b>, where the depth of a pixel comes from<br>{_chips(labels)}</p>'
            '<p><b>error</b> against the true depth<br>'
            f'{_chips({**errors, "no depth": MISSED_COLOUR})}</p>')


def _chips(colours: Mapping[str, tuple[int, int, int]]) -> str:
    return ' '.join(f'<span class="chip"><i style="background: rgb{colour}"></i>{escape(name)}'
                    '</span>' for name, colour in colours.items())
