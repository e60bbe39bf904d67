"""Train a stage: ``python -m deepsight_training.train --stage street --data DIR``."""

import argparse
from pathlib import Path
from typing import Any

import cv2
from safetensors.torch import load_file
import torch
from transformers import set_seed

from deepsight_training.datasets.mixture import Mixture
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.ema import EmaCallback
from deepsight_training.ema import FILE_NAME
from deepsight_training.models.configuration_deepsight import PRESETS
from deepsight_training.models.configuration_scene_segmentation import SceneSegmentationConfig
from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel
from deepsight_training.stages import deepsight
from deepsight_training.stages.segmentation import Roots
from deepsight_training.stages.segmentation import SOURCES
from deepsight_training.stages.segmentation import STAGES
from deepsight_training.train_deepsight import Parts
from deepsight_training.train_deepsight import train_deepsight
from deepsight_training.trainer import fit
from deepsight_training.trainer import items_of
from deepsight_training.trainer import latest_checkpoint


def load_averaged(folder: Path) -> SceneSegmentationModel:
    """Model of a checkpoint folder with its averaged weights."""
    model = SceneSegmentationModel(SceneSegmentationConfig.from_pretrained(folder))
    model.load_state_dict(load_file(folder / FILE_NAME))
    return model


def train(
    stage_name: str, roots: Roots, output: Path, batch_size: int = 8, steps: int | None = None,
    config: SceneSegmentationConfig | None = None, **options: Any,
) -> Path:
    """Run a stage, or resume it when its folder already holds a checkpoint.

    Args:
        stage_name: one of ``STAGES``.
        roots: where the data sets are.
        output: folder that holds one folder per stage.
        batch_size: views per step and process.
        steps: optimiser steps instead of the stage's.
        config: sizes of a network that starts from scratch.
        options: of ``fit``.

    Returns:
        The folder of the last checkpoint.
    """
    set_seed(1)
    stage = STAGES[stage_name]
    steps = steps or stage.steps
    folder = output / stage_name
    if stage.start is None:
        model = SceneSegmentationModel(config or SceneSegmentationConfig())
    else:
        model = load_averaged(latest_checkpoint(output / stage.start, is_averaged=True))
    model.to(memory_format=torch.channels_last)
    mixture = Mixture(
        {name: SOURCES[name].read(roots) for name in stage.shares}, stage.shares,
        items_of(steps, batch_size, options.get('gradient_accumulation_steps', 1)), batch_size,
        model.config.output_stride, seed=1)
    return fit(
        model, mixture, folder, steps=steps, batch_size=batch_size,
        learning_rate=stage.learning_rate, callbacks=(EmaCallback(),), **options)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition('=')
    return name, float(share or 1.0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stage', choices=[*STAGES, *deepsight.STAGES], required=True)
    parser.add_argument('--data', type=Path, required=True,
                        help='recorded data sets; for DeepSight the folder of depth frames')
    parser.add_argument(
        '--worlds', type=Path, default=Path('.cache/worlds'), help='rendered worlds')
    parser.add_argument(
        '--output', type=Path, default=Path('.cache/training'), help='one folder per stage')
    parser.add_argument('--steps', type=int, help="optimiser steps instead of the stage's")
    parser.add_argument('--preset', choices=PRESETS, default='deepsight-nano')
    parser.add_argument('--vision', help="folder or hub id instead of the preset's CLIP")
    parser.add_argument('--text', help='folder or hub id instead of its language model')
    parser.add_argument('--shares', type=_share, nargs='+', metavar='SOURCE=SHARE',
                        help="how often each source is drawn, instead of the stage's; sources of "
                        f'DeepSight are {", ".join(deepsight.SOURCES)}, and NAME for any '
                        'NAME-*.tar in --data that is not held out')
    parser.add_argument('--batch-size', type=int,
                        help="items per step and process instead of the stage's")
    parser.add_argument('--accumulate', type=int, default=1,
                        help='batches per step, for more than fit into memory (default: 1)')
    parser.add_argument('--gradient-checkpointing', action='store_true',
                        help='compute activations twice instead of keeping them')
    parser.add_argument('--workers', type=int, help='processes that make batches (default: none '
                        'without a GPU, else one for each CPU but one, up to 8)')
    parser.add_argument('--save-every', type=int, default=500,
                        help='steps between checkpoints (default: 500)')
    parser.add_argument('--fsdp', action='store_true', help='shard the model over processes')
    return parser


def main() -> None:
    """Command line."""
    parser = _parser()
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    options: dict[str, Any] = {
        'steps': arguments.steps, 'save_every': arguments.save_every,
        'gradient_accumulation_steps': arguments.accumulate,
        'gradient_checkpointing': arguments.gradient_checkpointing}
    if arguments.batch_size:
        options['batch_size'] = arguments.batch_size
    if arguments.workers is not None:
        options['dataloader_num_workers'] = arguments.workers
    if arguments.stage not in deepsight.STAGES:
        if arguments.shares:
            parser.error(f'--shares is for stages of DeepSight, {arguments.stage} is none')
        roots = Roots(arguments.data, arguments.worlds)
        print(train(arguments.stage, roots, arguments.output, **options))
        return
    if arguments.fsdp:
        options['fsdp'] = True
    parts = Parts(arguments.preset, arguments.vision, arguments.text)
    try:
        print(train_deepsight(arguments.stage, parts, arguments.data, arguments.output,
                              shares=dict(arguments.shares or ()), **options))
    except DatasetError as error:
        parser.error(str(error))


if __name__ == '__main__':
    main()
