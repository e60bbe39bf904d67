"""Casts the frames of a split into shards: resumable, by several processes."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from tqdm import tqdm

from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.shards import write_shard
from deepsight_training.instructions.splits import Split
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.views import layout_samples

LAYOUTS_PER_SHARD: Final = 24


def _samples(split: Split, shard: int) -> Iterator[FrameSample]:
    for layout in range(shard * LAYOUTS_PER_SHARD, (shard + 1) * LAYOUTS_PER_SHARD):
        kind = split.layouts[layout % len(split.layouts)]
        yield from layout_samples(split, kind, split.first_seed + layout)


def _write(split: str, folder: Path, shard: int) -> int:
    return write_shard(folder / f'{split}-{shard:05d}.tar', _samples(SPLITS[split], shard))


def write_frames(split: str, shards: int, folder: Path, jobs: int = 1, first: int = 0) -> None:
    """Write those of ``shards`` shards of a split, from ``first`` on, that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    write = partial(_write, split, folder)
    frames = 0
    with tqdm(total=shards, unit='shard', desc=split) as bar, ExitStack() as stack:
        work = map if jobs == 1 else stack.enter_context(ProcessPoolExecutor(jobs)).map
        for count in work(write, range(first, first + shards)):
            frames += count
            bar.set_postfix(frames=frames)
            bar.update()
