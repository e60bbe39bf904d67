"""Tiny data for tests of the offline package, which needs torch and transformers."""

from collections.abc import Callable
from pathlib import Path
import sys

import numpy as np
import pytest

# Triton and OSMesa, with which MuJoCo draws, both bring LLVM: Triton's must come first.
import torch._dynamo  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'training'))

from deepsight_training.datasets.sample import Sample  # noqa: E402
from deepsight_training.models.configuration_scene_segmentation import SceneSegmentationConfig  # noqa: E402

from deepsight_ros.geometry.scene_classes import SceneClass  # noqa: E402


@pytest.fixture(scope='session')
def tiny_config() -> SceneSegmentationConfig:
    """A network of a few thousand weights."""
    return SceneSegmentationConfig(
        stem_channels=4, stage_channels=(4, 6, 8, 8), stage_blocks=(1, 1, 1, 1),
        decoder_channels=6)


@pytest.fixture
def make_sample() -> Callable[[int], Sample]:
    """Pictures of a grey road below a blue sky."""
    def make(seed: int) -> Sample:
        rng = np.random.default_rng(seed)
        image = rng.integers(90, 110, (120, 160, 3)).astype(np.uint8)
        image[:60, :, 2] = 220
        labels = np.full((120, 160), SceneClass.ROAD, np.uint8)
        labels[:60] = SceneClass.SKY
        return Sample(image, labels, str(seed), 'synthetic')
    return make
