"""A page of HTML that needs nothing else: no scripts, no other files."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape
from typing import Final

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
section, .grid { margin-bottom: 16px; } .grid section { margin: 0; }
section { overflow-x: auto; }
.tile b { display: block; font-size: 24px; } .tile span { color: #6b7280; font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid #eef0f2; }
th:first-child, td:first-child { text-align: left; } th { color: #6b7280; font-weight: 600; }
th, td { white-space: nowrap; } td:first-child { white-space: normal; }
.texts td { white-space: normal; overflow-wrap: anywhere; }
.pictures { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 8px;
  margin-bottom: 14px; }
figure { margin: 0; } figcaption { color: #6b7280; font-size: 13px; }
img { width: 100%; display: block; border-radius: 4px; }
.chip { white-space: nowrap; margin-right: 16px; }
.chip i { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  margin-right: 6px; }
.problem { background: #fef2f2; border-color: #fecaca; }
.bar { height: 12px; border-radius: 3px; max-width: 420px; }
.scale { display: flex; justify-content: space-between; max-width: 420px; color: #6b7280;
  font-size: 12px; }
svg { width: 100%; display: block; font: 12px system-ui, sans-serif; fill: #374151; }
svg .grid { stroke: #e5e7eb; } svg .title { fill: #6b7280; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page of blocks of HTML."""
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<title>{escape(title)}</title><style>{_STYLE}</style>'
            f'</head><body><main>{"".join(body)}</main></body></html>\n')


def section(title: str, content: str) -> str:
    """Return a box with a heading around ``content`` (HTML)."""
    return f'<section><h2>{escape(title)}</h2>{content}</section>'


def tiles(cells: Iterable[tuple[str, str]]) -> str:
    """Return a row of large values with a small text below each."""
    boxes = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
             for value, text in cells)
    return f'<div class="tiles">{"".join(boxes)}</div>'


def grid(sections: Iterable[str]) -> str:
    """Return sections side by side where the window is wide enough."""
    return f'<div class="grid">{"".join(sections)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, the first column to the left."""
    top = ''.join(f'<th>{escape(cell)}</th>' for cell in head)
    lines = (''.join(f'<td>{escape(cell)}</td>' for cell in row) for row in rows)
    return f'<table><tr>{top}</tr>{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'


def figures(cells: Iterable[tuple[str, str]]) -> str:
    """Return pictures side by side, each a source and the text below it."""
    boxes = (f'<figure><img src="{source}" alt="{escape(text)}">'
             f'<figcaption>{escape(text)}</figcaption></figure>' for source, text in cells)
    return f'<div class="pictures">{"".join(boxes)}</div>'
