"""TUM RGB-D benchmark (Sturm et al., IROS 2012): RGB-D sequences with motion-capture poses."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.datasets.files import read_depth
from deepsight_ros.evaluation.datasets.files import read_picture
from deepsight_ros.evaluation.datasets.floor import find_floor
from deepsight_ros.evaluation.datasets.floor import Floor
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.rgbd import check_registered
from deepsight_ros.evaluation.datasets.rgbd import pinhole
from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry.transforms import matrix_from

LAYOUT: Final = (
    'rgb.txt, depth.txt and groundtruth.txt with time stamps, pictures in rgb/ and depth/')
_DEPTH_UNIT: Final = 1 / 5000
_TOLERANCE_NS: Final = 20_000_000
"""Largest time between picture, depth and pose that belong together, as in the benchmark."""
_INTRINSICS: Final = {
    'freiburg1': (517.3, 516.5, 318.6, 255.3),
    'freiburg2': (520.9, 521.0, 325.1, 249.7),
    'freiburg3': (535.4, 539.2, 320.1, 247.6),
}
"""Calibrated fx, fy, cx, cy by the camera in the sequence's name."""
_DEFAULT_INTRINSICS: Final = (525.0, 525.0, 319.5, 239.5)
_DOWN: Final = (0.0, 0.0, -1.0)
"""The motion-capture frame has z up."""


class Tum:
    """One sequence; pictures without depth or pose in time are left out."""

    max_depth = 10.0
    is_sequence = True
    ground_is_exact = True

    def __init__(self, root: Path, ground: GroundOptions) -> None:
        """Associate the lists of a sequence folder."""
        ground.require_no_camera('tum')
        self._options = GroundOptions(gravity=ground.gravity or _DOWN, floor=ground.floor)
        pictures = read_list(root / 'rgb.txt', 1)
        depths = read_list(root / 'depth.txt', 1)
        poses = read_list(root / 'groundtruth.txt', 7)
        self._frames = []
        for stamp, (name,) in pictures:
            depth, pose = nearest(depths, stamp), nearest(poses, stamp)
            if depth is not None and pose is not None:
                self._frames.append((stamp, root / name, root / depth[0], _pose(pose)))
        if not self._frames:
            raise DatasetError(f'no picture in {root} has depth and a pose within '
                               f'{_TOLERANCE_NS / 1e6:.0f} ms; expected {LAYOUT}')
        camera = next((key for key in _INTRINSICS if key in root.resolve().name), None)
        fx, fy, cx, cy = _INTRINSICS[camera] if camera else _DEFAULT_INTRINSICS
        self._matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    def __len__(self) -> int:
        """Return the number of associated pictures."""
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        """Read one frame."""
        stamp, path, _, pose = self._frames[index]
        image, depth = read_picture(path), self._depth(index)
        check_registered(path.name, image, depth)
        return Frame(path.stem, stamp, 'camera', image, pinhole(self._matrix, image),
                     self._floor.below(pose), depth, pose=pose)

    def _depth(self, index: int) -> npt.NDArray[np.float32]:
        return read_depth(self._frames[index][2], _DEPTH_UNIT)

    def _pose_of(self, index: int) -> npt.NDArray[np.float64]:
        return self._frames[index][3]

    @cached_property
    def _floor(self) -> Floor:
        camera = pinhole(self._matrix, self._depth(0))
        return find_floor(self._options, len(self), camera, self._depth, self._pose_of)


def read_list(path: Path, columns: int) -> list[tuple[int, list[str]]]:
    """Stamps (ns) and further columns of a list file, in time order; ``#`` starts a comment."""
    if not path.is_file():
        raise DatasetError(f'{path} is missing; expected {LAYOUT}')
    rows = []
    for line in path.read_text('utf8').splitlines():
        fields = line.split('#', 1)[0].split()
        if not fields:
            continue
        seconds, _, fraction = fields[0].partition('.')
        if len(fields) <= columns or not (seconds + fraction).isdigit():
            raise DatasetError(f'{path}: {line!r} is no stamp with {columns} values')
        stamp = int(seconds) * 10**9 + int(fraction.ljust(9, '0')[:9] or '0')
        rows.append((stamp, fields[1:columns + 1]))
    return sorted(rows)


def nearest(rows: list[tuple[int, list[str]]], stamp: int) -> list[str] | None:
    """Return the columns of the row nearest in time, None if it is too far."""
    index = bisect_left(rows, (stamp, []))
    around = rows[max(index - 1, 0):index + 1]
    best = min(around, key=lambda row: abs(row[0] - stamp), default=None)
    return best[1] if best is not None and abs(best[0] - stamp) <= _TOLERANCE_NS else None


def _pose(fields: list[str]) -> npt.NDArray[np.float64]:
    values = np.array(fields, np.float64)
    return matrix_from(values[:3], values[3:])
