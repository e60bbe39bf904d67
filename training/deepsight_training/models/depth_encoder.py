"""Depth encoder of DeepSight: metric depth and camera geometry to visual tokens.

The paper (arXiv 2603.06090) feeds a single-channel depth picture to CLIP's ViT and guides a local
convolution by object boxes; neither formula is public, so both are stand-ins here.
"""

import math
from typing import Final

import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as F
from transformers import CLIPVisionConfig
from transformers import CLIPVisionModel

from deepsight_ros.geometry.points import SIDEWAYS
from deepsight_ros.geometry.points import SUPPORT
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig

CHANNELS: Final = 12
"""Brightness, inverse depth, valid, ray x, ray y; left, up and forward on the ground; brightness
of the straight distance; forward again where the robot would hit something: ahead, and on the ways
to the left and to the right."""
LENGTHS: Final = 3
"""Channels behind them that no network sees as they are: height above the ground, distance ahead
and straight distance in metres."""
RAY: Final = (3, 4)
"""Channels that hold x/z and y/z of a pixel's ray."""
NEAREST: Final = (8, 9, 10, 11)
"""Channels whose largest value is the nearest surface and the nearest obstacle on each way."""
CLIP_MEAN: Final = 0.449
CLIP_STD: Final = 0.269
"""CLIP's normalisation, averaged over its three colours."""


def brightness(metres: Tensor, near: float, far: float) -> Tensor:
    """Return 1 for near, 0 for far, on a logarithmic scale.

    The range is fixed, so ``near * (far / near) ** (1 - brightness)`` gives metres back.
    """
    return 1.0 - torch.log(metres.clamp(near, far) / near) / math.log(far / near)


def metres_of(bright: Tensor, near: float, far: float) -> Tensor:
    """Metres of a brightness."""
    return near * torch.exp((1.0 - bright) * math.log(far / near))


def depth_channels(
    depth: Tensor, camera: Tensor, ground: Tensor, near: float, far: float,
) -> Tensor:
    """Picture of a depth image's geometry [B, CHANNELS + LENGTHS, H, W].

    Args:
        depth: metres along the optical axis [B, H, W]; 0 where nothing was measured.
        camera: fx, fy, cx, cy in this picture's pixels [B, 4].
        ground: unit normal towards the ground, camera height, and the robot's width, height and
            lowest obstacle in metres [B, 7]; all zero where the ground is unknown.
        near: metres of brightness 1.
        far: metres of brightness 0.
    """
    _, height, width = depth.shape
    valid = (depth > 0).to(depth.dtype)
    metres = depth.clamp(near, far)
    columns = torch.arange(width, dtype=depth.dtype, device=depth.device)
    rows = torch.arange(height, dtype=depth.dtype, device=depth.device)
    fx, fy, cx, cy = camera[:, :, None, None].unbind(1)
    ray_x = ((columns[None, None, :] - cx) / fx).expand_as(depth)
    ray_y = ((rows[None, :, None] - cy) / fy).expand_as(depth)
    forward, left, up = ground_coordinates(metres, ray_x, ray_y, ground)
    known = valid * (ground[:, 3, None, None] > 0).to(depth.dtype)
    straight = metres * (1.0 + ray_x ** 2 + ray_y ** 2).sqrt()
    turn = SIDEWAYS * 2.0 * torch.atan(width / 2.0 / fx)
    obstacles = [
        brightness(along, near, far) * hit * known
        for along, hit in (obstacle_ahead(forward, left, up, ground, bearing)
                           for bearing in (torch.zeros_like(turn), turn, -turn))]
    return torch.stack([
        brightness(metres, near, far) * valid, near / metres * valid, valid, ray_x, ray_y,
        torch.tanh(left / 2.0) * known, torch.tanh(up / 2.0) * known,
        brightness(forward, near, far) * known, brightness(straight, near, far) * valid,
        *obstacles, up * known, forward * known, straight * valid], 1)


