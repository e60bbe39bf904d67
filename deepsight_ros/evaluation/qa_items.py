"""
``depthqa``: questions about depth images as JSON lines, with the fields of VSI-Bench and more.

VSI-Bench's: ``id``, ``dataset``, ``scene_name``, ``question_type``, ``question``,
``ground_truth`` (text; metres or pieces for numbers), ``options`` (null if open). Ours:
``category``, ``kind`` (as in ``answer/details``), ``unit``, ``places`` ([u, v] in 0..1, where to
look) and ``frame``: ``depth`` (an .npz beside the file, array ``depth`` [H, W], metres, NaN where
nothing was measured), ``camera`` (fx, fy, cx, cy in pixels), ``ground`` (normal and height, null
where unknown) and ``robot`` (width, height, min_obstacle_height).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any
from typing import get_args
import zipfile

import numpy as np

from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.evaluation.text_lines import text_lines
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.answers import Kind
from deepsight_ros.perception.evidence import DepthFrame


@dataclass(frozen=True)
class QaItem:
    """One question with its right answer."""

    id: int
    dataset: str
    scene_name: str
    question_type: str
    category: str
    kind: Kind
    question: str
    ground_truth: str
    unit: str
    options: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    frame: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the item's line."""
        fields = asdict(self)
        return json.dumps({**fields, 'options': list(self.options) or None}, allow_nan=False)


def read_items(path: Path) -> list[QaItem]:
    """Read a benchmark; ``DatasetError`` names the line that is none of its items."""
    if not path.is_file():
        raise DatasetError(f'{path} is no file; --benchmark names a file of JSON lines')
    items: dict[int, QaItem] = {}
    for number, line in text_lines(path):
        item = _item(path, number, line)
        if item.id in items:
            raise DatasetError(f'{path}, line {number}: there is an item {item.id} already; '
                               'number the items, as answers are found by id')
        items[item.id] = item
    if not items:
        raise DatasetError(f'{path} holds no questions')
    return list(items.values())


def _item(path: Path, number: int, line: str) -> QaItem:
    try:
        fields = json.loads(line)
        places = tuple((float(u), float(v)) for u, v in fields.get('places') or ())
        item = QaItem(
            int(fields['id']), str(fields['dataset']), str(fields['scene_name']),
            str(fields['question_type']), str(fields.get('category', '')), fields['kind'],
            str(fields['question']), str(fields['ground_truth']), str(fields.get('unit', '')),
            tuple(map(str, fields['options'] or ())), places, dict(fields['frame']))
        if item.kind not in get_args(Kind):
            raise ValueError(f'kind {item.kind!r} is none of {", ".join(get_args(Kind))}')
        if item.kind == 'distance' and not float(item.ground_truth) > 0:
            raise ValueError(f'distance {item.ground_truth!r} is not positive')
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f'lacks {error}' if isinstance(error, KeyError) else str(error)
        raise DatasetError(f'{path}, line {number}: no item of depthqa ({reason})') from error
    return item


def frames_of(
    folder: Path, items: list[QaItem],
) -> Iterator[tuple[DepthFrame, list[QaItem]]]:
    """Yield each frame once with all its questions; ``folder`` is where the benchmark lies."""
    groups: dict[str, list[QaItem]] = {}
    for item in items:
        groups.setdefault(json.dumps(item.frame, sort_keys=True), []).append(item)
    for group in groups.values():
        yield read_frame(folder, group[0].frame), group


def describe_frame(frame: DepthFrame, depth_file: str) -> dict[str, Any]:
    """Return the ``frame`` of an item whose depth is in ``depth_file``."""
    camera, ground = frame.camera, frame.ground
    return {'depth': depth_file,
            'camera': {name: getattr(camera, name) for name in ('fx', 'fy', 'cx', 'cy')},
            'ground': ground and {'normal': list(ground.normal), 'height': ground.height},
            'robot': asdict(frame.robot)}


def read_frame(folder: Path, described: Mapping[str, Any]) -> DepthFrame:
    """Read the ``frame`` of an item; ``DatasetError`` when a file or field is wrong."""
    path = folder / str(described.get('depth'))
    try:
        with np.load(path, allow_pickle=False) as arrays:
            depth = arrays['depth'].astype(np.float32)
        height, width = depth.shape
        ground = described.get('ground')
        return DepthFrame(
            depth, Camera(width, height, **described['camera']),
            GroundPlane(tuple(ground['normal']), ground['height']) if ground else None,
            Robot(**described['robot']))
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, CameraError,
            GroundError) as error:
        raise DatasetError(f'{path}: depth or its description cannot be read ({error}); '
                           'build the benchmark again') from error
