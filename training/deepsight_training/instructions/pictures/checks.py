"""Accepts or rejects instructions, always with a reason."""

from typing import Final

import numpy as np
from PIL import Image
import torch
from transformers import AutoModelForImageTextToText
from transformers import AutoProcessor

from deepsight_ros.language.answers import parse_answer
from deepsight_training.instructions.pictures.writers import Instruction
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.shards import ACCEPTED

TOLERANCE: Final = 0.1
"""Relative difference between a stated distance and the depth image at the place it names."""
_LONGEST: Final = 400
"""Characters of a question or answer."""


def check_with_depth(instruction: Instruction, sample: FrameSample) -> str:
    """Compare what an answer states with the depth image; return ACCEPTED or the reason."""
    if not instruction.question.strip() or not instruction.answer.strip():
        return 'empty'
    if max(len(instruction.question), len(instruction.answer)) > _LONGEST:
        return 'too long'
    answer = parse_answer(instruction.answer)
    if '<' in instruction.answer and not answer.places:
        return 'place outside the picture'
    if answer.distance is not None and answer.places and not answer.ahead:
        height, width = sample.depth.shape
        column, row = answer.places[0].pixel(width, height)
        around = sample.ranges[max(row - 1, 0):row + 2, max(column - 1, 0):column + 2]
        if not np.any(np.abs(around - answer.distance) < TOLERANCE * answer.distance):
            return 'disagrees with depth'
    return ACCEPTED


class PictureChecker:
    """A vision-language model that looks at the colour picture: LLaVA in the paper."""

    def __init__(self, name: str) -> None:
        """Load a local folder or a model of the hub."""
        self._processor = AutoProcessor.from_pretrained(name)
        self._model = AutoModelForImageTextToText.from_pretrained(name).eval().to(
            'cuda' if torch.cuda.is_available() else 'cpu')

    @torch.inference_mode()
    def __call__(self, instruction: Instruction, picture: Image.Image) -> str:
        """Return ACCEPTED, or the reason that the model gives."""
        prompt = (f'Question: {instruction.question}\nAnswer: {instruction.answer}\nPlaces are '
                  'given as shares of the width and height. Does the answer fit the picture? '
                  'Begin with yes or no, then give a reason in one sentence.')
        chat = [{'role': 'user', 'content': [{'type': 'image'}, {'type': 'text', 'text': prompt}]}]
        text = self._processor.apply_chat_template(chat, add_generation_prompt=True)
        inputs = self._processor(images=picture, text=text, return_tensors='pt').to(
            self._model.device, self._model.dtype)
        tokens = self._model.generate(**inputs, max_new_tokens=60, do_sample=False)
        new = tokens[0, inputs['input_ids'].shape[1]:]
        return verdict(self._processor.decode(new, skip_special_tokens=True))


def verdict(reply: str) -> str:
    """Read a reply that begins with yes or no; what does neither is rejected as well."""
    words = reply.strip().lower()
    if words.startswith('yes'):
        return ACCEPTED
    if words.startswith('no') and not words.startswith('not'):
        return f'picture: {words[2:].lstrip(",.:; ") or "no"}'
    return 'picture: no verdict'
