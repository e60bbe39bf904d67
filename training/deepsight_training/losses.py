"""Loss for labels that name a class or a set of classes."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import MEMBERS

_ALLOWED: Final = torch.from_numpy(MEMBERS.astype(np.float32))
"""1 for the classes that a label id allows [256, classes]."""

CLASS_WEIGHTS: Final = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.5, 1.0])
"""Small things weigh a little more; more weight finds more of a class, and more that is not."""


def set_cross_entropy(
    logits: Tensor, labels: Tensor, class_weights: Tensor = CLASS_WEIGHTS
) -> Tensor:
    """Weighted mean of -log(sum of the probabilities of the classes that each label allows).

    For a label that names one class this is the usual cross entropy. Void pixels do not count.

    Args:
        logits: [B, C, H, W].
        labels: uint8 [B, H, W], ids of ``datasets.labels``.
        class_weights: [C]; a set weighs as much as its lightest member.

    """
    allowed = _ALLOWED.to(logits.device)
    class_weights = class_weights.to(logits.device)
    weight_of_id = torch.where(allowed > 0, class_weights, class_weights.max()).amin(1)
    weight_of_id[VOID] = 0.0
    index = labels.long()
    weights = weight_of_id[index]
    # [B, H, W, C] lies in memory like that already in channels_last.
    probabilities = logits.permute(0, 2, 3, 1).float().softmax(-1)
    found = (probabilities * allowed[index]).sum(-1)
    loss = -found.clamp_min(1e-12).log()
    return (loss * weights).sum() / weights.sum().clamp_min(1e-6)