def ground_coordinates(
    depth: Tensor, ray_x: Tensor, ray_y: Tensor, ground: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Forward, left and up in metres from the camera's foot.

    Axes as in ``deepsight_ros.geometry.points.above_ground``: forward is the optical axis along
    the ground.

    Args:
        depth: metres [B, H, W].
        ray_x: x/z of every pixel's ray [B, H, W].
        ray_y: y/z of it [B, H, W].
        ground: as in ``depth_channels`` [B, 7].
    """
    nx, ny, nz, camera_height = ground[:, :4, None, None].unbind(1)
    x, y = depth * ray_x, depth * ray_y
    along = nx * x + ny * y + nz * depth
    norm = (1.0 - nz * nz).clamp(min=1e-6).sqrt()
    return (depth - nz * along) / norm, (nx * y - ny * x) / norm, camera_height - along


def obstacle_ahead(
    forward: Tensor, left: Tensor, up: Tensor, ground: Tensor, bearing: Tensor,
) -> tuple[Tensor, Tensor]:
    """Distance along a way in metres [B, H, W], and 1 where a robot on it would hit something.

    As ``deepsight_ros.geometry.points.in_the_way``; ``bearing`` [B, 1, 1] is in rad, left is
    positive.
    """
    width, height, lowest = ground[:, 4:, None, None].unbind(1)
    cosine, sine = torch.cos(bearing), torch.sin(bearing)
    along, aside = cosine * forward + sine * left, cosine * left - sine * forward
    hit = (aside.abs() < width / 2) & (up > lowest) & (up < height) & (along > 0)
    return along, hit.to(forward.dtype)


def nearest_brightness(channels: Tensor) -> Tensor:
    """Brightness of the nearest surface and of the obstacle on each way [B, len(NEAREST)].

    A few pixels may be nearer than "the nearest", as in ``geometry.points.nearest_pixel``.
    """
    pixels = channels[:, NEAREST].flatten(2)
    support = int(SUPPORT * pixels.shape[2])
    return pixels.topk(support + 1, 2).values[..., support]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group norm and a shortcut; group norm as batches are small."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(8, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(8, outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H/stride, W/stride]."""
        residual = self.second_norm(self.second(F.relu(self.first_norm(self.first(x)))))
        return F.relu(self.shortcut(x) + residual)


class LocalFeatures(nn.Sequential):
    """Channels at full size to local features at stride 4 [B, C, H/4, W/4]."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(CHANNELS, 32, 3, 2, 1),
            nn.ReLU(),
            ResidualBlock(32, channels, 2),
            ResidualBlock(channels, channels),
        )


class ZeroConv(nn.Conv2d):
    """Convolution that starts as zero, so that what it adds to does not change at first."""

    def reset_parameters(self) -> None:
        """Zero weights and bias."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class BoxBranch(nn.Module):
    """Local features inside boxes, convolved there only, added to the visual tokens.

    Zero-initialised: at first the tokens stay what they are without boxes.
    """

    def __init__(self, channels: int, hidden_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, 1, 1)
        self.projection = ZeroConv(channels, hidden_size, 1)

    def forward(self, features: Tensor, boxes: Tensor, grid: tuple[int, int]) -> Tensor:
        """[B, C, h, w] and boxes [B, N, 4] (x0, y0, x1, y1 in 0..1) to [B, grid, hidden_size].

        N may be 0, and a box without area fills up a batch.
        """
        height, width = features.shape[2:]
        x = (torch.arange(width, device=boxes.device) + 0.5) / width
        y = (torch.arange(height, device=boxes.device) + 0.5) / height
        x0, y0, x1, y1 = boxes[..., None].unbind(2)
        in_columns = ((x >= x0) & (x < x1)).to(features.dtype)
        in_rows = ((y >= y0) & (y < y1)).to(features.dtype)
        mask = torch.einsum('bny,bnx->byx', in_rows, in_columns)[:, None].clamp(max=1.0)
        local = F.gelu(self.convolution(features * mask)) * mask
        local = F.interpolate(local, grid, mode='bilinear', align_corners=False)
        inside = F.interpolate(mask, grid, mode='bilinear', align_corners=False)
        return (self.projection(local) * inside).flatten(2).transpose(1, 2)


class ConvStem(nn.Module):
    """Local features to visual tokens at stride 16, with learned positions."""

    def __init__(self, config: DepthEncoderConfig) -> None:
        super().__init__()
        middle, last = config.stem_channels
        rows, columns = config.grid
        self.blocks = nn.Sequential(
            ResidualBlock(config.local_channels, middle, 2), ResidualBlock(middle, middle),
            ResidualBlock(middle, last, 2))
        self.projection = nn.Conv2d(last, config.hidden_size, 1)
        self.position = nn.Parameter(
            0.02 * torch.randn(1, rows * columns, config.hidden_size))

    def forward(self, features: Tensor) -> Tensor:
        """Local features [B, C, H/4, W/4] to [B, N, hidden_size]."""
        x = self.projection(self.blocks(features))
        return x.flatten(2).transpose(1, 2) + self.position


class ContextFeatures(nn.Module):
    """What the transformer knows of every cell, back at stride 4, sharpened by local features."""

    def __init__(self, config: DepthEncoderConfig) -> None:
        super().__init__()
        self.reduction = nn.Conv2d(config.hidden_size, config.context_channels, 1)
        self.block = ResidualBlock(config.feature_channels, config.context_channels)

    def forward(self, cells: Tensor, features: Tensor) -> Tensor:
        """Cells [B, E, rows, columns], local features [B, C, h, w] to [B, context, h, w]."""
        coarse = F.interpolate(
            self.reduction(cells), features.shape[2:], mode='bilinear', align_corners=False)
        context: Tensor = self.block(torch.cat([features, coarse], 1))
        return context


class DepthEncoder(nn.Module):
    """Depth, camera and ground to visual tokens and local features."""

    def __init__(self, config: DepthEncoderConfig, attention: str) -> None:
        super().__init__()
        vision_config = CLIPVisionConfig(**config.vision, attn_implementation=attention)
        self.config = config
        self.local = LocalFeatures(config.local_channels)
        self.vision = CLIPVisionModel(vision_config)
        self.vision.post_layernorm = nn.Identity()
        self.geometry = None
        if config.kind == 'conv':
            self.vision.embeddings = ConvStem(config)
        else:
            self.geometry = ZeroConv(
                CHANNELS - 1, config.hidden_size, config.cell, config.cell, bias=False)
        self.context = ContextFeatures(config)
        self.boxes = (
            BoxBranch(config.local_channels, config.hidden_size) if config.box_branch else None)

    def forward(
        self, depth: Tensor, camera: Tensor, ground: Tensor, boxes: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encode a batch of depth pictures.

        Args:
            depth: metres [B, H, W] of the configured size; 0 where nothing was measured.
            camera: fx, fy, cx, cy in the picture's pixels [B, 4].
            ground: as in ``depth_channels`` [B, 7].
            boxes: x0, y0, x1, y1 in 0..1 [B, N, 4]; ignored without a box branch.

        Returns:
            Visual tokens [B, N, hidden_size], local features with context behind them
            [B, feature_channels, H/4, W/4] and the channels that both were made of, with lengths
            behind [B, CHANNELS + LENGTHS, H, W].
        """
        if depth.shape[1:] != (self.config.height, self.config.width):
            raise ValueError(f'depth is {tuple(depth.shape)}, the encoder takes '
                             f'[B, {self.config.height}, {self.config.width}]')
        channels = depth_channels(depth, camera, ground, self.config.near, self.config.far)
        features = self.local(channels[:, :CHANNELS])
        tokens = self._embed(channels, features)
        if self.boxes is not None and boxes is not None:
            tokens = self._add(tokens, self.boxes(features, boxes, self.config.grid))
        tokens = self.vision.pre_layrnorm(tokens)
        for layer in self.vision.encoder.layers:
            tokens = layer(tokens, attention_mask=None)
        rows, columns = self.config.grid
        tokens = tokens[:, -rows * columns:]
        context = self.context(tokens.transpose(1, 2).unflatten(2, (rows, columns)), features)
        return tokens, torch.cat([features, context], 1), channels

    def _embed(self, channels: Tensor, features: Tensor) -> Tensor:
        if self.geometry is None:
            tokens: Tensor = self.vision.embeddings(features)
            return tokens
        grey = (channels[:, :1] - CLIP_MEAN) / CLIP_STD
        tokens = self.vision.embeddings(grey.repeat(1, self.config.channels, 1, 1))
        return self._add(tokens, self.geometry(channels[:, 1:CHANNELS]).flatten(2).transpose(1, 2))

    @staticmethod
    def _add(tokens: Tensor, cells: Tensor) -> Tensor:
        """Add to the tokens of cells, not to CLIP's class token in front of them."""
        first = tokens.shape[1] - cells.shape[1]
        return torch.cat([tokens[:, :first], tokens[:, first:] + cells], 1)

    def load_clip(self, folder: str) -> None:
        """Take a pretrained CLIP's weights; RGB kernels become one by summing them."""
        vision = CLIPVisionModel.from_pretrained(
            folder, num_hidden_layers=self.config.vision['num_hidden_layers'])
        state = vision.state_dict()
        if self.config.channels == 1:
            kernels = state['embeddings.patch_embedding.weight']
            state['embeddings.patch_embedding.weight'] = kernels.sum(1, keepdim=True)
        self.vision.load_state_dict(
            {name: value for name, value in state.items() if 'post_layernorm' not in name})
