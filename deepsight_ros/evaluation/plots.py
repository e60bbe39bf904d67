"""Plots as SVG text, to be put into a page: lines over time, bars over categories."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
import math
from typing import Final

COLOURS: Final = ('#2563eb', '#f59e0b', '#10b981', '#ef4444')
_WIDTH, _HEIGHT = 620, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 40

Series = Mapping[str, Sequence[float]]
"""Values by the name in the legend; NaN leaves a gap."""


def line_plot(
    times: Sequence[float], series: Series, x_title: str, y_title: str, *, from_zero: bool = True,
) -> str:
    """Lines over ``times``."""
    frame = _Frame(_bounds(series, from_zero=from_zero), (min(times), max(times)))
    parts = [frame.y_axis(y_title), frame.x_axis(x_title), _legend(list(series))]
    for colour, values in zip(COLOURS, series.values(), strict=False):
        points = [(frame.x(t), frame.y(v)) for t, v in zip(times, values, strict=True)]
        parts.append(_polyline(points, colour))
    return _svg(parts, f'{y_title} over {x_title}')


def bar_plot(categories: Sequence[str], series: Series, x_title: str, y_title: str) -> str:
    """Groups of bars, one group per category."""
    frame = _Frame(_bounds(series, from_zero=True), (0.0, float(len(categories))))
    parts = [frame.y_axis(y_title), frame.categories(categories, x_title), _legend(list(series))]
    width = 0.8 / len(series)
    for index, (colour, values) in enumerate(zip(COLOURS, series.values(), strict=False)):
        for position, value in enumerate(values):
            if math.isnan(value):
                continue
            left = frame.x(position + 0.1 + index * width)
            right, top = frame.x(position + 0.1 + (index + 1) * width), frame.y(value)
            parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" '
                         f'height="{max(frame.y(0.0) - top, 0.0):.1f}" fill="{colour}"/>')
    return _svg(parts, f'{y_title} by {x_title}')


class _Frame:
    """The axes: maps values to pixels and draws ticks."""

    def __init__(self, y_range: tuple[float, float], x_range: tuple[float, float]) -> None:
        self._ticks = _nice_ticks(*y_range)
        self._y_range = self._ticks[0], self._ticks[-1]
        first, last = x_range
        self._x_range = first, last if last > first else first + 1.0

    def x(self, value: float) -> float:
        first, last = self._x_range
        return _LEFT + (value - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._y_range
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def y_axis(self, title: str) -> str:
        lines = [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{self.y(tick):.1f}" '
            f'y2="{self.y(tick):.1f}" class="grid"/>'
            f'<text x="{_LEFT - 6}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{tick:.6g}</text>'
            for tick in self._ticks]
        return ''.join(lines) + f'<text x="4" y="14" class="title">{escape(title)}</text>'

    def x_axis(self, title: str) -> str:
        ticks = [tick for tick in _nice_ticks(*self._x_range)
                 if self._x_range[0] <= tick <= self._x_range[1]]
        return self._below([(tick, f'{tick:.6g}') for tick in ticks], title)

    def categories(self, names: Sequence[str], title: str) -> str:
        return self._below([(index + 0.5, name) for index, name in enumerate(names)], title)

    def _below(self, labels: Sequence[tuple[float, str]], title: str) -> str:
        texts = [f'<text x="{self.x(position):.1f}" y="{_HEIGHT - _BOTTOM + 16}" '
                 f'text-anchor="middle">{escape(text)}</text>' for position, text in labels]
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        return ''.join(texts) + (f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle" '
                                 f'class="title">{escape(title)}</text>')


def _bounds(series: Series, *, from_zero: bool) -> tuple[float, float]:
    finite = [value for values in series.values() for value in values if not math.isnan(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if from_zero:
        low = min(low, 0.0)
    if high - low < 1e-9:
        low, high = low - 0.5 * abs(low) - 1e-3, high + 0.5 * abs(high) + 1e-3
    return low, high


def _nice_ticks(low: float, high: float) -> list[float]:
    """About five round numbers that enclose the interval."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.99)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _polyline(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Lines through the points, interrupted where y is NaN; lone points become dots."""
    runs: list[list[str]] = [[]]
    for x, y in points:
        if math.isnan(y):
            runs.append([])
        else:
            runs[-1].append(f'{x:.1f},{y:.1f}')
    parts = []
    for run in filter(None, runs):
        if len(run) == 1:
            x_text, y_text = run[0].split(',')
            parts.append(f'<circle cx="{x_text}" cy="{y_text}" r="2" fill="{colour}"/>')
        else:
            parts.append(f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" '
                         'stroke-width="1.8"/>')
    return ''.join(parts)


def _legend(names: Sequence[str]) -> str:
    x = _WIDTH - _RIGHT
    parts = []
    for name, colour in reversed(list(zip(names, COLOURS, strict=False))):
        x -= 7 * len(name) + 24
        parts.append(f'<rect x="{x}" y="6" width="10" height="10" fill="{colour}"/>'
                     f'<text x="{x + 14}" y="15">{escape(name)}</text>')
    return ''.join(parts)


def _svg(parts: Sequence[str], label: str) -> str:
    return (f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
            f'{"".join(parts)}</svg>')
