"""Casts the frames of a split into shards: written once, resumable, by several processes."""

from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from tqdm import tqdm
import webdataset

from deepsight_training.instructions.shards import encode
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.views import layout_samples

LAYOUTS_PER_SHARD: Final = 24


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
    frames = 0
    with tqdm(total=shards, unit='shard', desc=split) as bar, ExitStack() as stack:
        work = map if jobs == 1 else stack.enter_context(ProcessPoolExecutor(jobs)).map
        for count in work(write, range(shards)):
            frames += count
            bar.set_postfix(frames=frames)
            bar.update()
