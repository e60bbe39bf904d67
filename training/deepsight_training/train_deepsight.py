"""Train DeepSight; ``deepsight_training.train`` calls it for the stages of that name."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Final

from accelerate import PartialState
import numpy as np
from safetensors.torch import load_file
import tokenizers
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.pre_tokenizers import Digits
from tokenizers.pre_tokenizers import Sequence as InTurn
from tokenizers.trainers import BpeTrainer
import torch
from transformers import AutoConfig
from transformers import AutoTokenizer
from transformers import CLIPVisionConfig
from transformers import set_seed

from deepsight_ros.language.places import PLACE
from deepsight_ros.language.places import Place
from deepsight_ros.language.prompts import FORMATS
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.tokenizer import SPECIAL_TOKENS
from deepsight_ros.language.tokenizer import Tokenizer
from deepsight_training.datasets.questions import collate
from deepsight_training.datasets.questions import PictureFormat
from deepsight_training.datasets.questions import QuestionMixture
from deepsight_training.ema import EmaCallback
from deepsight_training.ema import FILE_NAME
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.models.configuration_deepsight import nano_config
from deepsight_training.models.configuration_deepsight import PRESETS
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.muon import MuonWithAdamW
from deepsight_training.stages.deepsight import freeze
from deepsight_training.stages.deepsight import read_source
from deepsight_training.stages.deepsight import STAGES
from deepsight_training.trainer import fit
from deepsight_training.trainer import items_of
from deepsight_training.trainer import latest_checkpoint

TOKENIZER: Final = 'tokenizer.json'
VOCABULARY: Final = 1024
"""Tokens of the nano model's own BPE, without the places'."""


@dataclass(frozen=True)
class Parts:
    """What a model starts from: a preset, and folders or hub ids instead of its own parts."""

    preset: str
    vision: str | None = None
    text: str | None = None


def nano_tokenizer(frames: Sequence[FrameSample], count: int = 400) -> Tokenizer:
    """Train byte-level BPE on questions about frames; digits stay apart."""
    rng = np.random.default_rng(0)
    texts = []
    for index in rng.permutation(len(frames))[:count]:
        for item in write_questions(frames[int(index)], rng):
            texts += [PLACE.sub('', item.text), PLACE.sub('', item.answer)]
    backend = tokenizers.Tokenizer(BPE())
    backend.pre_tokenizer = InTurn(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    backend.decoder = ByteLevelDecoder()
    form = FORMATS['nano']
    specials = ['<pad>', *SPECIAL_TOKENS, form.question, form.answer, form.end]
    backend.train_from_iterator(texts, BpeTrainer(
        vocab_size=VOCABULARY + len(specials), special_tokens=specials,
        initial_alphabet=ByteLevel.alphabet(), show_progress=False))
    return Tokenizer(backend)


def pretrained_tokenizer(text: str) -> Tokenizer:
    """Return a language model's own tokenizer with DeepSight's tokens added."""
    pretrained = AutoTokenizer.from_pretrained(text)
    pretrained.add_special_tokens({'additional_special_tokens': list(SPECIAL_TOKENS)})
    return Tokenizer(pretrained.backend_tokenizer)


def place_tokens(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of the tokens of picture and places, by their names in a model's config."""
    column, row = tokenizer.location(Place(0.0, 0.0))
    return {'depth_token_id': tokenizer.depth_id, 'region_token_id': tokenizer.region_id,
            'column_token_id': column, 'row_token_id': row}


def build_model(parts: Parts, tokenizer: Tokenizer) -> DeepSightForConditionalGeneration:
    """Assemble a preset's model; its parts are loaded through ``from_pretrained``."""
    preset = PRESETS[parts.preset]
    vision, text = parts.vision or preset.vision, parts.text or preset.text
    tokens = {**place_tokens(tokenizer), 'instance_classes': len(CLASS_NAMES)}
    end = tokenizer.token(FORMATS[preset.prompt].end)
    if vision is None or text is None:
        model = DeepSightForConditionalGeneration(nano_config(tokenizer.size, end, **tokens))
        model.spread_places()
        return model
    clip = CLIPVisionConfig.from_pretrained(vision)
    # As LLaVA: the features before CLIP's last layer.
    encoder = DepthEncoderConfig(
        'clip', {**clip.to_dict(), 'num_hidden_layers': clip.num_hidden_layers - 1},
        clip.image_size, clip.image_size, box_branch=True)
    text_config = AutoConfig.from_pretrained(text)
    text_config.vocab_size = max(text_config.vocab_size, tokenizer.size)
    text_config.eos_token_id = end
    config = DeepSightConfig(encoder, text_config, **tokens)
    model = DeepSightForConditionalGeneration.from_parts(config, vision, text)
    model.spread_places()
    return model


