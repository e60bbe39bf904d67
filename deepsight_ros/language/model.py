"""A language model of a bundle that answers questions about encoded pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.language.confidence import CONFIDENCE
from deepsight_ros.language.confidence import Confidence
from deepsight_ros.language.decoder import Decoder
from deepsight_ros.language.embeddings import Embeddings
from deepsight_ros.language.embeddings import Floats
from deepsight_ros.language.embeddings import Picture
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.generation import generate
from deepsight_ros.language.generation import Generation
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.generation import NO_LIMITS
from deepsight_ros.language.generation import Sampling
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.prompts import Question
from deepsight_ros.language.tokenizer import Tokenizer

TASK: Final = 'spatial_language'
EMBEDDINGS: Final = 'embeddings.npz'


class LanguageModel:
    """
    Answers questions; those about one picture share its keys and values.

    Not thread safe: one user at a time.
    """

    def __init__(self, engine: Engine, bundle: Path) -> None:
        """Take the engine of a bundle; ``LanguageError`` when its parts do not fit."""
        manifest = engine.manifest
        if manifest.task != TASK:
            raise LanguageError(f'bundle {manifest.name!r} does {manifest.task!r}, not {TASK!r}; '
                                'give the bundle of a language model')
        try:
            prompt = str(manifest.preprocessing['prompt'])
            visual_tokens = int(manifest.preprocessing['visual_tokens'])
        except (KeyError, TypeError, ValueError) as error:
            raise LanguageError(f'bundle {manifest.name!r}: preprocessing lacks prompt or '
                                'visual_tokens; export it again') from error
        if EMBEDDINGS not in manifest.files:
            raise LanguageError(f'bundle {manifest.name!r}: {EMBEDDINGS} has no hash in the '
                                'manifest; export it again')
        self.tokenizer = Tokenizer.load(bundle / manifest.tokenizer)
        self.prompter = Prompter(self.tokenizer, prompt, visual_tokens)
        self.embeddings = Embeddings.load(bundle / EMBEDDINGS)
        self.decoder = Decoder(engine)
        if self.embeddings.size != self.decoder.size or \
                self.embeddings.tokens < self.tokenizer.size:
            raise LanguageError(
                f'bundle {manifest.name!r}: the tokenizer has {self.tokenizer.size} tokens, the '
                f'embeddings {self.embeddings.tokens} of length {self.embeddings.size}, the graph '
                f'takes length {self.decoder.size}; export the bundle again')
        self.confidence = (Confidence.load(bundle / CONFIDENCE)
                           if CONFIDENCE in manifest.files else Confidence({}))
        """How likely an answer is right, by its form and the probability of its tokens."""
        self._visual_tokens = visual_tokens
        self._picture: Picture | None = None

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1, **options: Any) -> LanguageModel:
        """
        Load a bundle folder; ``options`` are those of ``load_engine``.

        Raises ``EngineError`` and ``LanguageError``.
        """
        with ExitStack() as undo:
            engine = undo.enter_context(load_engine(bundle, threads=threads, **options))
            model = cls(engine, bundle)
            undo.pop_all()
        return model

    def change_decoder(self, decoder: Decoder) -> None:
        """Go on with another decoder of the same graph."""
        self.decoder = decoder
        self._picture = None

    def answer(
        self, picture: Picture, question: str, limits: Limits = NO_LIMITS,
        sampling: Sampling | None = None, on_text: Callable[[str], None] | None = None,
    ) -> tuple[str, Generation]:
        """
        Answer a question about a picture.

        ``on_text`` sees the text so far. Raises ``LanguageError`` for a question that is too long
        and ``EngineError`` when the engine fails.
        """
        prompter, embeddings = self.prompter, self.embeddings
        asked = prompter.question(question)
        room = self.decoder.capacity - len(prompter.picture) - limits.tokens
        if len(asked.ids) > room:
            raise LanguageError(f'the question has {len(asked.ids)} tokens, there is room for '
                                f'{room}; ask a shorter one')
        prompt = self._question_embeddings(picture, asked)
        if self._picture is picture:
            self.decoder.rewind(len(prompter.picture))
        else:
            self._picture = None
            self.decoder.rewind()
            prompt = np.concatenate([self._picture_embeddings(picture), prompt])
        seen = None
        if on_text is not None:
            say = on_text

            def seen(tokens: tuple[int, ...]) -> None:
                say(self.tokenizer.decode(tokens))
        done = generate(self.decoder, embeddings, prompt, prompter, limits, sampling, seen)
        if self.decoder.length:
            self._picture = picture
        return self.tokenizer.decode(done.tokens), done

    def prompt(self, picture: Picture, question: str) -> Floats:
        """Embeddings [S, E] of a picture and a question, as the decoder takes them."""
        asked = self.prompter.question(question)
        return np.concatenate([self._picture_embeddings(picture),
                               self._question_embeddings(picture, asked)])

    def _question_embeddings(self, picture: Picture, asked: Question) -> Floats:
        rows = self.embeddings(asked.ids)
        is_region = np.array(asked.ids) == self.tokenizer.region_id
        rows[is_region] = self.embeddings.regions(picture, asked.regions)
        return rows

    def _picture_embeddings(self, picture: Picture) -> Floats:
        if picture.tokens.shape != (self._visual_tokens, self.embeddings.size):
            raise LanguageError(f'the encoder gives tokens of shape {picture.tokens.shape}, the '
                                f'language model takes {self._visual_tokens} of length '
                                f'{self.embeddings.size}; export both together')
        rows = self.embeddings(self.prompter.picture)
        rows[np.array(self.prompter.picture) == self.tokenizer.depth_id] = picture.tokens
        return rows
