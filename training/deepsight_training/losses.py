"""Loss for labels that name a class or a set of classes."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.labels import MEMBERS

_PENALTY: Final = torch.from_numpy(np.where(MEMBERS, 0.0, -1e4).astype(np.float32))
"""Added to logits [256, classes]: removes the classes that a label id does not allow."""


def set_cross_entropy(logits: Tensor, labels: Tensor, class_weights: Tensor) -> Tensor:
    """Weighted mean of -log(sum of the probabilities of the classes that each label allows).

    For a label that names one class this is the usual cross entropy. Void pixels do not count.

    Args:
        logits: [B, C, H, W].
        labels: uint8 [B, H, W], ids of ``datasets.labels``.
        class_weights: [C]; a set weighs as much as its lightest member.
    """
    logits = logits.permute(0, 2, 3, 1).float()  # [B, H, W, C]: contiguous in channels_last
    penalty = _PENALTY.to(logits.device)
    per_id = torch.where(penalty == 0, class_weights, class_weights.max()).amin(1)
    per_id[VOID] = 0.0
    index = labels.long()
    weights = per_id[index]
    loss = logits.logsumexp(-1) - (logits + penalty[index]).logsumexp(-1)
    # In void pixels the penalty cancels nothing: their weight of zero drops them.
    return (loss * weights).sum() / weights.sum().clamp(min=1e-6)
