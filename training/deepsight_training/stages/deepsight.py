"""Stages of DeepSight: which parts learn what, from where, for how long.

The paper trains in two stages, alignment and instruction tuning, with a controlled sampling ratio
between sources; which parts it trains when, and all numbers, are unknown and chosen here.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Final

from deepsight_training.datasets.questions import FAMILY_WEIGHTS
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.frames import Frames
from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.splits import TRAINED
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration


@dataclass(frozen=True)
class Source:
    """A reader of frames and what a model card calls them."""

    title: str
    read: Callable[[Path], Sequence[FrameSample]]


SOURCES: Final[dict[str, Source]] = {
    'worlds': Source('rendered rooms, corridors, crowds and streets of this project',
                     lambda folder: Frames(folder, 'train')),
    'halls': Source('rendered halls of this project, with things from everywhere',
                    lambda folder: Frames(folder, 'halls')),
    # As `instructions pictures` writes them.
    'coco': Source('COCO with estimated depth, captions and checked instructions',
                   lambda folder: Frames(folder, 'coco')),
}


def read_source(name: str, folder: Path) -> Sequence[FrameSample]:
    """Frames of one of ``SOURCES``, or of any ``name-*.tar`` in a folder."""
    if name in SOURCES:
        return SOURCES[name].read(folder)
    held_out = {*SPLITS} - {*TRAINED}
    if name in held_out:
        raise DatasetError(f'{name} is held out for scoring: train on another source')
    found = {path.name.rpartition('-')[0] for path in folder.glob('*-*.tar')} - held_out
    if name not in found:
        raise DatasetError(f'{folder} has no {name}-*.tar; sources are {", ".join(SOURCES)} and, '
                           f'in that folder, {", ".join(sorted(found)) or "no others"}')
    return Frames(folder, name)


@dataclass(frozen=True)
class DeepSightStage:
    """One training run.

    Attributes:
        trains: parts of the model that learn (``PARTS``); the others are frozen.
        steps: optimiser steps.
        learning_rate: peak; cosine to zero.
        batch_size: frames per step and process.
        shares: how often each source is drawn.
        families: weights of the question families.
        start: stage whose weights this one starts from; None starts from a preset's parts.
        lora_rank: rank of LoRA in the language model; 0 for none.
        is_averaged: whether an exponential moving average is kept.
        matrix_learning_rate: of Muon for matrices; 0 for AdamW alone.
        questions: per frame at most; with 0 the auxiliary heads alone teach what there is.
        seed: of the draws; a stage that goes on with the same frames draws them anew.

    """

    trains: tuple[str, ...]
    steps: int
    learning_rate: float
    batch_size: int = 8
    shares: Mapping[str, float] = field(default_factory=lambda: {'worlds': 1.0})
    families: Mapping[str, float] = field(default_factory=lambda: FAMILY_WEIGHTS)
    start: str | None = None
    lora_rank: int = 0
    is_averaged: bool = False
    matrix_learning_rate: float = 0.0
    questions: int = 13
    seed: int = 1


_NEW: Final = ('new',)
_ALL: Final = (*_NEW, 'vision', 'embeddings', 'language_model')
_MIXED: Final = {'worlds': 2.0, 'halls': 1.0}
LOOKING: Final = {
    'place_distance': 4.0, 'place_height': 1.5, 'nearest_obstacle': 1.0, 'nearest_surface': 0.5,
    'nearer': 1.0, 'recognition': 1.5}
NAMING: Final = {
    **dict.fromkeys(FAMILIES, 0.6), 'scene': 0.4, 'indoors': 0.3, 'absent_thing': 1.0,
    'out_of_scope': 0.8, 'recognition': 2.0, 'exists': 2.0, 'thing_distance': 4.0, 'count': 4.0,
    'left_right': 5.0, 'size': 2.5, 'distance_between': 1.8, 'nearest_obstacle': 1.2,
    'free_direction': 1.0, 'safe': 1.2, 'extent': 2.0, 'above_below': 1.2}
STAGES: Final[dict[str, DeepSightStage]] = {
    # Alignment: what was not pretrained learns to speak the language model's language.
    'deepsight_align': DeepSightStage(
        _NEW, 4000, 1e-3,
        families={'scene': 1.0, 'indoors': 1.0, 'recognition': 4.0, 'exists': 2.0}),
    'deepsight_instruct': DeepSightStage(
        (*_NEW, 'embeddings', 'lora'), 8000, 2e-4, start='deepsight_align', lora_rank=64),
    'deepsight_instruct_full': DeepSightStage(
        (*_NEW, 'embeddings', 'language_model'), 8000, 2e-5, start='deepsight_align'),
    # From scratch there is nothing to align with: all parts learn together. First to look: where
    # a place is, how far, how high, what. Among all families at once that is learned much later.
    'deepsight_nano_look': DeepSightStage(
        _ALL, 500, 4e-3, batch_size=16, families=LOOKING, matrix_learning_rate=0.03),
    'deepsight_nano_talk': DeepSightStage(
        _ALL, 2600, 2e-3, batch_size=16, start='deepsight_nano_look', is_averaged=True,
        matrix_learning_rate=0.012),
    # Names of things are learned slowly from answers: ten times as many frames without any.
    'deepsight_nano_see': DeepSightStage(
        (*_NEW, 'vision'), 7000, 1.2e-3, batch_size=16, start='deepsight_nano_talk',
        is_averaged=True, matrix_learning_rate=0.01, shares=_MIXED, questions=0),
    'deepsight_nano': DeepSightStage(
        _ALL, 3000, 1.5e-3, batch_size=16, start='deepsight_nano_see', is_averaged=True,
        matrix_learning_rate=0.01, shares=_MIXED, families=NAMING),
    # The eye alone goes on, at half the rate: the language model stays as it is, byte for byte.
    'deepsight_nano_see_on': DeepSightStage(
        (*_NEW, 'vision'), 10000, 6e-4, batch_size=16, start='deepsight_nano',
        is_averaged=True, matrix_learning_rate=0.005, shares=_MIXED, questions=0, seed=2),
    'deepsight_nano_eye': DeepSightStage(
        (*_NEW, 'vision'), 2000, 6e-4, batch_size=16, start='deepsight_nano_see_on',
        is_averaged=True, matrix_learning_rate=0.004, shares=_MIXED, seed=3,
        families={**NAMING, 'absent_thing': 2.5}),
}


def part_of(name: str) -> str:
    """Part of the model that a parameter belongs to.

    ``vision`` is CLIP's transformer, ``language_model`` the causal language model without its
    ``embeddings`` and ``lora`` adapters, ``new`` everything that no checkpoint brings along.
    """
    if name.startswith('language_model.'):
        if 'lora_' in name:
            return 'lora'
        is_embedding = 'embed_tokens' in name or 'lm_head' in name
        return 'embeddings' if is_embedding else 'language_model'
    return 'vision' if name.startswith('encoder.vision.') else 'new'


def freeze(model: DeepSightForConditionalGeneration, trains: Sequence[str]) -> None:
    """Let the given parts learn and no other."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in trains)


def trained_on(stage_name: str) -> tuple[str, ...]:
    """Titles of all data that a stage and the stages before it have seen."""
    stage = STAGES[stage_name]
    earlier = trained_on(stage.start) if stage.start else ()
    return tuple(dict.fromkeys([*earlier, *(SOURCES[name].title for name in stage.shares)]))
