"""Train a stage: ``python -m deepsight_training.train --stage street --data DIR``."""

import argparse
from pathlib import Path

import cv2
from safetensors.torch import load_file
import torch
from transformers import set_seed

from deepsight_training.datasets.mixture import Mixture
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
from deepsight_training.trainer import latest_checkpoint


def load_averaged(folder: Path) -> SceneSegmentationModel:
    """Model of a checkpoint folder with its averaged weights."""
    model = SceneSegmentationModel(SceneSegmentationConfig.from_pretrained(folder))
    model.load_state_dict(load_file(folder / FILE_NAME))
    return model


def train(
    stage_name: str, roots: Roots, output: Path, batch_size: int = 8, steps: int | None = None,
    save_every: int = 500, config: SceneSegmentationConfig | None = None,
) -> Path:
    """Run a stage, or resume it when its folder already holds a checkpoint.

    Args:
        stage_name: one of ``STAGES``.
        roots: where the data sets are.
        output: folder that holds one folder per stage.
        batch_size: views per step.
        steps: optimiser steps instead of the stage's.
        save_every: steps between checkpoints.
        config: sizes of a network that starts from scratch.

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
        model = load_averaged(latest_checkpoint(output / stage.start))
    model.to(memory_format=torch.channels_last)
    mixture = Mixture(
        {name: SOURCES[name].read(roots) for name in stage.shares}, stage.shares,
        steps * batch_size, batch_size, model.config.output_stride, seed=1,
    )
    return fit(
        model, mixture, folder, steps=steps, batch_size=batch_size,
        learning_rate=stage.learning_rate, save_every=save_every, callbacks=(EmaCallback(),))


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition('=')
    if name not in deepsight.SOURCES:
        raise argparse.ArgumentTypeError(f'{name!r} is no source')
    return name, float(share or 1.0)


def main() -> None:
    """Command line."""
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
                        f'DeepSight are {", ".join(deepsight.SOURCES)}')
    parser.add_argument('--fsdp', action='store_true', help='shard the model over processes')
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.stage in deepsight.STAGES:
        parts = Parts(arguments.preset, arguments.vision, arguments.text)
        options = {'fsdp': True} if arguments.fsdp else {}
        print(train_deepsight(arguments.stage, parts, arguments.data, arguments.output,
                              steps=arguments.steps, shares=dict(arguments.shares or ()),
                              **options))
        return
    if arguments.shares:
        parser.error(f'--shares is for stages of DeepSight, {arguments.stage} is none')
    roots = Roots(arguments.data, arguments.worlds)
    print(train(arguments.stage, roots, arguments.output, steps=arguments.steps))


if __name__ == '__main__':
    main()
