"""Shards of frames and checked instructions from plain pictures; resumable and with counts."""

from collections import Counter
from collections.abc import Callable
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
from deepsight_training.instructions.shards import ACCEPTED
from deepsight_training.instructions.shards import encode
from deepsight_training.instructions.shards import WRITTEN

PICTURES_PER_SHARD: Final = 500
Estimator = Callable[[Image.Image], FloatImage]
Checker = Callable[[Instruction, Image.Image], str]


def write_pictures(
    pictures: Coco, split: str, out: Path, estimate: Estimator, write: InstructionWriter,
    check: Checker | None,
) -> Counter[str]:
    """Write ``out/split-NNNNN.tar`` for all pictures; return how often each verdict was given.

    A record holds what ``shards.decode`` reads, and ``WRITTEN``: every instruction with
    its verdict, so that what was rejected can be looked at. Finished shards are kept.
    """
    out.mkdir(parents=True, exist_ok=True)
    total: Counter[str] = Counter()
    with tqdm(total=len(pictures), unit='picture', desc=split) as bar:
        for number, first in enumerate(range(0, len(pictures), PICTURES_PER_SHARD)):
            path = out / f'{split}-{number:05d}.tar'
            indices = range(first, min(first + PICTURES_PER_SHARD, len(pictures)))
            if not path.exists():
                partial = path.with_suffix('.part')
                with webdataset.TarWriter(str(partial)) as shard:
                    for index in indices:
                        shard.write(_record(pictures[index], index, estimate, write, check))
                        bar.update()
                partial.rename(path)
            else:
                bar.update(len(indices))
            total += count_verdicts(path)
    return total


def _record(picture: CocoPicture, index: int, estimate: Estimator, write: InstructionWriter,
            check: Checker | None) -> dict[str, bytes | str]:
    image = Image.open(picture.path).convert('RGB')
    sample = picture_sample(picture, estimate(image))
    judged = []
    for instruction in write(sample, picture.captions, np.random.default_rng(index)):
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
