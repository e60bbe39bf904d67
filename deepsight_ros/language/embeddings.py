"""Tokens and places to what the language model reads, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Final
import zipfile

import numpy as np
import numpy.typing as npt

from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.places import Place

Floats = npt.NDArray[np.float32]

_ARRAYS: Final = ('tokens', 'weight_0', 'bias_0', 'weight_1', 'bias_1', 'lengths', 'periods',
                  'ray')


@dataclass(frozen=True, eq=False)
class Picture:
    """
    A depth picture as the encoder gives it.

    ``tokens`` [N, E] are the visual tokens, ``features`` [C, H/4, W/4] what is seen around each
    place, ``channels`` [K, H, W] the geometry that both were made of.
    """

    tokens: Floats
    features: Floats
    channels: Floats


class Embeddings:
    """
    The embedding table of the tokens, and the two layers that make a token of a place.

    The arrays are ``tokens`` [V, E], ``weight_0`` [E, F], ``bias_0`` [E], ``weight_1`` [E, E] and
    ``bias_1`` [E]; ``lengths`` [M] are the channels that hold metres, which are shown as waves
    that repeat after ``periods`` [P] (m), one for each digit that answers write. The last of them
    is the straight distance, and ``ray`` [2] are the channels of x/z and y/z.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the arrays; ``LanguageError`` when they do not fit each other."""
        if missing := sorted(set(_ARRAYS) - arrays.keys()):
            raise LanguageError(f'the embeddings lack {missing}; export the bundle again')
        self._table, *self._layers = (
            np.ascontiguousarray(arrays[name], np.float32) for name in _ARRAYS[:5])
        self._lengths = np.asarray(arrays['lengths'], np.int64)
        self._ray = np.asarray(arrays['ray'], np.int64)
        self._frequencies = 2 * np.pi / np.asarray(arrays['periods'], np.float64)
        size = self._table.shape[-1]
        shapes = [layer.shape for layer in self._layers]
        if self._table.ndim != 2 or [shapes[0][:1], *shapes[1:]] != [
                (size,), (size,), (size, size), (size,)]:
            raise LanguageError(f'the embeddings have the shapes {self._table.shape}, {shapes}, '
                                'which do not fit each other; export the bundle again')

    @classmethod
    def load(cls, path: Path) -> Embeddings:
        """Read an archive without pickles; raises ``LanguageError``."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls({name: archive[name] for name in archive.files})
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise LanguageError(f'{path} holds no embeddings ({error}); reinstall the bundle'
                                ) from error

    @property
    def size(self) -> int:
        """Length of an embedding."""
        return int(self._table.shape[1])

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return int(self._table.shape[0])

    def __call__(self, ids: Sequence[int]) -> Floats:
        """Embeddings [len(ids), E] of tokens."""
        rows: Floats = self._table[np.asarray(ids, np.int64)]
        return rows

    def row(self, token: int) -> Floats:
        """Embedding [E] of a token, a view."""
        view: Floats = self._table[token]
        return view

    def regions(self, picture: Picture, places: Sequence[Place]) -> Floats:
        """Embeddings [len(places), E] of what is at the places of one question, in its order."""
        if not places:
            return np.zeros((0, self.size), np.float32)
        weight_0, bias_0, weight_1, bias_1 = self._layers
        before = (places[0], *places[:-1])
        inputs = np.array([
            np.concatenate([self._features(picture, place), self._relation(picture, place, other)])
            for place, other in zip(places, before, strict=True)], np.float32)
        if inputs.shape[1] != weight_0.shape[1]:
            raise LanguageError(f'a place has {inputs.shape[1]} features, the embeddings take '
                                f'{weight_0.shape[1]}; export encoder and embeddings together')
        hidden = np.maximum(inputs @ weight_0.T + bias_0, np.float32(0))
        embeddings: Floats = hidden @ weight_1.T + bias_1
        return embeddings

    def _features(self, picture: Picture, place: Place) -> Floats:
        """Features around a place, channels, and the waves of the lengths among them."""
        channels = _at(picture.channels, place)
        return np.concatenate([_at(picture.features, place), np.delete(channels, self._lengths),
                               self._waves(channels[self._lengths])])

    def _relation(self, picture: Picture, place: Place, before: Place) -> Floats:
        """Whether there is a place before, and its distance; zero where either is not measured."""
        here, there = (_at(picture.channels, item) for item in (place, before))
        known = ((place.u, place.v) != (before.u, before.v)
                 and min(here[self._lengths[-1]], there[self._lengths[-1]]) > 0)
        gap = np.linalg.norm([self._point(here) - self._point(there)], axis=1)
        relation: Floats = np.float32(known) * np.concatenate(
            [[1.0], np.log1p(gap), self._waves(gap)])
        return relation

    def _point(self, channels: Floats) -> Floats:
        """Point [3] in metres of a pixel's channels."""
        ray = np.append(channels[self._ray], np.float32(1))
        point: Floats = ray * (channels[self._lengths[-1]] / np.linalg.norm(ray))
        return point

    def _waves(self, metres: Floats) -> Floats:
        """Sines, then cosines, of lengths."""
        angles = np.outer(metres, self._frequencies).ravel()
        return np.concatenate([np.sin(angles), np.cos(angles)])


def _at(picture: Floats, place: Place) -> Floats:
    """Values [C] of a picture [C, H, W] at a place."""
    column, row = place.pixel(picture.shape[2], picture.shape[1])
    values: Floats = picture[:, row, column]
    return values
