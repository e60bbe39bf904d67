"""Command ``deepsight bench``: speeds on this machine beside those of plain implementations."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from datetime import timezone
from importlib.util import find_spec
import os
from pathlib import Path
import platform

import cv2
import onnxruntime

from deepsight_ros.benchmarks.drive import read_drive
from deepsight_ros.benchmarks.engine_rows import engine_row
from deepsight_ros.benchmarks.language_rows import language_rows
from deepsight_ros.benchmarks.perception_rows import perception_rows
from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.evaluation.tables import text_table
from deepsight_ros.resources import find_bundle
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import ResourceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight bench``."""
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the table to this file')
    parser.add_argument('--seconds', type=float, default=10.0,
                        help='length of each of the three runs of the node, and limit of each '
                        'other comparison (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write it."""
    cv2.setNumThreads(1)
    bundle, bag = find_bundle('scene_segmentation_nano'), find_sample_bag('street')
    rows = perception_rows(bundle, read_drive(bag), args.seconds)
    rows.append(engine_row(min(args.seconds, 1.0)))
    missing = []
    try:
        language = find_bundle('deepsight_nano')
        rows += language_rows(language, bag, args.seconds)
    except ResourceError as error:
        language = None
        missing.append(f'no answers were measured: {error}')
    if find_spec('rclpy') is not None:
        from deepsight_ros.ros.node_rows import node_rows
        rows += node_rows(bundle, args.seconds, language, bag)
    else:
        missing.append('no node was measured: rclpy is not installed; `deepsight doctor` names '
                       'the command that installs it')
    print('\n'.join([bench_table(rows), '', *missing]).rstrip())
    if args.json is not None:
        write_json(args.json, {
            'machine': machine(), 'date': datetime.now(timezone.utc).isoformat('T', 'seconds'),
            'rows': [row.as_json() for row in rows]})
    return 0


def machine() -> str:
    """Return what the numbers were measured on: processor and the libraries that count."""
    cpu = platform.processor() or platform.machine()
    information = Path('/proc/cpuinfo')
    if information.is_file():
        names = [line.partition(':')[2].strip() for line in
                 information.read_text('utf8').splitlines() if line.startswith('model name')]
        cpu = names[0] if names else cpu
    return (f'{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, '
            f'ONNX Runtime {onnxruntime.__version__}, OpenCV {cv2.__version__}')


def bench_table(rows: Sequence[Row]) -> str:
    """Return machine, rows, and what each baseline is, as text."""
    cells = [['', 'value', 'baseline', 'ratio', 'unit'], *(
        [row.name, _number(row.value), _number(row.baseline), _number(row.ratio), row.unit]
        for row in rows)]
    width = max(len(row.name) for row in rows)
    notes = [f'{row.name.ljust(width)}  {row.plain}' for row in rows]
    return '\n'.join([machine(), '', text_table(cells), '',
                      'Baselines, measured in the same run:', *notes])


def _number(value: float | None) -> str:
    if value is None:
        return '-'
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'
