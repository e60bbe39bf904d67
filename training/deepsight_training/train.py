"""Train scene segmentation: ``python -m deepsight_training.train --stage street --data DIR``."""

import argparse
from pathlib import Path
from typing import Any

import cv2
from safetensors.torch import load_file
import torch
from torch.utils.data import Sampler
from torch.utils.data import SequentialSampler
from transformers import set_seed
from transformers import Trainer
from transformers import TrainingArguments

from deepsight_training.datasets.mixture import Mixture
from deepsight_training.ema import EmaCallback
from deepsight_training.ema import FILE_NAME
from deepsight_training.models.configuration_scene_segmentation import SceneSegmentationConfig
from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel
from deepsight_training.stages.segmentation import Roots
from deepsight_training.stages.segmentation import SOURCES
from deepsight_training.stages.segmentation import STAGES


class MixtureTrainer(Trainer):
    """Trainer that walks through a ``Mixture`` in order: chance is in the items themselves."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(self.train_dataset)


def latest_checkpoint(folder: Path) -> Path:
    """Newest ``checkpoint-N`` in a stage's folder."""
    found = sorted(folder.glob('checkpoint-*'), key=lambda path: int(path.name.split('-')[1]))
    if not found:
        raise FileNotFoundError(f'no checkpoint in {folder}: train that stage first')
    return found[-1]


def load_averaged(folder: Path) -> SceneSegmentationModel:
    """Model of a checkpoint folder with its averaged weights."""
    model = SceneSegmentationModel(SceneSegmentationConfig.from_pretrained(folder))
    model.load_state_dict(load_file(folder / FILE_NAME))
    return model


def train(
    stage_name: str, roots: Roots, output: Path, batch_size: int = 8, steps: int | None = None,
    save_every: int = 500, config: SceneSegmentationConfig | None = None,
) -> Path:
    """Run a stage, or resume it when its folder already holds a checkpoint.

    Args:
        stage_name: one of ``STAGES``.
        roots: where the data sets are.
        output: folder that holds one folder per stage.
        batch_size: views per step.
        steps: optimiser steps instead of the stage's.
        save_every: steps between checkpoints.
        config: sizes of a network that starts from scratch.

    Returns:
        The folder of the last checkpoint.
    """
    set_seed(1)
    stage = STAGES[stage_name]
    steps = steps or stage.steps
    folder = output / stage_name
    if stage.start is None:
        model = SceneSegmentationModel(config or SceneSegmentationConfig())
    else:
        model = load_averaged(latest_checkpoint(output / stage.start))
    model.to(memory_format=torch.channels_last)
    mixture = Mixture(
        {name: SOURCES[name].read(roots) for name in stage.shares}, stage.shares,
        steps * batch_size, batch_size, model.config.output_stride, seed=1,
    )
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=batch_size,
        learning_rate=stage.learning_rate, lr_scheduler_type='cosine',
        warmup_steps=min(500, steps // 10), weight_decay=0.02, max_grad_norm=5.0,
        bf16=True, use_cpu=not torch.cuda.is_available(),
        save_steps=save_every, save_total_limit=2, logging_steps=100, report_to='none',
        dataloader_num_workers=1, dataloader_drop_last=True, remove_unused_columns=False,
        label_names=['labels'],
    )
    trainer = MixtureTrainer(
        model=model, args=arguments, train_dataset=mixture, callbacks=[EmaCallback()]
    )
    trainer.train(resume_from_checkpoint=folder.exists() and any(folder.glob('checkpoint-*')))
    return latest_checkpoint(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stage', choices=STAGES, required=True)
    parser.add_argument('--data', type=Path, required=True, help='recorded data sets')
    parser.add_argument(
        '--worlds', type=Path, default=Path('.cache/worlds'), help='rendered worlds')
    parser.add_argument(
        '--output', type=Path, default=Path('.cache/training'), help='one folder per stage')
    parser.add_argument('--steps', type=int, help="optimiser steps instead of the stage's")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    roots = Roots(arguments.data, arguments.worlds)
    print(train(arguments.stage, roots, arguments.output, steps=arguments.steps))


if __name__ == '__main__':
    main()
