"""Frames as webdataset shards: their records, and how they are written and read."""

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
import io
import json
import os
from pathlib import Path
import platform
from typing import Any
from typing import Final

import numpy as np
import webdataset

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.sample import FrameSample

WRITTEN: Final = 'questions.json'
"""Field of what others wrote about a frame."""
ACCEPTED: Final = 'accepted'
"""Verdict on an instruction that is trained on."""


def encode(sample: FrameSample) -> dict[str, bytes]:
    """Fields of a webdataset record: arrays as .npz (depth in half precision), the rest JSON."""
    arrays = io.BytesIO()
    np.savez_compressed(arrays, depth=sample.depth.astype(np.float16), classes=sample.classes,
                        instances=sample.instances.astype(np.uint16))
    described = {
        'camera_matrix': sample.camera_matrix.tolist(), 'up': sample.up.tolist(),
        'camera_height': None if np.isnan(sample.camera_height) else sample.camera_height,
        'class_names': list(sample.class_names),
        'scene': sample.scene, 'indoors': sample.indoors, 'extents': dict(sample.extents)}
    return {'npz': arrays.getvalue(), 'json': json.dumps(described).encode()}


def decode(record: dict[str, Any]) -> FrameSample:
    """Inverse of ``encode`` for a record as webdataset yields it."""
    try:
        with np.load(io.BytesIO(record['npz']), allow_pickle=False) as arrays:
            depth, classes = arrays['depth'].astype(np.float32), arrays['classes']
            instances = arrays['instances'].astype(np.int32)
        fields = json.loads(record['json'])
        written = json.loads(record.get(WRITTEN, b'{}'))
        height = fields['camera_height']
        return FrameSample(
            record['__key__'], depth, np.array(fields['camera_matrix']), np.array(fields['up']),
            np.nan if height is None else height, instances, classes,
            tuple(fields['class_names']), fields['scene'], fields['indoors'], fields['extents'],
            captions=tuple(written.get('captions', ())), instructions=tuple(
                (entry['question'], entry['answer'])
                for entry in written.get('instructions', ()) if entry['verdict'] == ACCEPTED))
    except (EOFError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f'{record.get("__key__")} is no frame of this program ({error}); '
                           'write the frames again') from error


def shard_paths(folder: Path, split: str) -> list[Path]:
    """Finished shards of a split, in order."""
    paths = sorted(folder.glob(f'{split}-*.tar'))
    if not paths:
        raise DatasetError(f'no {split}-*.tar in {folder}; write them with '
                           f'`python -m deepsight_training.instructions frames --split {split}`')
    return paths


def read_frames(folder: Path, split: str) -> Iterator[FrameSample]:
    """Yield the frames of a split, in the order in which they were written."""
    shards = [str(path) for path in shard_paths(folder, split)]
    for record in webdataset.WebDataset(shards, shardshuffle=False, empty_check=False):
        yield decode(record)


@contextmanager
def new_shard(path: Path) -> Iterator[webdataset.TarWriter]:
    """Open a shard that has its name only once it is whole: a stopped run goes on there."""
    # Machines that share a folder do not write into each other's file.
    partial = path.with_suffix(f'.{platform.node()}-{os.getpid()}.part')
    try:
        with webdataset.TarWriter(str(partial)) as writer:
            yield writer
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def write_shard(path: Path, samples: Iterable[FrameSample]) -> int:
    """Write frames to a shard; return their number, 0 if the shard was there already."""
    if path.exists():
        return 0
    count = 0
    with new_shard(path) as writer:
        for sample in samples:
            writer.write({'__key__': sample.name, **encode(sample)})
            count += 1
    return count