def load_stage(folder: Path) -> DeepSightForConditionalGeneration:
    """Model of a stage's checkpoint folder, with its averaged weights where the stage has any."""
    model = DeepSightForConditionalGeneration.from_pretrained(folder)
    if STAGES[folder.parent.name].is_averaged:
        if not (folder / FILE_NAME).is_file():
            raise FileNotFoundError(f'{folder} lacks the average, {FILE_NAME}: take a checkpoint '
                                    'that has it, or run that stage again')
        model.load_state_dict(load_file(folder / FILE_NAME))
    return model


def make_prompter(tokenizer: Tokenizer, preset: str, config: DeepSightConfig) -> Prompter:
    """Prompts of a preset for a model's number of visual tokens."""
    return Prompter(tokenizer, PRESETS[preset].prompt, config.encoder_config.visual_tokens)


def train_deepsight(
    stage_name: str, parts: Parts, data: Path, output: Path, *, steps: int | None = None,
    shares: Mapping[str, float] | None = None, **options: Any,
) -> Path:
    """Run a stage, or resume it when its folder already holds a checkpoint.

    Args:
        stage_name: one of ``STAGES``.
        parts: what the model starts from.
        data: folder of the frames.
        output: folder that holds one folder per stage.
        steps: optimiser steps instead of the stage's.
        shares: how often each source is drawn, instead of the stage's.
        options: of ``fit``.

    Returns:
        The folder of the last checkpoint.
    """
    set_seed(1)
    stage = STAGES[stage_name]
    folder = output / stage_name
    shares = shares or stage.shares
    frames = {name: read_source(name, data) for name in shares}
    with PartialState(cpu=not torch.cuda.is_available()).main_process_first():
        tokenizer = _tokenizer_for(stage_name, parts, output, next(iter(frames.values())))
    if stage.start is None:
        model = build_model(parts, tokenizer)
    else:
        model = load_stage(latest_checkpoint(
            output / stage.start, STAGES[stage.start].is_averaged))
    if stage.lora_rank:
        model.add_lora(stage.lora_rank, 2 * stage.lora_rank)
    freeze(model, stage.trains)
    if not torch.cuda.is_available():
        # With a mask of its own, PyTorch's fused attention is three times slower on a CPU.
        model.set_attn_implementation('eager')
    encoder = model.config.encoder_config
    steps = steps or stage.steps
    batch_size = options.pop('batch_size', stage.batch_size)
    accumulate = options.get('gradient_accumulation_steps', 1)
    mixture = QuestionMixture(
        frames, shares, items_of(steps, batch_size, accumulate),
        make_prompter(tokenizer, parts.preset, model.config),
        PictureFormat((encoder.width, encoder.height), encoder.grid, encoder.box_branch),
        stage.families, stage.questions, stage.seed)
    options = {'logging_steps': 20, 'weight_decay': 0.05, 'max_grad_norm': 1.0, **options}
    optimizer = None
    if stage.matrix_learning_rate:
        optimizer = MuonWithAdamW(
            model.parameters(), {model.get_input_embeddings().weight},
            stage.matrix_learning_rate, stage.learning_rate, options['weight_decay'])
    return fit(
        model, mixture, folder, steps=steps, batch_size=batch_size, collate=collate,
        learning_rate=stage.learning_rate, optimizer=optimizer,
        callbacks=(EmaCallback(),) if stage.is_averaged else (),
        **options)


def _tokenizer_for(
    stage_name: str, parts: Parts, output: Path, frames: Sequence[FrameSample],
) -> Tokenizer:
    """Tokenizer of a stage: the earlier stage's, the one of an interrupted run, or a new one."""
    start = STAGES[stage_name].start
    path = output / (start or stage_name) / TOKENIZER
    if path.exists():
        tokenizer = Tokenizer.load(path)
    elif text := parts.text or PRESETS[parts.preset].text:
        tokenizer = pretrained_tokenizer(text)
    else:
        tokenizer = nano_tokenizer(frames)
    folder = output / stage_name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.backend.save(str(folder / TOKENIZER))
    return tokenizer
