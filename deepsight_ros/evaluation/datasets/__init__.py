"""Readers for the data sets that depth is scored on: one module per layout, one ``Frame``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from deepsight_ros.evaluation.datasets.frame import Dataset
from deepsight_ros.evaluation.datasets.frame import Frame
from deepsight_ros.evaluation.datasets.ground_options import GroundOptions
from deepsight_ros.evaluation.datasets.kitti_eigen import KittiEigen
from deepsight_ros.evaluation.datasets.kitti_object import KittiObject
from deepsight_ros.evaluation.datasets.kitti_raw import KittiRaw
from deepsight_ros.evaluation.datasets.nyu import Nyu
from deepsight_ros.evaluation.datasets.sevenscenes import SevenScenes
from deepsight_ros.evaluation.datasets.sunrgbd import SunRgbd
from deepsight_ros.evaluation.datasets.tum import Tum
from deepsight_ros.evaluation.datasets.worlds import Worlds
from deepsight_ros.evaluation.errors import DatasetError

DATASETS: Final[dict[str, Callable[[Path, GroundOptions], Dataset]]] = {
    'kitti-raw': KittiRaw,
    'kitti-object': KittiObject,
    'kitti-eigen': KittiEigen,
    'nyu': Nyu,
    'tum': Tum,
    'sevenscenes': SevenScenes,
    'sunrgbd': SunRgbd,
    'worlds': Worlds,
}
"""Reader of each data set by the name that the command line uses."""


def open_dataset(name: str, root: Path, ground: GroundOptions | None = None) -> Dataset:
    """Open the data set ``name`` below ``root``; raises ``DatasetError``."""
    if name not in DATASETS:
        raise DatasetError(f'data set {name!r} is unknown; known are {", ".join(DATASETS)}')
    if not root.is_dir():
        raise DatasetError(f'{root} is no folder; --root names the folder of the data set')
    return DATASETS[name](root, ground or GroundOptions())


__all__ = ['DATASETS', 'Dataset', 'DatasetError', 'Frame', 'GroundOptions', 'open_dataset']
