"""The decoding loop: greedy or sampled, and stopped within one token."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
import time
from typing import Final
from typing import Literal

import numpy as np
import numpy.typing as npt

from deepsight_ros.engines.tensors import Array
from deepsight_ros.language.decoder import Decoder
from deepsight_ros.language.decoder import Step
from deepsight_ros.language.embeddings import Embeddings
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.prompts import Prompter

Ending = Literal['ok', 'cancelled', 'deadline']


@dataclass(frozen=True)
class Sampling:
    """
    Draw tokens instead of taking the likeliest.

    ``temperature`` > 0 flattens or sharpens the probabilities; of the likeliest tokens only those
    that make up ``top_p`` are drawn from. Equal seeds give equal answers.
    """

    seed: int
    temperature: float = 1.0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """Reject what is no distribution."""
        if not self.temperature > 0 or not 0 < self.top_p <= 1:
            raise LanguageError(f'temperature {self.temperature:g} must be positive and top_p '
                                f'{self.top_p:g} in 0..1')


@dataclass(frozen=True)
class Limits:
    """
    When to stop before the model does.

    ``deadline`` is on the clock of ``time.monotonic``; ``is_cancelled`` is asked before each
    token.
    """

    tokens: int = 48
    deadline: float = float('inf')
    is_cancelled: Callable[[], bool] = lambda: False


NO_LIMITS: Final = Limits()
"""Neither deadline nor cancel; as many tokens as an answer ever needs."""


class Drawing:
    """Draws tokens as ``Sampling`` has it."""

    def __init__(self, sampling: Sampling) -> None:
        """Start from the seed."""
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def __call__(self, step: Step) -> tuple[int, float]:
        """Next token and its probability."""
        logits = step.logits[0].astype(np.float64)
        shares = _softmax(logits / self._sampling.temperature)
        order = np.argsort(-shares)
        last = int(np.searchsorted(np.cumsum(shares[order]), self._sampling.top_p))
        kept = order[:last + 1]
        token = int(self._random.choice(kept, p=shares[kept] / shares[kept].sum()))
        return token, float(_softmax(logits)[token])


class Greedy:
    """
    Takes the likeliest token, where a place counts as likely as all places together.

    A model that is sure that there is something to point at, but not of the pixel, shares its
    probability among neighbouring location tokens: each of them alone would lose against "none in
    view", or against the end of a list.
    """

    def __init__(self, columns: Sequence[int]) -> None:
        """Take the ids of the tokens that a place begins with."""
        self._columns = np.array(columns)
        # Kept, so that a token makes no new array; nor does take in the mode 'clip'.
        self._shares = np.empty(len(columns), np.float32)

    def __call__(self, step: Step) -> tuple[int, float]:
        """Next token and its probability, for a column that of all columns."""
        np.take(step.logits[0], self._columns, out=self._shares, mode='clip')
        likeliest = int(self._shares.argmax())
        self._shares -= step.logits[0, step.token]
        np.exp(self._shares, out=self._shares)
        share = step.probability * float(self._shares.sum())
        if share > step.probability:
            return int(self._columns[likeliest]), share
        return step.token, step.probability


@dataclass(frozen=True)
class Generation:
    """
    An answer's tokens and how they came about.

    ``probability`` is the product of the tokens' probabilities, ``status`` says what ended it (an
    answer that ran out of tokens or capacity is ``ok``), times are in seconds.
    """

    tokens: tuple[int, ...]
    probability: float
    status: Ending
    prefill_s: float
    decode_s: float


def generate(
    decoder: Decoder, embeddings: Embeddings, prompt: npt.NDArray[np.float32],
    prompter: Prompter, limits: Limits = NO_LIMITS, sampling: Sampling | None = None,
    on_token: Callable[[tuple[int, ...]], None] | None = None,
) -> Generation:
    """
    Answer a prompt [S, E] that follows what the decoder holds.

    ``prompter`` knows the token that ends an answer, which is not part of it, and those of places.
    ``on_token`` sees the tokens so far. Raises ``LanguageError`` when the prompt is too long.
    """
    choose = Drawing(sampling) if sampling else Greedy(prompter.tokenizer.columns)
    started = time.monotonic()
    tokens: list[int] = []
    probability = 1.0
    status = _ended(limits)
    if status != 'ok':
        return Generation((), 0.0, status, 0.0, 0.0)
    step = decoder.run(prompt)
    prefilled = time.monotonic()
    while True:
        if (status := _ended(limits)) != 'ok':
            break
        token, share = choose(step)
        probability *= share
        if token == prompter.end:
            break
        tokens.append(token)
        if on_token is not None:
            on_token(tuple(tokens))
        if len(tokens) == limits.tokens or decoder.length == decoder.capacity:
            break
        step = decoder.step(embeddings.row(token))
    return Generation(tuple(tokens), probability, status, prefilled - started,
                      time.monotonic() - prefilled)


def _ended(limits: Limits) -> Ending:
    if limits.is_cancelled():
        return 'cancelled'
    return 'deadline' if time.monotonic() >= limits.deadline else 'ok'


def _softmax(logits: Array) -> Array:
    shares = np.exp(logits - logits.max())
    normalised: Array = shares / shares.sum()
    return normalised
