"""Muon for matrices and AdamW for the rest, as one optimiser."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim import Muon
from torch.optim import Optimizer


class MuonWithAdamW(Optimizer):
    """Muon (K. Jordan, 2024) where a weight is a matrix between layers, AdamW elsewhere.

    Embeddings, convolutions, norms and biases are AdamW's.

    Args:
        parameters: of the model; those without gradient are left out.
        embeddings: tables, which are matrices but no maps from layer to layer.
        matrix_learning_rate: of Muon, in units of a matrix's spectral norm.
        learning_rate: of AdamW.
        weight_decay: of both.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], embeddings: set[nn.Parameter],
        matrix_learning_rate: float, learning_rate: float, weight_decay: float,
    ) -> None:
        learned = [item for item in parameters if item.requires_grad]
        matrices = [item for item in learned if item.ndim == 2 and item not in embeddings]
        rest = [item for item in learned if item.ndim != 2 or item in embeddings]
        self._parts = (
            Muon(matrices, lr=matrix_learning_rate, weight_decay=weight_decay),
            AdamW(rest, lr=learning_rate, betas=(0.9, 0.98), weight_decay=weight_decay))
        super().__init__(self._groups(), {})

    def _groups(self) -> list[dict[str, Any]]:
        """Groups of both, shared with them, so that a schedule sets their learning rates."""
        return [group for part in self._parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all weights."""
        if closure is not None:
            raise ValueError('this optimiser takes no closure')
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """States of both."""
        return {'parts': [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        for part, state in zip(self._parts, state_dict['parts'], strict=True):
            part.load_state_dict(state)
        self.param_groups = self._groups()
