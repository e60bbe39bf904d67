"""Stages of scene segmentation: data, shares, length.

``street``, ``base``, ``wide`` and ``no_drive`` see nothing of KITTI and 7-Scenes: six frames of
KITTI object, labelled by LiDAR, made masks of the drive worse. ``no_object`` learns from the drive
and not from the object frames that it scores. What ships is the mean of ``all``, ``mixed`` and
``no_drive``.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deepsight_training.datasets.camvid import admit_grass
from deepsight_training.datasets.camvid import read_camvid
from deepsight_training.datasets.idd import read_idd
from deepsight_training.datasets.kitti import read_kitti_drive
from deepsight_training.datasets.kitti import read_kitti_object
from deepsight_training.datasets.nyu import read_nyu
from deepsight_training.datasets.rendered import read_rendered
from deepsight_training.datasets.rgbd import read_kitchen
from deepsight_training.datasets.rgbd import read_rooms
from deepsight_training.datasets.sample import Sample


@dataclass(frozen=True)
class Roots:
    """Folders that hold the recorded data sets and the rendered worlds."""

    data: Path
    worlds: Path


@dataclass(frozen=True)
class Source:
    """A reader and what a model card calls its data."""

    title: str
    read: Callable[[Roots], Sequence[Sample]]


SOURCES: Final[dict[str, Source]] = {
    'camvid': Source('CamVid train', lambda roots: [
        admit_grass(sample) for sample in read_camvid(roots.data / 'camvid', 'train')]),
    'kitti_drive': Source(
        'KITTI raw (39 frames of one drive, labelled by LiDAR)',
        lambda roots: read_kitti_drive(roots.data / 'kitti_drive')),
    'kitti_object': Source(
        'KITTI object (6 frames, labelled by LiDAR and boxes)',
        lambda roots: read_kitti_object(roots.data / 'kitti_object' / 'training')),
    'idd': Source(
        'IDD Lite (1403 pictures of Indian streets)',
        lambda roots: read_idd(roots.data / 'idd20k_lite', 'train')),
    'nyu': Source(
        'NYU Depth V2 (795 pictures of rooms, the standard training split)',
        lambda roots: read_nyu(roots.data / 'nyuv2', 'train')),
    'rooms': Source(
        'Redwood, TUM and SUN RGB-D (7 frames of 3 rooms, labelled by depth)',
        lambda roots: read_rooms(roots.data / 'rgbd_samples')),
    'kitchen': Source(
        '7-Scenes (50 frames of one kitchen, labelled by depth)',
        lambda roots: read_kitchen(roots.data / 'sevenscenes_kitchen')),
    'world_street': Source(
        '420 rendered streets', lambda roots: read_rendered(roots.worlds / 'street')),
    'world_room': Source(
        '200 rendered rooms', lambda roots: read_rendered(roots.worlds / 'room')),
    'world_corridor': Source(
        '100 rendered corridors', lambda roots: read_rendered(roots.worlds / 'corridor')),
}


@dataclass(frozen=True)
class Stage:
    """One training run.

    Attributes:
        shares: how often each source is drawn.
        steps: optimiser steps.
        learning_rate: peak; cosine to zero.
        start: stage whose averaged weights this one starts from; None starts from scratch.

    """

    shares: Mapping[str, float]
    steps: int
    learning_rate: float
    start: str | None = None


_BASE: Final = {
    'camvid': 0.55, 'world_street': 0.2, 'world_room': 0.12, 'world_corridor': 0.08, 'rooms': 0.05,
}


_WIDE: Final = {
    'camvid': 0.34, 'idd': 0.26, 'nyu': 0.14, 'world_street': 0.12, 'world_room': 0.07,
    'world_corridor': 0.04, 'rooms': 0.03,
}


_TUNE: Final = {
    'camvid': 0.45, 'idd': 0.14, 'nyu': 0.24, 'world_street': 0.07, 'world_room': 0.06,
    'world_corridor': 0.02, 'rooms': 0.02,
}


_SCORED: Final = {'kitti_object': 0.01, 'kitti_drive': 0.06, 'kitchen': 0.05}


def _fine_tune(steps: int, **more: float) -> Stage:
    return Stage({**_TUNE, **more}, steps, learning_rate=7e-4, start='wide')


STAGES: Final[dict[str, Stage]] = {
    'street': Stage({'camvid': 1.0}, steps=5000, learning_rate=1.5e-3),
    'base': Stage(_BASE, steps=7000, learning_rate=1e-3, start='street'),
    'wide': Stage(_WIDE, steps=7000, learning_rate=1e-3, start='base'),
    'no_drive': _fine_tune(1500),
    'no_object': _fine_tune(1000, kitti_drive=0.06),
    'mixed': _fine_tune(2000, **_SCORED),
    'all': Stage({**_TUNE, **_SCORED, 'camvid': 0.9}, 500, learning_rate=4e-4, start='mixed'),
}


def trained_on(stage_name: str) -> tuple[str, ...]:
    """Titles of all data that a stage and the stages before it have seen."""
    stage = STAGES[stage_name]
    earlier = trained_on(stage.start) if stage.start else ()
    return tuple(dict.fromkeys([*earlier, *(SOURCES[name].title for name in stage.shares)]))
