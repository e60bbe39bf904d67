"""Command ``deepsight ask``: one answer, from a depth file or from the running nodes."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
import time
from typing import Any

from deepsight_ros.evaluation.argument_types import length
from deepsight_ros.evaluation.argument_types import seconds
from deepsight_ros.evaluation.argument_types import tilt
from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.perception.answer_details import answer_details
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.depth_files import DepthFileError
from deepsight_ros.perception.depth_files import read_camera
from deepsight_ros.perception.depth_files import read_depth
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.resources import find_bundle

NO_ANSWER = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deepsight ask``."""
    parser.add_argument('question', help='in words; pixels as (column, row)')
    parser.add_argument('--depth', type=Path, metavar='FILE',
                        help='.npy or .npz in metres, or 16-bit PNG in millimetres (default: ask '
                        'the running nodes)')
    parser.add_argument('--camera-info', type=Path, metavar='FILE',
                        help='YAML of its camera_info, or what camera_calibration wrote')
    parser.add_argument('--camera-height', type=length, metavar='M',
                        help='metres above the ground; obstacles and heights need it')
    parser.add_argument('--camera-pitch', type=tilt, default=0.0, metavar='RAD',
                        help='positive: looks down')
    parser.add_argument('--model', default='deepsight_nano', metavar='BUNDLE',
                        help='name or folder of the bundle that answers (default: %(default)s)')
    parser.add_argument('--namespace', default='', metavar='NS',
                        help='of the running nodes (default: none)')
    parser.add_argument('--patience', type=seconds, default=10.0, metavar='S',
                        help='longest wait for the running nodes in s (default: %(default)s)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all of the answer there')


def run(args: argparse.Namespace) -> int:
    """Ask, print, write JSON; 1 if there is no answer."""
    if (args.depth is None) != (args.camera_info is None):
        raise DepthFileError('--depth and --camera-info belong together: lengths follow from both')
    if args.depth is None:
        from deepsight_ros.ros.ask import ask_nodes
        details = ask_nodes(args.question, args.namespace, args.patience)
    else:
        details = _ask_file(args)
    print(answer_text(details))
    if args.json:
        write_json(args.json, details)
    return 0 if details['status'] == 'ok' else NO_ANSWER


def _ask_file(args: argparse.Namespace) -> dict[str, Any]:
    ground = None
    if args.camera_height is not None:
        ground = GroundPlane.from_height(args.camera_height, args.camera_pitch)
    frame = DepthFrame(read_depth(args.depth), read_camera(args.camera_info), ground,
                       no_ground='give --camera-height and --camera-pitch')
    answering = SpatialAnswering.load(find_bundle(args.model))
    started = time.monotonic()
    answer = answering.ask(frame, args.question)
    engine = answering.model.decoder.engine
    return answer_details(
        answer, None, None, model=f'{engine.manifest.name} {engine.manifest.version}',
        backend=engine.backend, total_s=time.monotonic() - started)


def answer_text(details: dict[str, Any]) -> str:
    """Return an answer's details for people: what was said, and what the depth image has."""
    if details['status'] != 'ok':
        return f'no answer ({details["status"]}): {details["error"]}'
    lines = [details['text']]
    if details['point'] is not None:
        column, row = details['evidence'][0]['pixel']
        side = 'left' if details['bearing_deg'] >= 0 else 'right'
        lines.append(f'depth image: {details["distance_m"]:.2f} m at ({column}, {row}), '
                     f'{math.fabs(details["bearing_deg"]):.0f} degrees {side}')
    agrees = {True: 'the depth image agrees', False: 'the depth image DISAGREES',
              None: 'not checked: the depth image cannot tell'}[details['agrees_with_depth']]
    lines.append(f'{agrees}; confidence {details["confidence"]:.2f}, '
                 f'{details["latency_ms"]["total"]:.0f} ms')
    return '\n'.join(lines)
