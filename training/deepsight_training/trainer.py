"""What all trainings share: an ordered, resumable run of ``transformers.Trainer``."""

from collections.abc import Callable
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


class MixtureTrainer(Trainer):
    """Trainer that walks through a mixture in order: chance is in the items themselves."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(self.train_dataset)


def latest_checkpoint(folder: Path) -> Path:
    """Newest ``checkpoint-N`` in a stage's folder."""
    found = sorted(folder.glob('checkpoint-*'), key=lambda path: int(path.name.split('-')[1]))
    if not found:
        raise FileNotFoundError(f'no checkpoint in {folder}: train that stage first')
    return found[-1]


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
    arguments = TrainingArguments(**{
        'output_dir': str(folder), 'max_steps': steps, 'per_device_train_batch_size': batch_size,
        'learning_rate': learning_rate, 'lr_scheduler_type': 'cosine',
        'warmup_steps': min(500, steps // 10), 'weight_decay': 0.02, 'max_grad_norm': 5.0,
        'bf16': True, 'use_cpu': not torch.cuda.is_available(), 'save_steps': save_every,
        'save_total_limit': 2, 'logging_steps': 100, 'report_to': 'none',
        'dataloader_num_workers': 1, 'dataloader_drop_last': True,
        'remove_unused_columns': False, 'label_names': ['labels'], **options})
    trainer = MixtureTrainer(
        model=model, args=arguments, train_dataset=dataset, data_collator=collate,
        callbacks=list(callbacks), optimizers=(optimizer, None))
    trainer.train(resume_from_checkpoint=folder.exists() and any(folder.glob('checkpoint-*')))
    return latest_checkpoint(folder)
