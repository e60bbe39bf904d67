"""PyTorch to ONNX: one clean file that ONNX Runtime and TensorRT both take."""

from pathlib import Path
from typing import Final

import onnx
import torch
from torch import nn
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel

OPSET: Final = 18
IR_VERSION: Final = 9
"""The newest that the oldest supported ONNX Runtime reads."""


class ClassMap(nn.Module):
    """The run-time graph: RGB uint8 [1, H, W, 3] to class ids uint8 [1, H/s, W/s]."""

    def __init__(self, model: SceneSegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Class of the largest logit."""
        # TensorRT casts floats to and from uint8, and nothing else.
        return self.model(image).logits.argmax(1).float().to(torch.uint8)


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


def export_class_map(model: SceneSegmentationModel, path: Path) -> None:
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
