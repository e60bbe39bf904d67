"""Make a bundle: ``python -m deepsight_training.export_deepsight --stage deepsight_nano ...``."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

import numpy as np
import torch

from deepsight_ros.engines.manifest import MANIFEST
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.manifest import Variant
from deepsight_ros.language.confidence import CONFIDENCE
from deepsight_ros.language.decoder import BUCKET
from deepsight_ros.language.model import EMBEDDINGS
from deepsight_ros.language.model import TASK
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.tokenizer import Tokenizer
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.perception.answering import ENCODER_TASK
from deepsight_ros.perception.regions import REGIONS
from deepsight_training.calibrate_deepsight import calibrate
from deepsight_training.deepsight_card import deepsight_card
from deepsight_training.deepsight_graphs import ATTENTION
from deepsight_training.deepsight_graphs import export_decoder
from deepsight_training.deepsight_graphs import export_encoder
from deepsight_training.deepsight_graphs import kv_rows
from deepsight_training.instructions.frames import Frames
from deepsight_training.language_inputs import record_inputs
from deepsight_training.measure_deepsight import measure
from deepsight_training.model_card import CARD
from deepsight_training.models.configuration_deepsight import PRESETS
from deepsight_training.models.depth_encoder import CHANNELS
from deepsight_training.models.depth_encoder import LENGTHS
from deepsight_training.models.depth_encoder import RAY
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.models.place_features import PERIODS
from deepsight_training.stages.deepsight import STAGES
from deepsight_training.stages.deepsight import trained_on
from deepsight_training.train_deepsight import load_stage
from deepsight_training.train_deepsight import TOKENIZER
from deepsight_training.trainer import latest_checkpoint
from deepsight_training.weights_int8 import quantise

VERSION: Final = '0.1.0'
LICENCE: Final = 'Apache-2.0'
CAPACITY: Final = 256
"""Tokens of picture, question and answer that the language model's buffer holds at least."""
TEXT: Final = 175
"""Tokens of question and answer that it has room for behind any picture."""
LARGEST: Final = 2**31
"""Bytes that a graph may have: a file of protobuf holds no more."""
HELD_OUT: Final = 'held_out_seeds'
"""Split that a bundle is compared with PyTorch on."""
BOTH: Final = ('onnxruntime', 'tensorrt')
_BOXES: Final = TensorSpec('boxes', 'float32', (1, REGIONS, 4), 'x0, y0, x1, y1 of what stands '
                           'out, in shares of width and height; zero: none')

Metrics = tuple[dict[str, Any], ...]


def write_bundle(
    model: DeepSightForConditionalGeneration, tokenizer: Tokenizer, folder: Path, *,
    prompt: str, trained: tuple[str, ...], capacity: int | None = None,
    attention: str = 'plain', half: bool = True,
) -> None:
    """Write the language model's bundle, and the depth encoder's in a folder inside it.

    Args:
        model: what to export; adapters are folded into its weights, and these are rounded.
        tokenizer: the model's.
        folder: of the bundle, whose name it takes.
        prompt: name of the prompt format.
        trained: what it was trained on.
        capacity: tokens of picture, question and answer together, instead of ``capacity_for``.
        attention: 'plain' or 'fused'.
        half: whether to write a graph in half precision, too.
    """
    model.merge_lora()
    if capacity is None:
        visual_tokens = model.config.encoder_config.visual_tokens
        capacity = capacity_for(len(Prompter(tokenizer, prompt, visual_tokens).picture))
    check_size(model, capacity)
    round_weights(model)
    encoder = folder / ENCODER
    encoder.mkdir(parents=True, exist_ok=True)
    # Curves of other weights say nothing about these.
    (folder / CONFIDENCE).unlink(missing_ok=True)
    export_encoder(model, encoder / 'encoder.onnx', attention)
    export_decoder(model, folder / 'decoder.onnx', capacity, attention)
    (folder / 'decoder_fp16.onnx').unlink(missing_ok=True)
    if half:
        export_decoder(model, folder / 'decoder_fp16.onnx', capacity, attention, torch.float16)
    quantise(folder / 'decoder.onnx', folder / 'decoder_int8.onnx')
    write_embeddings(model, folder / EMBEDDINGS)
    tokenizer.backend.save(str(folder / TOKENIZER))
    _encoder_manifest(model, encoder, attention, trained).write(encoder)
    variants = (
        # Each backend takes the first one that it can run.
        Variant('decoder_int8.onnx', 'int8', ('onnxruntime',), attention),
        *((Variant('decoder_fp16.onnx', 'fp16', BOTH, attention),) if half else ()),
        Variant('decoder.onnx', 'fp32', BOTH, attention))
    _decoder_manifest(model, folder, prompt, capacity, variants, trained).write(folder)
    record_inputs(folder)
    describe(model, folder, trained, ())


