"""Command ``deepsight evaluate qa``: score answers to a benchmark of questions."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from tqdm import tqdm

from deepsight_ros.evaluation.depth_reader import reader_scores
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.evaluation.qa_items import frames_of
from deepsight_ros.evaluation.qa_items import QaItem
from deepsight_ros.evaluation.qa_items import read_items
from deepsight_ros.evaluation.qa_scores import Reply
from deepsight_ros.evaluation.qa_scores import summarise
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.evaluation.tables import text_table
from deepsight_ros.evaluation.text_lines import text_lines
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.resources import find_bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight evaluate qa``."""
    parser.add_argument('--benchmark', required=True, type=Path, metavar='FILE',
                        help='questions as JSON lines; its depth images lie beside it')
    parser.add_argument('--model', required=True, metavar='NAME',
                        help='bundle of a language model, or answers of any model as JSON lines '
                        'with id and text')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the result there')


def run(args: argparse.Namespace) -> int:
    """Score, print a table and write JSON."""
    items = read_items(args.benchmark)
    model = Path(args.model)
    if model.is_file():
        replies = read_replies(model, items)
    else:
        replies = ask_bundle(find_bundle(args.model), args.benchmark.parent, items)
    summary = {'model': model.name, 'benchmark': args.benchmark.name,
               **summarise(items, replies),
               'read_off': reader_scores(frames_of(args.benchmark.parent, items))}
    print(qa_table(summary))
    if args.json:
        write_json(args.json, summary)
    return 0


def read_replies(path: Path, items: list[QaItem]) -> list[Reply]:
    """
    Read what a model said: JSON lines with ``id`` and ``text``, in any order.

    ``DatasetError`` when a question has no answer, or two.
    """
    texts: dict[int, str] = {}
    for number, line in text_lines(path):
        try:
            fields = json.loads(line)
            identity, text = int(fields['id']), str(fields['text'])
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f'{path}, line {number}: no JSON with id and text') from error
        if identity in texts:
            raise DatasetError(f'{path}, line {number}: question {identity} has an answer '
                               'already; leave one')
        texts[identity] = text
    missing = [item.id for item in items if item.id not in texts]
    if missing:
        raise DatasetError(f'{path} has no answer to {len(missing)} questions, such as '
                           f'{missing[0]}; every question counts')
    return [Reply(texts[item.id]) for item in items]


def ask_bundle(bundle: Path, folder: Path, items: list[QaItem]) -> list[Reply]:
    """Ask a bundle's language model; ``folder`` is where the benchmark lies."""
    answering = SpatialAnswering.load(bundle)
    answering.warm_up()
    replies: dict[int, Reply] = {}
    with tqdm(total=len(items), unit='question', disable=None) as bar:
        for frame, group in frames_of(folder, items):
            for item in group:
                said = answering.ask(frame, item.question)
                first = said.encode_s + said.prefill_s
                replies[item.id] = Reply(said.text, first, first + said.decode_s, said.tokens)
                bar.update()
    return [replies[item.id] for item in items]


def qa_table(summary: dict[str, Any]) -> str:
    """Return the scores as text, beside what blind guessing and reading the depth reach."""
    rows = [['question type', 'n', 'score', '', 'best constant', 'lower is nearer',
             'read off the depth']]
    for name, row in summary['categories'].items():
        metric = 'mra' if 'mra' in row else 'accuracy'
        blind = summary['blind'][name]
        rows.append([name, str(row['n']), percent(row[metric]), metric,
                     percent(blind['best_constant']),
                     percent(blind.get('lower_is_nearer', math.nan)),
                     percent(summary['read_off'].get(name, math.nan))])
    latency = summary['latency_ms']
    parts = [
        f'{summary["benchmark"]}: {summary["items"]} questions, {summary["model"]}',
        text_table(rows),
        f'macro accuracy {percent(summary["macro_accuracy"])} (without counting), '
        f'macro MRA {percent(summary["macro_mra"])}, refused {percent(summary["refused"])} of '
        f'what depth cannot tell, {percent(summary["false_refused"])} of the rest',
    ]
    if math.isfinite(latency['median']):
        parts.append(f'first token {latency["first_token"]:.0f} ms, answer '
                     f'{latency["median"]:.0f} ms (median), {latency["p95"]:.0f} ms (19 of 20), '
                     f'{summary["tokens_per_second"]:.0f} tokens/s')
    return '\n\n'.join(parts)
