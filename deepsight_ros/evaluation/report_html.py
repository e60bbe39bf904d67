"""The report of a replay as one HTML page that needs nothing else: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape
import math
from typing import Any
from typing import Final

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

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; background: #f3f4f6; margin: 0; }
main { max-width: 1320px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 18px; margin: 0 0 12px; }
.sub { color: #6b7280; margin: 2px 0 20px; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(560px, 1fr)); gap: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin-bottom: 16px; }
.tile, section { background: #fff; border: 1px solid #e5e7eb; border-radius: 8px;
  padding: 14px 16px; }
section { margin-bottom: 16px; } .grid section { margin: 0; }
.tile b { display: block; font-size: 24px; } .tile span { color: #6b7280; font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid #eef0f2; }
th:first-child, td:first-child { text-align: left; } th { color: #6b7280; font-weight: 600; }
td { white-space: nowrap; } .texts td { white-space: normal; overflow-wrap: anywhere; }
.pictures { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 8px;
  margin-bottom: 14px; }
figure { margin: 0; } figcaption { color: #6b7280; font-size: 13px; }
img { width: 100%; display: block; border-radius: 4px; }
.problem { background: #fef2f2; border-color: #fecaca; }
.bar { height: 12px; border-radius: 3px; max-width: 420px; }
.scale { display: flex; justify-content: space-between; max-width: 420px; color: #6b7280;
  font-size: 12px; }
svg { width: 100%; display: block; font: 12px system-ui, sans-serif; fill: #374151; }
svg .grid { stroke: #e5e7eb; } svg .title { fill: #6b7280; }
"""


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
        body.append('<section>The bag holds no depth topic or point cloud to compare with.'
                    '</section>')
    else:
        body += [_score_tables(summary), _score_plots(summary)]
    body += [_ground_plots(summary['over_time']), _pictures(summary, shown), _details(summary)]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<title>deepsight replay: {escape(summary["bag"])}</title><style>{_STYLE}</style>'
            f'</head><body><main>{"".join(body)}</main></body></html>\n')


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
    tiles = [(f'{timings["times_faster_than_recorded"]:.1f} x', 'faster than recorded')]
    if summary['metrics'] is not None:
        metrics, plane = summary['metrics'], summary['ground_plane']
        tiles = [(percent(metrics['within_5']), 'of points within 5 %'),
                 (percent(metrics['within_10']), 'of points within 10 %'),
                 (percent(metrics['coverage']), 'have a depth'),
                 (number(metrics['abs_rel']), 'mean relative error'), *tiles]
        if plane['frames']:
            tiles.insert(4, (f'{plane["pitch_deg"]["median"]:.2f}°', 'median pitch error'))
    cells = (f'<div class="tile"><b>{value}</b><span>{text}</span></div>' for value, text in tiles)
    return f'<div class="tiles">{"".join(cells)}</div>'


def _score_tables(summary: dict[str, Any]) -> str:
    metrics, steps = summary['metrics'], summary['by_step']
    rows = [step_row(title, steps[name]) for name, title in STEP_TITLES.items()]
    rows.append(['true ground that the ground mask finds', '', '', '',
                 percent(steps['ground_recall'])])
    ranges = [step_row(_range_name(row) + ' m', row) + [number(row['abs_rel'])]
              for row in summary['by_range']]
    head = ['points', 'within 5 %', 'within 10 %', 'coverage']
    return '<div class="grid">' + ''.join([
        _section('By step of the chain', _table(['', *head], rows)
                 + f'<p>{escape(plane_sentence(summary["ground_plane"]))}</p>'),
        _section('By range', _table(['depth', *head, 'abs_rel'], ranges)),
    ]) + '</div><p></p>' + _section(
        f'All points, mean over {summary["scored_frames"]} pictures',
        _table(list(metrics), [[number(value) for value in metrics.values()]]))


def _score_plots(summary: dict[str, Any]) -> str:
    ranges, rows = summary['by_range'], summary['over_time']
    names, times = [_range_name(row) for row in ranges], [row['time'] for row in rows]
    shares = {title: [100 * row[name] for row in ranges] for title, name in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'), ('coverage', 'coverage'))}
    over_time = {title: [100 * row[name] for row in rows] for title, name in (
        ('within 5 %', 'within_5'), ('within 10 %', 'within_10'))}
    error = {'mean relative error': [100 * row['abs_rel'] for row in ranges]}
    error_in_time = {'mean relative error': [100 * row['abs_rel'] for row in rows]}
    return '<div class="grid">' + ''.join([
        _section('Accuracy over range', bar_plot(names, shares, 'true depth (m)', '% of points')),
        _section('Error over range', bar_plot(names, error, 'true depth (m)', '%')),
        _section('Accuracy over time', line_plot(times, over_time, 'time (s)', '% of points')),
        _section('Error over time', line_plot(times, error_in_time, 'time (s)', '%')),
    ]) + '</div><p></p>'


def _ground_plots(rows: Sequence[dict[str, Any]]) -> str:
    times = [row['time'] for row in rows]
    angles = {name: [math.degrees(row[f'camera_{name}']) for row in rows]
              for name in ('pitch', 'roll')}
    height = {'height': [row['camera_height'] for row in rows]}
    return '<div class="grid">' + ''.join([
        _section('Camera over the ground: angles',
                 line_plot(times, angles, 'time (s)', 'degrees', from_zero=False)),
        _section('Camera over the ground: height',
                 line_plot(times, height, 'time (s)', 'm', from_zero=False)),
    ]) + '</div><p></p>'


def _pictures(summary: dict[str, Any], shown: Sequence[ShownFrame]) -> str:
    if not shown:
        return ''
    start = shown[0].stamp_ns
    max_range = summary['settings']['max_range']
    rows = ''.join(picture_row(frame, (frame.stamp_ns - start) * 1e-9, max_range)
                   for frame in shown)
    return _section('Pictures', colour_bar(max_range) + rows)


def _details(summary: dict[str, Any]) -> str:
    stages = summary['timings']['stages']
    timings = [[stage, f'{1000 * row["median"]:.2f}', f'{1000 * row["p95"]:.2f}']
               for stage, row in stages.items()]
    settings = [[name, str(value)] for name, value in summary['settings'].items() if value != '']
    topics = [[name, topic] for name, topic in summary['topics'].items()]
    return '<div class="grid">' + ''.join([
        _section('Milliseconds per picture',
                 _table(['stage', 'median', '95th percentile'], timings)),
        _section('Parameters', _table(['parameter', 'value'], settings)
                 + _table(['topic of the', 'bag'], topics)),
    ]) + '</div>'


def _section(title: str, content: str) -> str:
    return f'<section><h2>{escape(title)}</h2>{content}</section>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = ''.join(f'<th>{escape(cell)}</th>' for cell in head)
    lines = (''.join(f'<td>{escape(cell)}</td>' for cell in row) for row in rows)
    return f'<table><tr>{top}</tr>{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'


def _range_name(row: dict[str, Any]) -> str:
    return f'{row["from"]:g}–{row["to"]:g}'
