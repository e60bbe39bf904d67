"""Command ``deepsight replay``: a bag through the code of the nodes, and a report."""

from __future__ import annotations

import argparse
from contextlib import closing
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from deepsight_ros.evaluation.answer_tables import answers_text
from deepsight_ros.evaluation.bag_interview import BagInterview
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.evaluation.question_file import EVERY
from deepsight_ros.evaluation.question_file import read_questions
from deepsight_ros.evaluation.replay_run import replay_bag
from deepsight_ros.evaluation.replay_settings import LanguageSettings
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.replay_summary import summarise_replay
from deepsight_ros.evaluation.report_html import report_html
from deepsight_ros.evaluation.tables import score_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight replay``."""
    parser.add_argument('bag', type=Path, metavar='BAG', help='folder of a rosbag2, or its file')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR',
                        help='folder for report.json and report.html')
    parser.add_argument('--params', type=Path, metavar='YAML',
                        help='ROS parameter file of the nodes; image_topic, camera_info_topic, '
                        'depth_topic, points_topic and imu_topic choose '
                        'where the bag has several; depth_topic: none, points_topic: none if '
                        'they are not true')
    parser.add_argument('--questions', type=Path, metavar='FILE',
                        help='ask these questions along the bag and score the answers: one in '
                        f'each line, plain text, which is asked about every {EVERY}th picture, or '
                        'JSON, as on the topic question, with "every": N or "after": {"sec": ..., '
                        '"nanosec": ...}')
    parser.add_argument('--bag-out', type=Path, metavar='FILE',
                        help='write the outputs of the node to this new bag: a folder, or a '
                        'single file if it ends in .mcap')


def run(args: argparse.Namespace) -> int:
    """Replay, write the report, print its main numbers."""
    settings = ReplaySettings.from_file(args.params) if args.params else ReplaySettings()
    # A bag that cannot be replayed is refused before models are loaded and folders are made.
    with BagReader(args.bag) as bag:
        choose_topics(bag, settings)
    with ExitStack() as stack:
        interview = None
        if args.questions:
            language = (LanguageSettings.from_file(args.params) if args.params
                        else LanguageSettings())
            interview = stack.enter_context(closing(
                BagInterview.load(read_questions(args.questions), language)))
        args.out.mkdir(parents=True, exist_ok=True)
        replay = replay_bag(args.bag, settings, args.bag_out, interview)
    summary = summarise_replay(replay)
    write_json(args.out / 'report.json', summary)
    (args.out / 'report.html').write_text(report_html(summary, replay.shown), 'utf8')
    print(_overview(summary))
    print(f'\nreport: {args.out / "report.html"}')
    return 0


def _overview(summary: dict[str, Any]) -> str:
    topics = summary['topics']
    truth = topics.get('depth') or topics.get('points')
    if summary['scored_frames']:
        lines = [score_table(summary), '', f'compared with {truth}']
    elif truth:
        lines = [f'{summary["frames"]} frames; none has true depth on {truth}']
    else:
        lines = [f'{summary["frames"]} frames; there is no true depth to compare with']
    lines += [f'{kind} x {entry["count"]}: {entry["first"]}'
              for kind, entry in summary['failures'].items()]
    if summary['questions']:
        lines += ['', answers_text(summary)]
    return '\n'.join(lines)