def capacity_for(picture: int) -> int:
    """Tokens of the buffer for pictures of so many: whole buckets, as TensorRT takes prompts."""
    return max(CAPACITY, -(-(picture + TEXT) // BUCKET) * BUCKET)


def check_size(model: DeepSightForConditionalGeneration, capacity: int) -> None:
    """Refuse before hours of exporting what no graph can hold, or no position reaches."""
    text = model.config.text_config
    if capacity > text.max_position_embeddings:
        raise ValueError(f'the picture needs a buffer of {capacity} tokens, the language model '
                         f'knows {text.max_position_embeddings}; train with another --text')
    weights = sum(parameter.numel() for parameter in model.language_model.parameters())
    if not text.tie_word_embeddings:
        # The table of tokens is a file of its own.
        weights -= model.get_input_embeddings().weight.numel()
    if 4 * weights >= LARGEST:
        raise ValueError(
            f'the language model has {4e-9 * weights:.1f} GB of weights in single precision, an '
            'ONNX file holds 2 GB: export a model of up to 500 million weights, and ask this one '
            'with PyTorch')


@torch.no_grad()
def round_weights(model: DeepSightForConditionalGeneration) -> None:
    """Round weights to bfloat16, in place.

    Training multiplies with weights rounded like this; bits behind them were never learned, and
    keep bundles from being packed.
    """
    for parameter in model.parameters():
        parameter.copy_(parameter.bfloat16())


def describe(
    model: DeepSightForConditionalGeneration, folder: Path, trained: tuple[str, ...],
    metrics: Metrics,
) -> None:
    """Write the model card of a bundle, and what was measured into its manifest."""
    card = deepsight_card(folder.name, model, LICENCE, trained, metrics)
    (folder / CARD).write_text(card, encoding='utf-8')
    manifest = replace(Manifest.read(folder), metrics=metrics, files=_hashes(folder))
    manifest.write(folder)


def write_embeddings(model: DeepSightForConditionalGeneration, path: Path) -> None:
    """Write the table of token embeddings and the two layers that make tokens of places."""
    first, _, second = model.region_projector
    arrays = {
        'tokens': model.get_input_embeddings().weight, 'weight_0': first.weight,
        'bias_0': first.bias, 'weight_1': second.weight, 'bias_1': second.bias}
    np.savez(path, lengths=range(CHANNELS, CHANNELS + LENGTHS), periods=PERIODS, ray=RAY,
             **{name: value.detach().numpy() for name, value in arrays.items()})


def _encoder_manifest(
    model: DeepSightForConditionalGeneration, folder: Path, attention: str,
    trained: tuple[str, ...],
) -> Manifest:
    config = model.config.encoder_config
    size = model.config.text_config.hidden_size
    return Manifest(
        name=f'{folder.parent.name}_{ENCODER}', task=ENCODER_TASK, version=VERSION,
        licence=LICENCE,
        variants=(Variant('encoder.onnx', 'fp32', BOTH, attention),),
        inputs=(
            TensorSpec('depth', 'float32', (1, config.height, config.width),
                       'depth along the optical axis, 0 where nothing was measured', 'm'),
            TensorSpec('camera', 'float32', (1, 4), 'fx, fy, cx, cy in these pixels', 'pixel'),
            TensorSpec('ground', 'float32', (1, 7), 'unit normal towards the ground, camera '
                       'height, robot width, height and lowest obstacle; zero: unknown', 'm'),
            *((_BOXES,) if config.box_branch else ())),
        outputs=(
            TensorSpec('tokens', 'float32', (1, config.visual_tokens, size), 'visual tokens'),
            TensorSpec('features', 'float32', (
                1, config.feature_channels, config.height // 4, config.width // 4),
                'local features with context'),
            TensorSpec('channels', 'float32', (1, CHANNELS + LENGTHS, config.height, config.width),
                       'geometry of every pixel')),
        files=_hashes(folder),
        preprocessing={'width': config.width, 'height': config.height},
        training_data='; '.join(trained))


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.iterdir())
            if path.is_file() and path.name != MANIFEST}


def _decoder_manifest(
    model: DeepSightForConditionalGeneration, folder: Path, prompt: str, capacity: int,
    variants: tuple[Variant, ...], trained: tuple[str, ...],
) -> Manifest:
    config = model.config
    rows, size = kv_rows(model.language_model)
    width, tokens = config.text_config.hidden_size, config.text_config.vocab_size
    inputs = (
        TensorSpec('embeddings', 'float32', (1, 'tokens', width), 'what the tokens mean'),
        TensorSpec('positions', 'int64', (1, 'tokens'), 'places in the text, from 0'),
        TensorSpec('mask', 'float32', ('tokens', 'capacity + tokens'),
                   'added to attention: 0 where a token may look'),
        TensorSpec('row', 'int64', (1,), 'token whose successor is wanted'),
        TensorSpec('kv', 'float32', (rows, capacity, size), 'keys and values so far'))
    outputs = (
        TensorSpec('logits', 'float32', (1, tokens), 'of the next token'),
        TensorSpec('token', 'int64', (1,), 'the likeliest next token'),
        TensorSpec('probability', 'float32', (1,), 'its probability'),
        TensorSpec('kv_new', 'float32', (rows, 'tokens', size), 'rows to write into kv'))
    return Manifest(
        name=folder.name, task=TASK, version=VERSION, licence=LICENCE, variants=variants,
        inputs=inputs, outputs=outputs,
        files=_hashes(folder),
        preprocessing={'prompt': prompt, 'visual_tokens': config.encoder_config.visual_tokens},
        tokenizer=TOKENIZER, training_data='; '.join(trained),
        # One token, and prompts whose lengths are padded to multiples of BUCKET.
        profiles=tuple({
            'embeddings': ShapeRange(*((1, n, width) for n in lengths)),
            'positions': ShapeRange(*((1, n) for n in lengths)),
            'mask': ShapeRange(*((n, capacity + n) for n in lengths)),
        } for lengths in ((1, 1, 1), (BUCKET, min(8 * BUCKET, capacity), capacity))))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stage', choices=STAGES, required=True)
    parser.add_argument('--training', type=Path, default=Path('.cache/training'))
    parser.add_argument('--preset', choices=PRESETS, default='deepsight-nano')
    parser.add_argument('--bundle', type=Path, required=True, help='folder to write')
    parser.add_argument('--attention', choices=ATTENTION, default='plain')
    parser.add_argument('--data', type=Path, help='folder of held-out frames to measure it on')
    parser.add_argument('--no-fp16', action='store_true', help='leave out the language model in '
                        'half precision; TensorRT takes the one in single precision then')
    arguments = parser.parse_args()
    folder = arguments.training / arguments.stage
    trained = trained_on(arguments.stage)
    model = load_stage(latest_checkpoint(folder, STAGES[arguments.stage].is_averaged))
    write_bundle(
        model, Tokenizer.load(folder / TOKENIZER), arguments.bundle, trained=trained,
        prompt=PRESETS[arguments.preset].prompt, attention=arguments.attention,
        half=not arguments.no_fp16)
    if arguments.data:
        frames = Frames(arguments.data, HELD_OUT)
        metrics = (*calibrate(arguments.bundle, frames, HELD_OUT),
                   *measure(model, arguments.bundle, frames, HELD_OUT))
        describe(model, arguments.bundle, trained, metrics)
        for item in metrics:
            print(f'{item["name"]:>36} {item["value"]}')


if __name__ == '__main__':
    main()
