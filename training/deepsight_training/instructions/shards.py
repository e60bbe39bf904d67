"""Frames as webdataset shards: written once, resumable, read by any number of processes."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
import io
import json
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np
from tqdm import tqdm
import webdataset

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.views import layout_samples
from deepsight_training.instructions.views import SPLITS

LAYOUTS_PER_SHARD: Final = 24


def encode(sample: FrameSample) -> dict[str, bytes]:
    """Fields of a webdataset record: arrays as .npz (depth in half precision), the rest JSON."""
    arrays = io.BytesIO()
    np.savez_compressed(arrays, depth=sample.depth.astype(np.float16), classes=sample.classes,
                        instances=sample.instances.astype(np.uint16))
    described = {
        'camera_matrix': sample.camera_matrix.tolist(), 'up': sample.up.tolist(),
        'camera_height': sample.camera_height, 'class_names': list(sample.class_names),
        'scene': sample.scene, 'indoors': sample.indoors, 'extents': dict(sample.extents)}
    return {'npz': arrays.getvalue(), 'json': json.dumps(described).encode()}


def decode(record: dict[str, Any]) -> FrameSample:
    """Inverse of ``encode`` for a record as webdataset yields it."""
    try:
        with np.load(io.BytesIO(record['npz']), allow_pickle=False) as arrays:
            depth, classes = arrays['depth'].astype(np.float32), arrays['classes']
            instances = arrays['instances'].astype(np.int32)
        fields = json.loads(record['json'])
        return FrameSample(
            record['__key__'], depth, np.array(fields['camera_matrix']), np.array(fields['up']),
            fields['camera_height'], instances, classes, tuple(fields['class_names']),
            fields['scene'], fields['indoors'], fields['extents'])
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


def _write_shard(split: str, folder: Path, index: int) -> int:
    """Write one shard unless it is there; return its number of frames, 0 if it was."""
    path = folder / f'{split}-{index:05d}.tar'
    if path.exists():
        return 0
    kinds, first = SPLITS[split].layouts, SPLITS[split].first_seed
    partial_path = path.with_suffix('.part')
    count = 0
    with webdataset.TarWriter(str(partial_path)) as writer:
        for layout in range(index * LAYOUTS_PER_SHARD, (index + 1) * LAYOUTS_PER_SHARD):
            for sample in layout_samples(SPLITS[split], kinds[layout % len(kinds)],
                                         first + layout):
                writer.write({'__key__': sample.name, **encode(sample)})
                count += 1
    # A shard has its name only once it is whole, so that an interrupted run goes on there.
    partial_path.rename(path)
    return count


def write_frames(split: str, shards: int, folder: Path, jobs: int = 1) -> None:
    """Write the first ``shards`` shards of a split that are not in ``folder`` yet."""
    folder.mkdir(parents=True, exist_ok=True)
    write = partial(_write_shard, split, folder)
    with tqdm(total=shards, unit='shard', desc=split) as bar, ProcessPoolExecutor(jobs) as pool:
        frames = 0
        for count in pool.map(write, range(shards)):
            frames += count
            bar.set_postfix(frames=frames)
            bar.update()
