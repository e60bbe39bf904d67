"""Exponential moving average of weights as a callback of ``transformers.Trainer``."""

from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from safetensors.torch import save_file
import torch
from torch import nn
from transformers import TrainerCallback
from transformers import TrainerControl
from transformers import TrainerState
from transformers import TrainingArguments

FILE_NAME = 'ema.safetensors'


class EmaCallback(TrainerCallback):
    """Keeps averaged weights, writes them beside every checkpoint and reads them on resume.

    Args:
        decay: weight of the past per step; early steps use less, so that the start is forgotten.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = decay
        self.average: dict[str, torch.Tensor] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        model: nn.Module | None = None, **kwargs: Any,
    ) -> None:
        """Start from the model's weights, or from the checkpoint's average on resume."""
        assert model is not None
        self.average = {k: v.detach().clone() for k, v in model.state_dict().items()}
        if state.global_step:
            folder = Path(str(args.output_dir)) / f'checkpoint-{state.global_step}'
            saved = load_file(folder / FILE_NAME)
            for name, value in self.average.items():
                value.copy_(saved[name])

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        model: nn.Module | None = None, **kwargs: Any,
    ) -> None:
        """Move the average towards the new weights."""
        assert model is not None
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - decay)
            else:
                self.average[name].copy_(value)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Write the average beside the checkpoint that was just saved."""
        if not state.is_world_process_zero:
            return
        path = Path(str(args.output_dir)) / f'checkpoint-{state.global_step}' / FILE_NAME
        partial = path.with_suffix('.part')
        save_file({k: v.contiguous() for k, v in self.average.items()}, partial)
        # It has its name only once it is whole: the name is what tells a whole checkpoint.
        partial.rename(path)
