"""Instructions about a frame: by the grammar, or by a language model behind an endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
import json
import os
from typing import Final
from typing import Protocol

import numpy as np
from openai import OpenAI
from openai import OpenAIError

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.draft import nearest_of
from deepsight_training.instructions.draft import place_at
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import FrameSample

QUESTIONS: Final = 6
"""Instructions per picture."""
_TASK: Final = (
    'You see a depth image only through this list: captions of the scene, and objects with the '
    'distance of their nearest point and its place <loc:u,v> (u to the right, v down, 0..1). '
    f'Write {QUESTIONS} questions that a robot with a depth camera can answer, with short answers '
    'that follow from the list. Write lengths like "1.43 m" and places like <loc:0.250,0.750>. '
    'Never ask for colours, materials or writing. Reply with JSON only: '
    '[{"question": "...", "answer": "..."}]')


@dataclass(frozen=True)
class Instruction:
    """A question with its answer."""

    question: str
    answer: str


class InstructionWriter(Protocol):
    """Writes instructions about a frame, of which people said ``captions``."""

    def __call__(self, sample: FrameSample, captions: Sequence[str],
                 rng: np.random.Generator) -> list[Instruction] | None:
        """Return instructions, none if nothing can be said; None if a reply held no list."""
        ...


def grammar(sample: FrameSample, captions: Sequence[str],
            rng: np.random.Generator) -> list[Instruction]:
    """Write by our own grammar; needs no network."""
    return [Instruction(item.text, item.answer)
            for item in write_questions(sample, rng, count=QUESTIONS)]


class Endpoint:
    """A language model behind an OpenAI-compatible endpoint.

    ``OPENAI_API_KEY`` and, for other providers than OpenAI, ``OPENAI_BASE_URL`` come from the
    environment and from nowhere else.
    """

    def __init__(self, model: str) -> None:
        if not os.environ.get('OPENAI_API_KEY'):
            raise DatasetError('OPENAI_API_KEY is not set; export the key of the endpoint, or '
                               'write with --writer grammar')
        self._client = OpenAI(max_retries=8, timeout=60)
        self._model = model

    def __call__(self, sample: FrameSample, captions: Sequence[str],
                 rng: np.random.Generator) -> list[Instruction] | None:
        """Ask for instructions; a reply of another form than asked for gives None."""
        try:
            reply = self._client.chat.completions.create(
                model=self._model, seed=int(rng.integers(2**31)),
                messages=[{'role': 'system', 'content': _TASK},
                          {'role': 'user', 'content': describe(sample, captions)}])
        except OpenAIError as error:
            raise DatasetError(f'the endpoint failed: {error}; the same command again goes on '
                               'where it stopped') from error
        # A filter may leave no choice at all.
        return parse_reply(reply.choices[0].message.content or '' if reply.choices else '')


def describe(sample: FrameSample, captions: Sequence[str]) -> str:
    """List captions and objects with distance and place, as the writing model sees them."""
    lines = [f'caption: {caption}' for caption in captions]
    for thing, mask in sample.things.masks.items():
        found = nearest_of(sample, mask)
        if found is not None:
            name = sample.class_names[sample.things.class_of[thing]]
            lines.append(f'object: {name}, {found[0]:.2f} m at {place_at(sample, found[1])}')
    return '\n'.join(lines)


def parse_reply(text: str) -> list[Instruction] | None:
    """Read the JSON list in a reply, also from between other words; None without one."""
    start, end = text.find('['), text.rfind(']')
    try:
        listed = json.loads(text[start:end + 1])
        return [Instruction(str(entry['question']), str(entry['answer'])) for entry in listed]
    except (ValueError, TypeError, KeyError):
        return None
