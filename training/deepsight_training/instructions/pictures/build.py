"""Shards of frames and checked instructions from plain pictures; resumable and with counts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import astuple
import json
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from tqdm import tqdm
import webdataset

from deepsight_training.datasets.coco import Coco
from deepsight_training.datasets.coco import CocoPicture
from deepsight_training.instructions.pictures.checks import check_with_depth
from deepsight_training.instructions.pictures.depth import picture_sample
from deepsight_training.instructions.pictures.writers import Instruction
from deepsight_training.instructions.pictures.writers import InstructionWriter
from deepsight_training.instructions.sample import FloatImage
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.shards import ACCEPTED
from deepsight_training.instructions.shards import encode
from deepsight_training.instructions.shards import new_shard
from deepsight_training.instructions.shards import WRITTEN

PICTURES_PER_SHARD: Final = 500
NO_LIST: Final = 'no list in the reply'
Estimator = Callable[[Image.Image], FloatImage]
Checker = Callable[[Instruction, Image.Image], str]


def write_pictures(
    pictures: Coco, split: str, out: Path, estimate: Estimator, write: InstructionWriter,
    check: Checker | None, first_shard: int = 0, shards: int | None = None,
) -> Counter[str]:
    """Write ``out/split-NNNNN.tar`` of all pictures; return how often each verdict was given.

    A record holds what ``shards.decode`` reads, and ``WRITTEN``: every instruction with
    its verdict, so that what was rejected can be looked at. Finished shards are kept, and of an
    unfinished one what was written about its pictures, which may have been paid for.
    """
    out.mkdir(parents=True, exist_ok=True)
    total: Counter[str] = Counter()
    end = None if shards is None else first_shard + shards
    for first in range(0, len(pictures), PICTURES_PER_SHARD)[first_shard:end]:
        path = out / f'{split}-{first // PICTURES_PER_SHARD:05d}.tar'
        indices = range(first, min(first + PICTURES_PER_SHARD, len(pictures)))
        if not path.exists():
            _write_shard(path, pictures, indices, estimate, write, check)
        total += count_verdicts(path)
    return total


def _write_shard(path: Path, pictures: Coco, indices: range, estimate: Estimator,
                 write: InstructionWriter, check: Checker | None) -> None:
    kept_path = path.with_suffix('.jsonl')
    kept = _read_kept(kept_path)
    with new_shard(path) as shard, kept_path.open('a', 1, 'utf-8') as file:
        for index in tqdm(indices, unit='picture', desc=path.stem):
            picture = pictures[index]
            image = Image.open(picture.path).convert('RGB')
            sample = picture_sample(picture, estimate(image))
            if picture.name not in kept:
                written = write(sample, picture.captions, np.random.default_rng(index))
                kept[picture.name] = written
                pairs = None if written is None else [astuple(item) for item in written]
                file.write(f'{json.dumps([picture.name, pairs])}\n')
            shard.write(_record(picture, sample, image, kept[picture.name], check))
    kept_path.unlink(missing_ok=True)


def _read_kept(path: Path) -> dict[str, list[Instruction] | None]:
    """Return what was written about pictures of a shard before a run stopped."""
    kept: dict[str, list[Instruction] | None] = {}
    for line in path.read_text('utf-8').splitlines() if path.exists() else ():
        try:
            name, pairs = json.loads(line)
        except ValueError:
            # Cut short when the run stopped: that picture is asked about again.
            continue
        kept[name] = None if pairs is None else [Instruction(*pair) for pair in pairs]
    return kept


def _record(picture: CocoPicture, sample: FrameSample, image: Image.Image,
            written: list[Instruction] | None, check: Checker | None) -> dict[str, bytes | str]:
    judged = []
    if written is None:
        judged.append({'question': '', 'answer': '', 'verdict': NO_LIST})
    for instruction in written or ():
        reason = check_with_depth(instruction, sample)
        if reason == ACCEPTED and check is not None:
            reason = check(instruction, image)
        judged.append({'question': instruction.question, 'answer': instruction.answer,
                       'verdict': reason})
    content = {'captions': list(picture.captions), 'instructions': judged}
    return {'__key__': picture.name, **encode(sample),
            WRITTEN: json.dumps(content).encode()}


def count_verdicts(path: Path) -> Counter[str]:
    """Count the verdicts in a shard; reasons that a model worded count as one."""
    verdicts: Counter[str] = Counter()
    for record in webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False):
        for entry in json.loads(record[WRITTEN])['instructions']:
            verdicts[entry['verdict'].partition(':')[0]] += 1
    return verdicts
