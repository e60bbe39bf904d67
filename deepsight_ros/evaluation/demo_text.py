"""What the demonstration says on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
import math
from typing import Final

from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.demo_scores import score_by_label
from deepsight_ros.evaluation.tables import percent
from deepsight_ros.evaluation.tables import text_table

LABEL_HEAD: Final = ('label', 'points', 'within 5 %', '10 %', '1 sigma', 'have depth')
INTRODUCTION: Final = (
    'Two drives, a street and a room, both rendered, are played over ROS 2 topics to the\n'
    'embodied_depth node. It sees pictures and camera_info; it sees no depth, no TF and no IMU.\n')
_AGREES: Final = {True: 'the depth image agrees', False: 'the depth image DISAGREES',
                  None: 'the depth image cannot tell'}

NEXT_STEPS: Final = """\
Look at      {report}
Your bag     deepsight replay BAG --out DIR          (try it with {bag})
Your camera  python -m deepsight_ros.ros.embodied_depth --ros-args -p camera_height:=1.2 \\
                 -r image:=/camera/image_rect -r camera_info:=/camera/camera_info"""


def given_text(name: str, pictures: int, given: Mapping[str, float]) -> str:
    """Say what the node gets to see and to know of a bag."""
    return f'{name}: {pictures} pictures. The node knows {camera_sentence(given)}.'


def camera_sentence(given: Mapping[str, float]) -> str:
    """Say how the camera is mounted, from the node's parameters."""
    # Adding zero turns -0.0 into 0.0.
    pitch, roll = (round(math.degrees(given[f'camera_{name}']), 1) + 0.0
                   for name in ('pitch', 'roll'))
    return (f'the mount of the camera: {given["camera_height"]:.2f} m above the ground, looking '
            f'{pitch:.1f}\N{DEGREE SIGN} down, rolled {roll:.1f}\N{DEGREE SIGN}')


def result_text(played: PlayedBag) -> str:
    """Say how fast and how well the node answered."""
    rows = [LABEL_HEAD, *label_rows(played)]
    return f'{speed_sentence(played)}\n\n{text_table(rows)}'


def speed_sentence(played: PlayedBag) -> str:
    """Say how many pictures were answered, at what rate and how soon."""
    return (f'{played.answered} of {played.sent} pictures answered at {played.rate_hz:.1f} Hz, '
            f'{played.latency_ms:.0f} ms after they arrived')


def questions_text(played: PlayedBag) -> str:
    """Say what was asked about a bag, what was answered, and what the true depth says."""
    lines = [f'{played.name}, asked over topics about the depth that came back:']
    for asked in played.asked:
        time = f'{played.seconds_of(asked.stamp_ns):.1f} s' if asked.stamp_ns else ''
        lines += [f'{time:>8}  {asked.details["question"]}', f'{"":8}  {asked.text}']
        if asked.details['status'] != 'ok':
            continue
        if asked.details['kind'] != 'unknown':  # else there is nothing to compare
            lines[-1] += (f'; true depth: {asked.true_text}; '
                          f'{_AGREES[asked.details["agrees_with_depth"]]}')
        lines[-1] += f'; {asked.milliseconds:.0f} ms'
    return '\n'.join(lines)


def label_rows(played: PlayedBag) -> list[list[str]]:
    """Return the rows of the table whose head is ``LABEL_HEAD``."""
    return [[name, *(percent(scores[key])
                     for key in ('points', 'within_5', 'within_10', 'within_sigma', 'coverage'))]
            for name, scores in score_by_label(played.pictures).items()]
