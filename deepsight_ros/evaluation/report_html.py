"""The report of a replay as one HTML page that needs nothing else: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
import math
from typing import Any

from deepsight_ros.evaluation.answer_tables import answer_sections
from deepsight_ros.evaluation.html_page import grid
from deepsight_ros.evaluation.html_page import page
from deepsight_ros.evaluation.html_page import section
from deepsight_ros.evaluation.html_page import table
from deepsight_ros.evaluation.html_page import tiles
from deepsight_ros.evaluation.plots import bar_plot
from deepsight_ros.evaluation.plots import line_plot
from deepsight_ros.evaluation.replay_run import ShownFrame
from deepsight_ros.evaluation.report_pictures import colour_bar
from deepsight_ros.evaluation.report_pictures import picture_row
from deepsight_ros.evaluation.tables import number
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.evaluation.tables import plane_sentence
from deepsight_ros.evaluation.tables import step_row
from deepsight_ros.evaluation.tables import STEP_TITLES


def report_html(summary: dict[str, Any], shown: Sequence[ShownFrame]) -> str:
    """Return the page for ``summarise_replay``'s result and some pictures."""
    body = [
        f'<h1>{escape(summary["bag"])}</h1><p class="sub">embodied depth, replayed by deepsight: '
        f'{summary["frames"]} pictures in {summary["duration"]:.1f} s, topic '
        f'{escape(summary["topics"]["image"])}</p>',
        _problems(summary['failures'], summary['warnings']),
        _tiles(summary),
    ]
    if summary['metrics'] is None:
        body.append('<section>There is no depth topic or point cloud to compare with.'
                    '</section>')
    else:
        body += [_score_tables(summary), _score_plots(summary)]
    if summary['questions']:
        body.append(answer_sections(summary))
    body += [_ground_plots(summary['over_time']), _pictures(summary, shown), _details(summary)]
    return page(f'deepsight replay: {summary["bag"]}', body)


def _problems(failures: dict[str, Any], warnings: dict[str, int]) -> str:
    lines = [f'<li><b>{escape(kind)}</b>, {entry["count"]} times; first: '
             f'{escape(entry["first"])}</li>' for kind, entry in failures.items()]
    lines += [f'<li>{escape(text)} ({count} times)</li>' for text, count in warnings.items()]
    if not lines:
        return ''
    kind = ' class="problem"' if failures else ''
    return f'<section{kind}><h2>Noticed</h2><ul>{"".join(lines)}</ul></section>'


def _tiles(summary: dict[str, Any]) -> str:
    timings = summary['timings']
    cells = [(f'{timings["times_faster_than_recorded"]:.1f} x', 'faster than recorded')]
    if summary['metrics'] is not None:
        metrics, plane = summary['metrics'], summary['ground_plane']
        cells = [(percent(metrics['within_5']), 'of points within 5 %'),
                 (percent(metrics['within_10']), 'of points within 10 %'),
                 (percent(metrics['coverage']), 'have a depth'),
                 (number(metrics['abs_rel']), 'mean relative error'), *cells]
        if plane['frames']:
            cells.insert(4, (f'{plane["pitch_deg"]["median"]:.2f}°', 'median pitch error'))
    return tiles(cells)


def _score_tables(summary: dict[str, Any]) -> str:
    metrics, steps = summary['metrics'], summary['by_step']
    rows = [step_row(title, steps[name]) for name, title in STEP_TITLES.items()]
    rows.append(['true ground that the ground mask finds', '', '', '',
                 percent(steps['ground_recall'])])
    ranges = [step_row(_range_name(row) + ' m', row) + [number(row['abs_rel'])]
              for row in summary['by_range']]
    head = ['points', 'within 5 %', 'within 10 %', 'coverage']
    return grid([
        section('By step of the chain', table(['', *head], rows)
                + f'<p>{escape(plane_sentence(summary["ground_plane"]))}</p>'),
        section('By range', table(['depth', *head, 'abs_rel'], ranges)),
    ]) + section(
        f'All points, mean over {summary["scored_frames"]} pictures',
        table(list(metrics), [[number(value) for value in metrics.values()]]))


def _score_plots(summary: dict[str, Any]) -> str:
    ranges = summary['by_range']
    # Depth is often recorded less often than pictures.
    rows = [row for row in summary['over_time'] if not math.isnan(row['coverage'])]
    names, times = [_range_name(row) for row in ranges], [row['time'] for row in rows]
    shares = {title: [100 * row[name] for row in ranges] for title, name in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'), ('coverage', 'coverage'))}
    over_time = {title: [100 * row[name] for row in rows] for title, name in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'))}
    error = {'mean relative error': [100 * row['abs_rel'] for row in ranges]}
    error_in_time = {'mean relative error': [100 * row['abs_rel'] for row in rows]}
    return grid([
        section('Accuracy over range', bar_plot(names, shares, 'true depth (m)', '% of points')),
        section('Error over range', bar_plot(names, error, 'true depth (m)', '%')),
        section('Accuracy over time', line_plot(times, over_time, 'time (s)', '% of points')),
        section('Error over time', line_plot(times, error_in_time, 'time (s)', '%')),
    ])


def _ground_plots(rows: Sequence[dict[str, Any]]) -> str:
    times = [row['time'] for row in rows]
    angles = {name: [math.degrees(row[f'camera_{name}']) for row in rows]
              for name in ('pitch', 'roll')}
    height = {'height': [row['camera_height'] for row in rows]}
    return grid([
        section('Camera over the ground: angles',
                line_plot(times, angles, 'time (s)', 'degrees', from_zero=False)),
        section('Camera over the ground: height',
                line_plot(times, height, 'time (s)', 'm', from_zero=False)),
    ])


def _pictures(summary: dict[str, Any], shown: Sequence[ShownFrame]) -> str:
    if not shown:
        return ''
    start = shown[0].stamp_ns
    max_range = summary['settings']['max_range']
    rows = ''.join(picture_row(frame, (frame.stamp_ns - start) * 1e-9, max_range)
                   for frame in shown)
    return section('Pictures', colour_bar(max_range) + rows)


def _details(summary: dict[str, Any]) -> str:
    stages = summary['timings']['stages']
    timings = [[stage, f'{1000 * row["median"]:.2f}', f'{1000 * row["p95"]:.2f}']
               for stage, row in stages.items()]
    settings = [[name, str(value)] for name, value in summary['settings'].items() if value != '']
    topics = [[name, topic] for name, topic in summary['topics'].items()]
    return grid([
        section('Milliseconds per picture',
                table(['stage', 'median', '95th percentile'], timings)),
        section('Parameters', f'<div class="texts">{table(["parameter", "value"], settings)}'
                f'{table(["topic", "in the bag"], topics)}</div>'),
    ])


def _range_name(row: dict[str, Any]) -> str:
    return f'{row["from"]:g}–{row["to"]:g}'
