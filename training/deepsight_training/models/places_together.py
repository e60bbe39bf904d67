"""The greedy choice of ``deepsight_ros.language.generation`` for ``generate`` of transformers."""

import torch
from torch import Tensor
from transformers import LogitsProcessor

from deepsight_ros.language.tokenizer import BINS
from deepsight_training.models.configuration_deepsight import DeepSightConfig


class PlacesTogether(LogitsProcessor):
    """Lets the likeliest column stand for all columns: a place is as likely as all together."""

    def __init__(self, config: DeepSightConfig) -> None:
        self.columns = slice(config.column_token_id, config.column_token_id + BINS)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Logits [B, V] with all of the columns' probability on the likeliest of them."""
        columns = scores[:, self.columns]
        together = torch.full_like(columns, -torch.inf)
        together.scatter_(1, columns.argmax(1, keepdim=True),
                          columns.logsumexp(1, keepdim=True))
        scores = scores.clone()
        scores[:, self.columns] = together
        return scores
