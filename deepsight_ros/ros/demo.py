"""Command ``deepsight demo``: the sample bags through the real node over real topics."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import signal

import cv2
import numpy as np

from deepsight_ros.evaluation.demo_page import demo_page
from deepsight_ros.evaluation.demo_pictures import side_by_side
from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.demo_text import given_text
from deepsight_ros.evaluation.demo_text import INTRODUCTION
from deepsight_ros.evaluation.demo_text import NEXT_STEPS
from deepsight_ros.evaluation.demo_text import questions_text
from deepsight_ros.evaluation.demo_text import result_text
from deepsight_ros.resources import find_bundle
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import ResourceError
from deepsight_ros.resources import SAMPLE_BAGS
from deepsight_ros.ros.child_process import own_graph
from deepsight_ros.ros.demo_run import DemoRun

SAVED = 5
"""Pictures of each bag that are written side by side."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight demo``."""
    parser.add_argument('--out', type=Path, default=Path('deepsight_demo'), metavar='DIR',
                        help='folder for report.html, pictures and logs (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Play the bags one after the other; say, draw and write what came back."""
    # Children end when this process unwinds, which it would not do at SIGTERM by itself.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bundle, language = find_bundle('scene_segmentation_nano'), find_language()
    bags = [find_sample_bag(name) for name in SAMPLE_BAGS]
    os.environ.update(own_graph())
    print(INTRODUCTION)
    played = []
    for bag in bags:
        demo = DemoRun(bag, bundle, args.out / bag.name, language)
        print(given_text(bag.name, demo.pictures, demo.given), flush=True)
        result = demo.play()
        print(result_text(result) + '\n', flush=True)
        if result.asked:
            print(questions_text(result) + '\n', flush=True)
        save_pictures(result, args.out / bag.name)
        played.append(result)
    report = args.out / 'report.html'
    report.write_text(demo_page(played), 'utf8')
    print(NEXT_STEPS.format(report=report, bag=bags[0]))
    return 0


def find_language() -> Path | None:
    """Return the bundle that answers; None, and one line that says so, if it is missing."""
    try:
        return find_bundle('deepsight_nano')
    except ResourceError as error:
        print(f'No questions are asked: {error}\n')
        return None


def save_pictures(played: PlayedBag, folder: Path) -> None:
    """Write some pictures of a bag as PNG, spread over its time."""
    count = len(played.pictures)
    for index in np.linspace(0, count - 1, min(count, SAVED)).astype(int):
        picture = side_by_side(played.pictures[index])
        path = folder / f'{played.seconds(index):04.1f}s.png'
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
