"""What all trainings share: an ordered, resumable run of ``transformers.Trainer``."""

from collections.abc import Callable
import os
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer
from torch.utils.data import Dataset
from torch.utils.data import Sampler
from torch.utils.data import SequentialSampler
from transformers import PreTrainedModel
from transformers import Trainer
from transformers import TrainerCallback
from transformers import TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from deepsight_training.ema import EmaCallback
from deepsight_training.ema import FILE_NAME


class MixtureTrainer(Trainer):
    """Trainer that walks through a mixture in order: chance is in the items themselves."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(self.train_dataset)


def whole_checkpoints(folder: Path, is_averaged: bool) -> list[Path]:
    """``checkpoint-N`` in a stage's folder, oldest first; not those that were cut short."""
    written_last = [TRAINER_STATE_NAME, *([FILE_NAME] if is_averaged else [])]
    whole = (path for path in folder.glob('checkpoint-*')
             if all((path / name).is_file() for name in written_last))
    return sorted(whole, key=lambda path: int(path.name.split('-')[1]))


def latest_checkpoint(folder: Path, is_averaged: bool) -> Path:
    """Newest whole ``checkpoint-N`` in a stage's folder."""
    found = whole_checkpoints(folder, is_averaged)
    if not found:
        raise FileNotFoundError(f'no whole checkpoint in {folder}: train that stage first')
    return found[-1]


def items_of(steps: int, batch_size: int, accumulate: int) -> int:
    """Items that a run takes: in every part of a step, each process takes a batch."""
    return steps * batch_size * accumulate * int(os.environ.get('WORLD_SIZE', '1'))


def fit(
    model: PreTrainedModel, dataset: Dataset[Any], folder: Path, *, steps: int, batch_size: int,
    learning_rate: float, save_every: int = 500, collate: Callable[..., Any] | None = None,
    callbacks: tuple[TrainerCallback, ...] = (), optimizer: Optimizer | None = None,
    **options: Any,
) -> Path:
    """Train a model, or resume when its folder already holds a checkpoint.

    Args:
        model: what to train; parameters without gradient stay as they are.
        dataset: items in the order of training.
        folder: for checkpoints.
        steps: optimiser steps.
        batch_size: items per step and process.
        learning_rate: peak; cosine to zero.
        save_every: steps between checkpoints.
        collate: makes a batch of items.
        callbacks: of the trainer.
        optimizer: instead of AdamW; its learning rates are peaks, too.
        options: further ``TrainingArguments``.

    Returns:
        The folder of the last checkpoint.
    """
    has_gpu = torch.cuda.is_available()
    workers = min(8, (os.cpu_count() or 1) - 1) if has_gpu else 0
    arguments = TrainingArguments(**{
        'output_dir': str(folder), 'max_steps': steps, 'per_device_train_batch_size': batch_size,
        'learning_rate': learning_rate, 'lr_scheduler_type': 'cosine',
        'warmup_steps': min(500, steps // 10), 'weight_decay': 0.02, 'max_grad_norm': 5.0,
        'bf16': True, 'use_cpu': not has_gpu, 'save_steps': save_every,
        'save_total_limit': 2, 'logging_steps': 100, 'report_to': 'none',
        'dataloader_num_workers': workers, 'dataloader_drop_last': True,
        'remove_unused_columns': False, 'label_names': ['labels'], **options})
    trainer = MixtureTrainer(
        model=model, args=arguments, train_dataset=dataset, data_collator=collate,
        callbacks=list(callbacks), optimizers=(optimizer, None))
    is_averaged = any(isinstance(callback, EmaCallback) for callback in callbacks)
    found = whole_checkpoints(folder, is_averaged)
    trainer.train(resume_from_checkpoint=str(found[-1]) if found else None)
    # Only the first process writes.
    trainer.accelerator.wait_for_everyone()
    return latest_checkpoint(folder, is_averaged)
