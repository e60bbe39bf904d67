"""Make a bundle of a trained stage: ``python -m deepsight_training.export --stage all ...``."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from datetime import timezone
from pathlib import Path
import time
from typing import Any
from typing import Final

import numpy as np
import torch

from deepsight_ros.engines.manifest import MANIFEST
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.manifest import Variant
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_training.datasets.augment import NETWORK_AREA
from deepsight_training.datasets.camvid import read_camvid
from deepsight_training.evaluate_segmentation import ground_scores
from deepsight_training.evaluate_segmentation import HELD_OUT
from deepsight_training.evaluate_segmentation import score
from deepsight_training.model_card import CARD
from deepsight_training.model_card import segmentation_card
from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel
from deepsight_training.onnx_graph import export_class_map
from deepsight_training.plan_inputs import CLASS_PARITY
from deepsight_training.plan_inputs import picture_profile
from deepsight_training.plan_inputs import record_pictures
from deepsight_training.plan_inputs import RECORDED
from deepsight_training.stages.segmentation import trained_on
from deepsight_training.train import latest_checkpoint
from deepsight_training.train import load_averaged

GRAPH: Final = 'model.onnx'
MULTIPLE: Final = 32
VERSION: Final = '0.1.0'
LICENCE: Final = 'non-commercial research only, as its training data demand'

Metrics = tuple[dict[str, Any], ...]


def average(models: Sequence[SceneSegmentationModel]) -> SceneSegmentationModel:
    """First model with the mean of the weights of all, which started alike (Wortsman 2022)."""
    states = [model.state_dict() for model in models]
    models[0].load_state_dict({
        name: torch.stack([state[name] for state in states]).mean(0)
        if value.is_floating_point() else value
        for name, value in states[0].items()
    })
    return models[0]


def write_bundle(
    model: SceneSegmentationModel, folder: Path, trained: tuple[str, ...], metrics: Metrics = (),
) -> None:
    """Write graph, model card and manifest.

    Args:
        model: with averaged weights; it is left fused.
        folder: of the bundle, whose name it takes.
        trained: what it was trained on.
        metrics: ``{'name', 'value', 'dataset', 'date'}`` each.

    """
    folder.mkdir(parents=True, exist_ok=True)
    export_class_map(model, folder / GRAPH)
    describe(folder, model.config.output_stride, trained, metrics)


def describe(folder: Path, stride: int, trained: tuple[str, ...], metrics: Metrics) -> None:
    """Write inputs, model card and manifest of a bundle whose graph exists."""
    record_pictures(folder, NETWORK_AREA, MULTIPLE)
    card = segmentation_card(folder.name, LICENCE, trained, metrics)
    (folder / CARD).write_text(card, encoding='utf-8')
    outputs = (1, f'height/{stride}', f'width/{stride}')
    Manifest(
        name=folder.name,
        task='scene_segmentation',
        version=VERSION,
        licence=LICENCE,
        variants=(Variant(
            GRAPH, 'fp32', ('onnxruntime', 'tensorrt'), parity=CLASS_PARITY),),
        inputs=(TensorSpec('image', 'uint8', (1, 'height', 'width', 3), 'RGB picture'),),
        outputs=(TensorSpec('classes', 'uint8', outputs, 'SceneClass ids'),),
        files={path.name: sha256(path) for path in sorted(folder.iterdir())
               if path.name != MANIFEST},
        preprocessing={'pixels': NETWORK_AREA, 'multiple': MULTIPLE, 'stride': stride},
        profiles=(picture_profile(NETWORK_AREA, MULTIPLE),),
        recorded_inputs=RECORDED,
        training_data='; '.join(trained),
        metrics=metrics,
    ).write(folder)


def measure(bundle: Path, data: Path) -> Metrics:
    """Score a bundle on held-out pictures and time it on one core."""
    segmentation = Segmentation.load(bundle)
    scores = score(segmentation, read_camvid(data / 'camvid', 'val'))
    values = {
        'iou_mean_of_groups': scores.mean_of_groups,
        **{f'iou_group_{name}': value for name, value in scores.groups.items()},
        **{f'iou_{name}': value for name, value in scores.classes.items()},
    }
    picture = np.zeros((375, 1242, 3), np.uint8)
    columns, rows = segmentation.input_size(1242, 375)
    network = np.zeros((1, rows, columns, 3), np.uint8)
    times = {
        'network_ms': _fastest(lambda: segmentation.engine({'image': network})),
        'segmentation_ms': _fastest(lambda: segmentation(picture)),
    }
    ground = {title: ground_scores(segmentation, read(data)) for title, read in HELD_OUT.items()}
    date = datetime.now(timezone.utc).date().isoformat()
    return (
        *({'name': name, 'value': round(value, 4), 'dataset': 'CamVid val', 'date': date}
          for name, value in values.items() if np.isfinite(value)),
        *({'name': name, 'value': round(value, 4), 'dataset': title, 'date': date}
          for title, both in ground.items()
          for name, value in zip(('ground_recall', 'ground_precision'), both, strict=True)),
        *({'name': name, 'value': round(value, 1), 'dataset': '1242x375, one CPU core',
           'date': date} for name, value in times.items()),
    )


def _fastest(call: Any, repeats: int = 50) -> float:
    """Milliseconds of the fastest call: what others do on the machine only slows calls down."""
    best = float('inf')
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--stage', nargs='+', required=True, help='weights of several are averaged')
    parser.add_argument('--training', type=Path, default=Path('.cache/training'))
    parser.add_argument('--bundle', type=Path, required=True, help='folder to write')
    parser.add_argument(
        '--data', type=Path, required=True, help='folder that holds camvid/, idd20k_lite/, nyuv2/')
    arguments = parser.parse_args()
    folders = [arguments.training / name for name in arguments.stage]
    model = average([
        load_averaged(latest_checkpoint(folder, is_averaged=True)) for folder in folders])
    titles = [title for name in arguments.stage for title in trained_on(name)]
    trained = tuple(dict.fromkeys(titles))
    write_bundle(model, arguments.bundle, trained)
    metrics = measure(arguments.bundle, arguments.data)
    describe(arguments.bundle, model.config.output_stride, trained, metrics)
    for item in metrics:
        print(f'{item["name"]:>24} {item["value"]}')


if __name__ == '__main__':
    main()
