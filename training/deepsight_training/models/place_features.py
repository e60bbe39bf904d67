"""Lengths and places as features that digits of metres can be read from."""

from typing import Final

import torch
from torch import Tensor
import torch.nn.functional as F

from deepsight_training.models.depth_encoder import CHANNELS
from deepsight_training.models.depth_encoder import LENGTHS
from deepsight_training.models.depth_encoder import NEAREST
from deepsight_training.models.depth_encoder import RAY

PERIODS: Final = (100.0, 10.0, 1.0, 0.1)
"""Metres after which the waves of a length repeat: one for each digit that answers write (FoNE,
arXiv 2502.09741). Digits of a plain number are more than a layer of ReLUs reads."""
PLACE_FEATURES: Final = CHANNELS + 2 * LENGTHS * len(PERIODS)
RELATION_FEATURES: Final = 2 + 2 * len(PERIODS)
"""Of a place to the place before it: whether there is one, and how far apart they are."""
CELL_FEATURES: Final = 4 * (2 + 2 * len(PERIODS))
"""Of a cell: brightness and length of the nearest surface in each of its quarters."""
SUMMARY_FEATURES: Final = len(NEAREST) * (2 + 2 * len(PERIODS))


def waves(metres: Tensor) -> Tensor:
    """Sines and cosines [..., 2 * N * len(PERIODS)] that the digits of N lengths show in."""
    periods = torch.tensor(PERIODS, dtype=metres.dtype, device=metres.device)
    angles = (2.0 * torch.pi * metres[..., None] / periods).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], -1)


def place_features(channels: Tensor) -> Tensor:
    """Geometry [..., PLACE_FEATURES] of a pixel's channels [..., CHANNELS + LENGTHS]."""
    return torch.cat([channels[..., :CHANNELS], waves(channels[..., CHANNELS:])], -1)


def relation_features(channels: Tensor, before: Tensor, differ: Tensor) -> Tensor:
    """Distance between two measured pixels as features [..., RELATION_FEATURES].

    Args:
        channels: of the one [..., CHANNELS + LENGTHS].
        before: of the other.
        differ: whether they are two [..., 1]; without a second one, all features are zero.
    """
    metres = torch.linalg.vector_norm(_point(channels) - _point(before), dim=-1, keepdim=True)
    known = differ & (channels[..., -1:] > 0) & (before[..., -1:] > 0)
    features = torch.cat([torch.ones_like(metres), metres.log1p(), waves(metres)], -1)
    return features * known.to(features.dtype)


def _point(channels: Tensor) -> Tensor:
    """Point [..., 3] in metres of a pixel's channels, from its ray and its straight distance."""
    ray = torch.cat([channels[..., RAY], torch.ones_like(channels[..., :1])], -1)
    return channels[..., -1:] * F.normalize(ray, dim=-1)


def values_at(picture: Tensor, places: Tensor) -> Tensor:
    """Values [B, R, C] of a picture [B, C, H, W] at places (x, y in 0..1) [B, R, 2]."""
    height, width = picture.shape[2:]
    columns = (places[..., 0] * width).long().clamp(0, width - 1)
    rows = (places[..., 1] * height).long().clamp(0, height - 1)
    cells = (rows * width + columns)[:, None].expand(-1, picture.shape[1], -1)
    return picture.flatten(2).gather(2, cells).transpose(1, 2)
