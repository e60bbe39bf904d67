"""A fixed mixture of sources as one reproducible sequence of random views."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from deepsight_training.datasets.augment import random_view
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.datasets.sample import Sample

VIEW_SIZES: Final = ((256, 384), (192, 512), (288, 352))
"""Heights and widths of views, about 98000 pixels each; they take turns, batch by batch."""


class Mixture(Dataset[dict[str, Tensor]]):
    """Random views drawn from several sources with fixed shares.

    Item i depends on the seed and i alone, so a run that resumes at step n sees what an
    uninterrupted run would have seen, with any number of loader processes.

    Args:
        sources: samples by name of the source.
        shares: how often each source is drawn, relative to the others.
        length: number of views.
        batch_size: consecutive views of one batch have one size.
        stride: stride of the labels.
        seed: first half of every view's random state.
    """

    def __init__(
        self,
        sources: Mapping[str, Sequence[Sample]],
        shares: Mapping[str, float],
        length: int,
        batch_size: int,
        stride: int,
        seed: int,
    ) -> None:
        for name in shares:
            if not sources.get(name):
                raise DatasetError(f'the mixture wants {name}, which has no samples')
        self.sources = [sources[name] for name in shares]
        weights = np.array([shares[name] for name in shares], np.float64)
        self.probabilities = weights / weights.sum()
        self.length = length
        self.batch_size = batch_size
        self.stride = stride
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        source = self.sources[rng.choice(len(self.sources), p=self.probabilities)]
        sample = source[rng.integers(len(source))]
        size = VIEW_SIZES[index // self.batch_size % len(VIEW_SIZES)]
        image, labels = random_view(sample, size, self.stride, rng)
        return {'image': torch.from_numpy(image), 'labels': torch.from_numpy(labels)}
