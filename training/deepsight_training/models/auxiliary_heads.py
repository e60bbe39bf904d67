"""Auxiliary losses: what the depth encoder must tell of a picture besides answers."""

from typing import Final

import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as F

from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.models.depth_encoder import NEAREST

UNKNOWN: Final = -1
"""Auxiliary target that is not known."""


class AuxiliaryHeads(nn.Module):
    """What a visual token must tell about its cell; these heads vanish at export.

    Per quarter of a cell the nearest surface, the nearest obstacle on each way (``NEAREST``) and
    the class that is there; per sixteenth the straight distance; per cell the class of the thing
    whose middle it holds. The features at stride 4 must tell the class of every place.
    """

    def __init__(self, hidden_size: int, classes: int, encoder: DepthEncoderConfig) -> None:
        super().__init__()
        self.cell, self.grid = encoder.cell, encoder.grid
        self.dense = nn.Conv2d(encoder.feature_channels, classes, 1)
        self.nearest = nn.Linear(hidden_size, 4 * len(NEAREST))
        self.distances = nn.Linear(hidden_size, 16)
        self.names = nn.Linear(hidden_size, 4 * classes)
        self.instance = nn.Linear(hidden_size, classes)

    def forward(self, tokens: Tensor, features: Tensor, channels: Tensor, classes: Tensor,
                instances: Tensor) -> Tensor:
        """Sum of the losses.

        Args:
            tokens: visual tokens of cells [B, N, hidden_size].
            features: local features with context [B, feature_channels, H/4, W/4].
            channels: what the encoder saw [B, CHANNELS + LENGTHS, H, W].
            classes: class or UNKNOWN of every feature's place [B, H/4, W/4].
            instances: class or UNKNOWN per cell [B, N].
        """
        nearest = F.pixel_unshuffle(F.max_pool2d(channels[:, NEAREST], self.cell // 2), 2)
        step = self.cell // 4
        straight = channels[:, NEAREST[:1], step // 2::step, step // 2::step]
        loss = self._lengths(self.nearest(tokens), nearest) + self._lengths(
            self.distances(tokens), F.pixel_unshuffle(straight, 4))
        # Most cells hold no middle of anything: they count less.
        weight = torch.where(instances > 0, 1.0, 0.2)
        names = self.names(tokens).unflatten(-1, (4, -1))
        loss = loss + _classification(self.instance(tokens), instances, weight)
        for logits, target in ((names, self._quarters(classes)),
                               (self.dense(features).permute(0, 2, 3, 1), classes)):
            loss = loss + _classification(logits, target, _rarity(target, logits.shape[-1]))
        return loss

    def _quarters(self, classes: Tensor) -> Tensor:
        """Classes [B, N, 4] in the middles of the quarters of cells."""
        rows, columns = (
            (torch.arange(2 * cells, device=classes.device) * 2 + 1) * size // (4 * cells)
            for cells, size in zip(self.grid, classes.shape[1:], strict=True))
        quarters = classes[:, rows[:, None], columns].unflatten(1, (-1, 2)).unflatten(3, (-1, 2))
        return quarters.transpose(2, 3).flatten(1, 2).flatten(2)

    @staticmethod
    def _lengths(found: Tensor, wanted: Tensor) -> Tensor:
        return 10.0 * F.smooth_l1_loss(
            found.float(), wanted.flatten(2).transpose(1, 2), beta=0.05)


def _rarity(classes: Tensor, count: int) -> Tensor:
    """Weights [...] of known classes, the root of how rare each is: most places are wall."""
    found = torch.bincount(classes[classes != UNKNOWN], minlength=count).clamp(min=1)
    return found.float().rsqrt()[classes.clamp(min=0)]


def _classification(logits: Tensor, classes: Tensor, weight: Tensor) -> Tensor:
    """Mean cross-entropy of logits [..., C] where the class [...] is known."""
    weight = weight * (classes != UNKNOWN)
    by_place = F.cross_entropy(logits.flatten(0, -2).float(), classes.clamp(min=0).flatten(),
                               reduction='none').view_as(weight)
    return (by_place * weight).sum() / weight.sum().clamp(min=1e-6)
