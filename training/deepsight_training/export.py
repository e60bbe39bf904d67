"""PyTorch to ONNX: one clean file that ONNX Runtime and TensorRT both take."""

from pathlib import Path

import onnx
import torch
from torch import nn
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from deepsight_ros.engines.manifest import MANIFEST
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.manifest import Variant
from deepsight_training.datasets.augment import NETWORK_AREA
from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel

OPSET = 18
IR_VERSION = 9
GRAPH = 'model.onnx'
VERSION = '0.1.0'
LICENCE = 'research, non-commercial (trained on CamVid, KITTI and 7-Scenes)'


class ClassMap(nn.Module):
    """The run-time graph: RGB uint8 [1, H, W, 3] to class ids uint8 [1, H/s, W/s]."""

    def __init__(self, model: SceneSegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Class of the largest logit."""
        return self.model(image).logits.argmax(1).to(torch.uint8)


def fuse_batch_norm(module: nn.Module) -> None:
    """Fold every batch norm into the convolution before it, in place; for evaluation only."""
    for name, child in list(module.named_children()):
        fuse_batch_norm(child)
        if isinstance(child, nn.BatchNorm2d):
            index = list(module._modules).index(name)
            before = list(module._modules)[index - 1]
            convolution = module._modules[before]
            assert isinstance(convolution, nn.Conv2d)
            module._modules[before] = fuse_conv_bn_eval(convolution, child)
            module._modules[name] = nn.Identity()


def clean(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Remove what the exporter says about this machine: source lines, paths, stack traces."""
    del graph.metadata_props[:]
    graph.doc_string = ''
    parts = [graph.graph, *graph.functions]
    for part in parts:
        part.doc_string = ''
        del part.metadata_props[:]
        for node in part.node:
            node.doc_string = ''
            del node.metadata_props[:]
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output]:
        value.doc_string = ''
        del value.metadata_props[:]
    for weights in graph.graph.initializer:
        weights.doc_string = ''
        del weights.metadata_props[:]
    graph.ir_version = IR_VERSION
    onnx.checker.check_model(graph, full_check=True)
    return graph


def export_segmentation(model: SceneSegmentationModel, path: Path) -> None:
    """Write the class-map graph of a model; the model is left in evaluation mode, fused."""
    model.eval().float()
    fuse_batch_norm(model)
    height, width = torch.export.Dim('height32', min=1), torch.export.Dim('width32', min=1)
    program = torch.onnx.export(
        ClassMap(model).eval(),
        (torch.zeros(1, 192, 640, 3, dtype=torch.uint8),),
        input_names=['image'],
        output_names=['classes'],
        opset_version=OPSET,
        dynamic_shapes={'image': {1: 32 * height, 2: 32 * width}},
        dynamo=True,
        verbose=False,
    )
    graph = program.model_proto
    stride = model.config.output_stride
    _name_sizes(graph.graph.input[0], ('height', 'width'))
    _name_sizes(graph.graph.output[0], (f'height/{stride}', f'width/{stride}'))
    onnx.save(clean(graph), path)


def _name_sizes(value: onnx.ValueInfoProto, names: tuple[str, str]) -> None:
    for dimension, name in zip(value.type.tensor_type.shape.dim[1:3], names, strict=True):
        dimension.dim_param = name


def write_bundle(
    model: SceneSegmentationModel, folder: Path, name: str, training_data: str,
    metrics: tuple[dict[str, object], ...] = (),
) -> None:
    """Write graph and manifest of a bundle; the model card is written by hand.

    Args:
        model: with averaged weights.
        folder: of the bundle; its other files are kept and hashed.
        name: of the bundle.
        training_data: what it was trained on, one line.
        metrics: ``{'name', 'value', 'dataset', 'date'}`` each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_segmentation(model, folder / GRAPH)
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    stride = model.config.output_stride
    Manifest(
        name=name,
        task='scene_segmentation',
        version=VERSION,
        licence=LICENCE,
        variants=(Variant(GRAPH, 'fp32', ('onnxruntime', 'tensorrt')),),
        inputs=(TensorSpec('image', 'uint8', (1, 'height', 'width', 3), 'RGB picture'),),
        outputs=(
            TensorSpec(
                'classes', 'uint8', (1, f'height/{stride}', f'width/{stride}'), 'SceneClass ids'
            ),
        ),
        files={path.name: sha256(path) for path in files},
        preprocessing={'pixels': NETWORK_AREA, 'multiple': 32, 'stride': stride},
        training_data=training_data,
        metrics=metrics,
    ).write(folder)
