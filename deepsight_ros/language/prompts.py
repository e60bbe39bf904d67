"""The prompt: picture, question, answer. Training and run time both take it from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place
from deepsight_ros.language.tokenizer import Tokenizer


@dataclass(frozen=True)
class PromptFormat:
    """Text around the picture, the question and the answer; ``end`` is a token of its own."""

    before: str
    question: str
    answer: str
    end: str


FORMATS: Final[dict[str, PromptFormat]] = {
    'nano': PromptFormat('', '<question>', '<answer>', '<end>'),
    'vicuna': PromptFormat(
        '<s>A chat between a curious user and an artificial intelligence assistant. The assistant '
        "gives helpful, detailed, and polite answers to the user's questions. USER: ",
        '\n', ' ASSISTANT:', '</s>'),
    'chatml': PromptFormat(
        '<|im_start|>user\n', '\n', '<|im_end|>\n<|im_start|>assistant\n', '<|im_end|>'),
}
"""Prompt formats by name: our own, Vicuna's and Qwen's."""


@dataclass(frozen=True)
class Question:
    """Tokens of a question behind the picture, and the places of its region tokens in order."""

    ids: tuple[int, ...]
    regions: tuple[Place, ...]


class Prompter:
    """Writes prompts for one tokenizer and one format."""

    def __init__(self, tokenizer: Tokenizer, format_name: str, visual_tokens: int) -> None:
        """Take the number of visual tokens of a picture; raises ``LanguageError``."""
        if format_name not in FORMATS:
            raise LanguageError(f'prompt format {format_name!r} is unknown, known are '
                                f'{sorted(FORMATS)}; update deepsight_ros')
        form = FORMATS[format_name]
        self.tokenizer = tokenizer
        self.end = tokenizer.token(form.end)
        self.picture = (*tokenizer.encode_template(form.before),
                        *[tokenizer.depth_id] * visual_tokens)
        """Tokens of the picture: the same for every question."""
        self._question = tuple(tokenizer.encode_template(form.question))
        self._answer = tuple(tokenizer.encode_template(form.answer))

    def question(self, text: str) -> Question:
        """
        Tokens between the picture and the answer.

        Every place is looked at closely, also one that is given as a bare location: from location
        tokens alone a small model reads a distance far less well.
        """
        looked_at = PLACE.sub(r'<region:\2,\3>', text.strip())
        ids, regions = self.tokenizer.encode(looked_at)
        return Question((*self._question, *ids, *self._answer), tuple(regions))

    def answer(self, text: str) -> tuple[int, ...]:
        """Tokens that a model should say, the end included; for training."""
        # A bare location in an answer: the model points, it does not look.
        return (*self.tokenizer.encode(text)[0], self.end)
