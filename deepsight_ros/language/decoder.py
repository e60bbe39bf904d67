"""A language model's graph together with its buffer of keys and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.tensors import Array
from deepsight_ros.language.errors import LanguageError

BLOCKED: Final = -3e4
"""Added to attention where a token must not look; half precision holds it, too."""
BUCKET: Final = 16
"""On a GPU prompts are padded to multiples of this, as each length has a graph of its own."""
_INPUTS: Final = {'embeddings', 'positions', 'mask', 'row', 'kv'}
_OUTPUTS: Final = {'logits', 'token', 'probability', 'kv_new'}


@dataclass(frozen=True)
class Step:
    """
    What follows the tokens that were run.

    ``token`` is the likeliest next token and ``probability`` its probability; ``logits`` [1, V]
    are those of all.
    """

    token: int
    probability: float
    logits: Array


class Decoder:
    """
    Runs tokens behind those that the buffer already holds.

    Positions count from the start of the buffer. Going back to an earlier ``length`` forgets what
    lies behind it: so questions about one picture share the picture's keys and values.
    """

    def __init__(self, engine: Engine) -> None:
        """Take a loaded engine; ``LanguageError`` when its graph is no language model's."""
        inputs = {spec.name: spec for spec in engine.inputs}
        if inputs.keys() != _INPUTS or {spec.name for spec in engine.outputs} != _OUTPUTS:
            raise LanguageError(f'bundle {engine.manifest.name!r} takes {sorted(inputs)}, a model '
                                f'of language takes {sorted(_INPUTS)}; give another bundle')
        self.engine = engine
        self._kv = engine.allocate('kv')
        self.capacity = self._kv.shape[1]
        """Tokens that the buffer holds at most."""
        self.length = 0
        """Tokens that it holds."""
        self._dtype = np.dtype(inputs['embeddings'].dtype)
        self.size = int(inputs['embeddings'].shape[2])
        """Length of an embedding."""
        self._bucket = BUCKET if engine.backend.startswith('tensorrt') else 1
        # What single tokens need is kept: a new array each time would cost as much as the call.
        self._embeddings = np.zeros((1, 1, self.size), self._dtype)
        self._positions = np.zeros((1, 1), np.int64)
        self._row = np.zeros(1, np.int64)
        self._mask = np.full((1, self.capacity + 1), BLOCKED, inputs['mask'].dtype)
        self._mask[0, -1] = 0

    def rewind(self, length: int = 0) -> None:
        """Forget all tokens behind the first ``length``."""
        if not 0 <= length <= self.length:
            raise LanguageError(f'cannot go back to {length} of {self.length} tokens')
        self._mask[0, length:self.length] = BLOCKED
        self.length = length

    def run(self, embeddings: npt.NDArray[np.float32]) -> Step:
        """Run a prompt's tokens [S, E]; ``LanguageError`` when they exceed the capacity."""
        count = len(embeddings)
        padded = -(-count // self._bucket) * self._bucket
        if self.length + padded > self.capacity:
            raise LanguageError(f'{self.length + count} tokens exceed the {self.capacity} of the '
                                'model; ask a shorter question')
        tokens = np.zeros((1, padded, self.size), self._dtype)
        tokens[0, :count] = embeddings
        mask = np.full((padded, self.capacity + padded), BLOCKED, self._mask.dtype)
        mask[:, :self.length] = 0
        mask[:, self.capacity:][np.tri(padded, dtype=bool)] = 0
        return self._run({
            'embeddings': tokens, 'mask': mask, 'row': np.array([count - 1]),
            'positions': np.arange(self.length, self.length + padded)[None]}, count)

    def step(self, embedding: npt.NDArray[np.float32]) -> Step:
        """Run one token [E]; ``LanguageError`` when the buffer is full."""
        if self.length == self.capacity:
            raise LanguageError(f'the {self.capacity} tokens of the model are used up')
        self._embeddings[0, 0] = embedding
        self._positions[0, 0] = self.length
        return self._run({'embeddings': self._embeddings, 'positions': self._positions,
                          'mask': self._mask, 'row': self._row}, 1)

    def _run(self, inputs: dict[str, Array], count: int) -> Step:
        found = self.engine({**inputs, 'kv': self._kv},
                            into={'kv_new': self._kv.slice(1, self.length)})
        self._mask[0, self.length:self.length + count] = 0
        self.length += count
        return Step(int(found['token'][0]), float(found['probability'][0]), found['logits'])
