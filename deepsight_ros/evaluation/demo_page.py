"""The page of the demonstration: what came back over topics, in pictures and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from deepsight_ros.evaluation.demo_pictures import LABEL_COLOURS
from deepsight_ros.evaluation.demo_pictures import panels
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
from deepsight_ros.evaluation.report_pictures import inline
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.geometry.embodied_depth import Label

_SHOWN: Final = 4
_CAPTIONS: Final = {
    'camera': 'camera', 'depth': 'depth (topic preview)', 'label': 'where it comes from (label)',
    'error': 'error: green within 5 %, amber 10 %, red beyond, blue no depth'}
_LABEL_NAMES: Final = {
    Label.ROAD: 'road', Label.GROUND: 'other ground', Label.VERTICAL: 'vertical, at the depth '
    'where it touches the ground', Label.FILLED: 'filled from around', Label.SKY: 'sky'}
_STAGES: Final = ('decode', 'segmentation', 'refinement', 'embodied', 'publish', 'latency')
_INTRODUCTION: Final = (
    'Metric depth from one ordinary camera. Each bag was played over ROS 2 topics, as fast as it '
    'was recorded, to the <code>embodied_depth</code> node in a process of its own; everything '
    'below is what came back. The node saw pictures and <code>camera_info</code> and was told how '
    'the camera is mounted. It saw no depth, no transforms and no IMU. Both scenes are rendered '
    'by this project, which is why the true depth is known at every pixel.')


def demo_page(played: Sequence[PlayedBag]) -> str:
    """Return the page as HTML that needs nothing else."""
    return page('deepsight demo', [
        f'<h1>deepsight demo</h1><p class="sub">{_INTRODUCTION}</p>',
        section('How to read the pictures', colour_bar(MAX_RANGE) + _label_legend()),
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
        (f'{played.rate_hz:.1f} Hz', 'as fast as recorded'),
        *((f'{played.stages[name]:.0f} ms', 'from picture to depth')
          for name in ('latency',) if name in played.stages)])
    yield section('Pictures', _pictures(played))
    ranges = score_by_range(played.pictures)
    shares = {title: [100 * scores[key] for scores in ranges.values()] for title, key in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'), ('have depth', 'coverage'))}
    times = [[name, f'{played.stages[name]:.1f}'] for name in _STAGES if name in played.stages]
    yield grid([
        section('By what the depth comes from', table(LABEL_HEAD, label_rows(played))
                + '<p></p>' + table(['on /diagnostics', 'ms per picture'], times)),
        section('By distance', bar_plot(list(ranges), shares, 'true depth (m)', '% of points'))])


def _pictures(played: PlayedBag) -> str:
    count = len(played.pictures)
    chosen = np.linspace(0, count - 1, min(count, _SHOWN)).astype(int).tolist()
    return ''.join(
        figures((inline(picture), f'{_CAPTIONS[name]}, {played.seconds(index):.1f} s'
                 if name == 'camera' else _CAPTIONS[name])
                for name, picture in panels(played.pictures[index]).items())
        for index in chosen)


def _label_legend() -> str:
    chips = (f'<span style="white-space:nowrap;margin-right:18px"><span style="display:inline-'
             f'block;width:12px;height:12px;border-radius:3px;background:rgb{LABEL_COLOURS[label]}'
             f'"></span> {escape(name)}</span>' for label, name in _LABEL_NAMES.items())
    return f'<p>{" ".join(chips)}</p>'
