"""What depth is worth: ``python -m deepsight_training.controls --data FRAMES --benchmark FILE``.

Small models of the paper's form, CLIP's patch embedding and transformer from scratch, are trained
alike but for one thing: they see nothing, another frame's depth, depth three times (as RGB weights
take it), depth once, or depth once with the box branch. All are scored on the same benchmarks.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import math
from pathlib import Path
from statistics import fmean
from statistics import pstdev
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm
from transformers import LlamaConfig
from transformers import set_seed

from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.evaluation.qa_items import frames_of
from deepsight_ros.evaluation.qa_items import read_items
from deepsight_ros.evaluation.qa_scores import Reply
from deepsight_ros.evaluation.qa_scores import summarise
from deepsight_ros.geometry import Camera
from deepsight_ros.language.prompts import FORMATS
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.tokenizer import Tokenizer
from deepsight_ros.perception.depth_input import depth_input
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.regions import find_regions
from deepsight_training.datasets.questions import collate
from deepsight_training.datasets.questions import PictureFormat
from deepsight_training.datasets.questions import QuestionMixture
from deepsight_training.instructions.frames import Frames
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.sensors import sense
from deepsight_training.measure_deepsight import ask_torch
from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.muon import MuonWithAdamW
from deepsight_training.train_deepsight import nano_tokenizer
from deepsight_training.train_deepsight import place_tokens
from deepsight_training.trainer import fit

SIZE: Final = 128
CELL: Final = 16
"""Pixels of the square picture that CLIP takes, and of its patches."""
BLIND: Final = Camera(160, 120, 100.0, 100.0, 79.5, 59.5)
"""Camera of who sees nothing, whatever the frame's is."""


@dataclass(frozen=True)
class Control:
    """One row: what a model sees, and how."""

    sees: str = 'depth'
    """``depth``, ``nothing``, or ``other``: another frame's."""
    channels: int = 1
    box_branch: bool = False
    seeds: int = 3


CONTROLS: Final = {
    'text only': Control('nothing', seeds=1), 'shuffled depth': Control('other', seeds=1),
    'depth x3': Control(channels=3), 'single channel': Control(),
    'single channel + boxes': Control(box_branch=True)}


class ControlMixture(QuestionMixture):
    """Questions about frames that a model sees as ``control`` says."""

    control = Control()

    def shown(self, seen: FrameSample, rng: np.random.Generator) -> FrameSample:
        """Hide the frame, or show another."""
        if self.control.sees == 'other':
            return sense(replace(self.draw(rng)[1], robot=seen.robot), rng)[0]
        if self.control.sees == 'nothing':
            return replace(seen, depth=np.full_like(seen.depth, math.nan), camera_height=math.nan,
                           camera_matrix=BLIND.matrix)
        return seen


def small_model(control: Control, tokenizer: Tokenizer) -> DeepSightForConditionalGeneration:
    """A model of 1.5 million weights from scratch."""
    vision = {'hidden_size': 128, 'intermediate_size': 384, 'num_hidden_layers': 2,
              'num_attention_heads': 4, 'image_size': SIZE, 'patch_size': CELL}
    encoder = DepthEncoderConfig(
        'clip', vision, SIZE, SIZE, local_channels=32, context_channels=32,
        channels=control.channels, box_branch=control.box_branch)
    text = LlamaConfig(
        vocab_size=tokenizer.size, hidden_size=128, intermediate_size=384, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        tie_word_embeddings=True, initializer_range=128 ** -0.5, bos_token_id=None,
        eos_token_id=tokenizer.token(FORMATS['nano'].end), pad_token_id=0)
    model = DeepSightForConditionalGeneration(DeepSightConfig(
        encoder, text, instance_classes=len(CLASS_NAMES), **place_tokens(tokenizer)))
    model.spread_places()
    return model


