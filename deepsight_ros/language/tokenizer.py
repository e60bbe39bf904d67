"""Text and places to tokens and back, on ``tokenizers`` alone."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
import re
from typing import Final

import tokenizers

from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place

DEPTH: Final = '<depth>'
"""Stands once per visual token where the picture goes."""
REGION: Final = '<region>'
"""Stands where the local features of a place go."""
BINS: Final = 96
"""Steps of a location token over the picture's width or height."""
COLUMNS: Final = tuple(f'<x{i}>' for i in range(BINS))
ROWS: Final = tuple(f'<y{i}>' for i in range(BINS))
SPECIAL_TOKENS: Final = (DEPTH, REGION, *COLUMNS, *ROWS)
"""What a language model's own tokenizer must learn."""


class Tokenizer:
    """
    A ``tokenizer.json`` with DeepSight's special tokens.

    A place in a text becomes two location tokens, column and row, and a region token in front of
    them where the text asks to look closely.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        """Take a loaded tokenizer; ``LanguageError`` when it lacks a special token."""
        self.backend = backend
        self.depth_id = self.token(DEPTH)
        self.region_id = self.token(REGION)
        self.columns = [self.token(name) for name in COLUMNS]
        """Ids of the columns' location tokens, with which every place begins."""
        self._rows = [self.token(name) for name in ROWS]
        self._column_of = {token: i for i, token in enumerate(self.columns)}
        self._row_of = {token: i for i, token in enumerate(self._rows)}

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a ``tokenizer.json``; raises ``LanguageError``."""
        try:
            return cls(tokenizers.Tokenizer.from_file(str(path)))
        except LanguageError:
            raise
        except Exception as error:  # tokenizers raises plain Exception
            raise LanguageError(f'{path} is no tokenizer ({error}); reinstall the bundle'
                                ) from error

    @property
    def size(self) -> int:
        """Number of tokens."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))

    def token(self, name: str) -> int:
        """Id of a special token; ``LanguageError`` when there is none."""
        found = self.backend.token_to_id(name)
        if found is None:
            raise LanguageError(f'the tokenizer has no token {name}; it belongs to another model: '
                                'export the bundle again')
        return int(found)

    def encode_template(self, text: str) -> list[int]:
        """Tokens of a prompt's own text, in which special tokens are written out."""
        self.backend.encode_special_tokens = False
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    def encode(self, text: str) -> tuple[list[int], list[Place]]:
        """
        Tokens of a question or an answer, and the places of its region tokens in order.

        Special tokens that somebody writes into a text are plain text.
        """
        self.backend.encode_special_tokens = True
        ids: list[int] = []
        regions: list[Place] = []
        end = 0
        for found in PLACE.finditer(text):
            place = Place(float(found[2]), float(found[3]), found[1] == 'region')
            ids += self._plain(text[end:found.start()].removesuffix(' '))
            if place.is_region:
                ids.append(self.region_id)
                regions.append(place)
            ids += self.location(place)
            end = found.end()
        return ids + self._plain(text[end:]), regions

    def _plain(self, text: str) -> list[int]:
        return list(self.backend.encode(text, add_special_tokens=False).ids) if text else []

    def location(self, place: Place) -> list[int]:
        """Column and row token of a place."""
        column, row = place.pixel(BINS, BINS)
        return [self.columns[column], self._rows[row]]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of an answer; column and row tokens become a place, single ones vanish."""
        text = ''
        plain: list[int] = []
        for i, token in enumerate(ids):
            if token not in self._column_of and token not in self._row_of:
                plain.append(token)
            elif i and token in self._row_of and ids[i - 1] in self._column_of:
                text = _join(text, self._decode_plain(plain))
                place = Place.of_pixel(self._column_of[ids[i - 1]], self._row_of[token],
                                       BINS, BINS)
                text, plain = f'{text} {place}' if text else str(place), []
        return _join(text, self._decode_plain(plain))

    def _decode_plain(self, ids: Iterable[int]) -> str:
        return str(self.backend.decode(list(ids), skip_special_tokens=True))


def _join(text: str, more: str) -> str:
    """Put text behind text; bytes that are cut off are not shown, nor NUL, which ends strings."""
    return text + re.sub('\ufffd+$', '', more).replace('\0', '')