def mixture(control: Control, seed: int, frames: Sequence[FrameSample], tokenizer: Tokenizer,
            length: int) -> ControlMixture:
    """Questions that a row's model learns from; rows of one seed are asked the same."""
    items = ControlMixture(
        {'worlds': frames}, {'worlds': 1.0}, length,
        Prompter(tokenizer, 'nano', (SIZE // CELL) ** 2 + 1),
        PictureFormat((SIZE, SIZE), (SIZE // CELL, SIZE // CELL), control.box_branch), seed=seed)
    items.control = control
    return items


def train_control(
    control: Control, seed: int, frames: Sequence[FrameSample], tokenizer: Tokenizer,
    folder: Path, steps: int, batch_size: int,
) -> DeepSightForConditionalGeneration:
    """Train a row's model with one seed; a finished folder is read again."""
    set_seed(seed)
    model = small_model(control, tokenizer)
    optimizer = MuonWithAdamW(
        model.parameters(), {model.get_input_embeddings().weight}, 0.03, 4e-3, 0.05)
    model.set_attn_implementation('eager')
    questions = mixture(control, seed, frames, tokenizer, steps * batch_size)
    last = fit(model, questions, folder, steps=steps, batch_size=batch_size, learning_rate=4e-3,
               save_every=steps, collate=collate, optimizer=optimizer, max_grad_norm=1.0)
    return DeepSightForConditionalGeneration.from_pretrained(last).eval()


def answer(model: DeepSightForConditionalGeneration, control: Control, tokenizer: Tokenizer,
           benchmark: Path) -> list[Reply]:
    """Answers to a benchmark's questions, about what the row's model is shown."""
    items = read_items(benchmark)
    prompter = Prompter(tokenizer, 'nano', model.config.encoder_config.visual_tokens)
    groups = list(frames_of(benchmark.parent, items))
    replies: dict[int, Reply] = {}
    for number, (frame, asked) in enumerate(tqdm(groups, unit='frame', disable=None)):
        if control.sees == 'other':
            frame = groups[number - 1][0]
        shown = _shown(frame, control)
        for item in asked:
            said = ask_torch(model, prompter, shown, item.question)
            replies[item.id] = Reply(tokenizer.decode(said))
    return [replies[item.id] for item in items]


def _shown(frame: DepthFrame, control: Control) -> dict[str, npt.NDArray[np.float32]]:
    depth, camera, ground = frame.depth, frame.camera, frame.ground
    if control.sees == 'nothing':
        depth, ground = np.full_like(depth, math.nan), None
        camera = BLIND.scaled(*camera.size)
    shown = depth_input(depth, camera, ground, frame.robot, (SIZE, SIZE))
    arrays = {'depth': shown.depth, 'camera': shown.camera, 'ground': shown.ground}
    if control.box_branch:
        arrays['boxes'] = find_regions(shown.depth)
    return {name: array[None] for name, array in arrays.items()}


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """Return macro accuracy and MRA, and each type, as Markdown; several seeds as mean +- s.d."""
    first = next(iter(results.values()))[0]
    types = list(first['categories'])
    rows = [['seen', 'macro accuracy', 'macro MRA', *types]]
    blind = [first['blind'][name]['best_constant'] for name in types]
    rows.append(['best constant', '', '', *(f'{100 * value:.0f}' for value in blind)])
    for name, runs in results.items():
        columns = [[run['macro_accuracy'] for run in runs], [run['macro_mra'] for run in runs],
                   *([_score(run['categories'][kind]) for run in runs] for kind in types)]
        rows.append([name, *(_cell(values) for values in columns)])
    rows.insert(1, ['---'] * len(rows[0]))
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def _score(row: dict[str, float]) -> float:
    return row['mra'] if 'mra' in row else row['accuracy']


def _cell(values: list[float]) -> str:
    spread = f' +- {100 * pstdev(values):.1f}' if len(values) > 1 else ''
    return f'{100 * fmean(values):.1f}{spread}'


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the frames')
    parser.add_argument('--benchmark', type=Path, required=True, nargs='+',
                        help='questions as JSON lines; a table for each file')
    parser.add_argument('--rows', nargs='+', choices=CONTROLS, default=list(CONTROLS),
                        help='which rows to train and ask')
    parser.add_argument('--output', type=Path, default=Path('.cache/controls'))
    parser.add_argument('--steps', type=int, default=800)
    parser.add_argument('--batch-size', type=int, default=8)
    arguments = parser.parse_args()
    frames = Frames(arguments.data, 'train')
    tokenizer = nano_tokenizer(frames)
    scores: dict[Path, dict[str, list[dict[str, Any]]]] = {
        benchmark: {name: [] for name in arguments.rows} for benchmark in arguments.benchmark}
    runs = [(name, seed) for name in arguments.rows for seed in range(CONTROLS[name].seeds)]
    for name, seed in runs:
        folder = arguments.output / f'{name.replace(" ", "_")}-{seed}'
        model = train_control(CONTROLS[name], seed, frames, tokenizer, folder, arguments.steps,
                              arguments.batch_size)
        for benchmark, rows in scores.items():
            replies = answer(model, CONTROLS[name], tokenizer, benchmark)
            rows[name].append(summarise(read_items(benchmark), replies))
            write_json(folder / f'{benchmark.stem}.json', rows[name][-1])
    for benchmark, rows in scores.items():
        print(f'{benchmark.stem}\n\n{table(rows)}\n')


if __name__ == '__main__':
    main()
