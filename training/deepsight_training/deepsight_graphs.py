"""DeepSight as two ONNX graphs: depth encoder with projector, and language model."""

import copy
from pathlib import Path
from typing import Any
from typing import Final

import onnx
from onnx import helper
from onnx import TensorProto
import torch
from torch import nn
from torch import Tensor
from transformers import PreTrainedModel

from deepsight_ros.perception.regions import REGIONS
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.onnx_graph import clean
from deepsight_training.onnx_graph import OPSET

ATTENTION: Final = {'plain': 'eager', 'fused': 'sdpa'}
"""Variants of attention: plain matmul-softmax is what all versions of TensorRT get right."""


class EncoderGraph(nn.Module):
    """Depth, camera, ground and, with a box branch, boxes [1, ...] to what prompts are made of."""

    def __init__(self, model: DeepSightForConditionalGeneration) -> None:
        super().__init__()
        self.model = model
        # With these rows the graph does not need the table of all tokens.
        self.register_buffer('places', model.cell_places().detach())

    def forward(self, depth: Tensor, camera: Tensor, ground: Tensor,
                boxes: Tensor | None = None) -> tuple[Tensor, ...]:
        """Tokens [1, N, E], features [1, C, H/4, W/4], channels [1, CHANNELS + LENGTHS, H, W]."""
        tokens, features, channels = self.model.encoder(depth, camera, ground, boxes)
        return self.model.visual_embeddings(tokens, channels, self.places), features, channels


class BufferCache:
    """Cache of ``transformers`` over one tensor of fixed capacity, which is only read.

    Rows of ``kv`` [2 * L * H, C, D] are keys, then values, by layer and head.
    """

    def __init__(self, kv: Tensor, layers: int, heads: int) -> None:
        capacity, size = kv.shape[1:]
        self.kv = kv.reshape(2, layers, 1, heads, capacity, size)
        self.new: list[tuple[Tensor, Tensor]] = []

    def update(self, keys: Tensor, values: Tensor, layer: int, *args: Any, **kwargs: Any,
               ) -> tuple[Tensor, Tensor]:
        """Keep what is new [1, H, S, D] and return it behind the buffer [1, H, C + S, D]."""
        self.new.append((keys, values))
        return (torch.cat([self.kv[0, layer], keys], 2),
                torch.cat([self.kv[1, layer], values], 2))

    def get_seq_length(self, layer: int = 0) -> int:
        """Capacity: masks and positions are given, so nothing depends on it."""
        return int(self.kv.shape[4])

    def new_rows(self) -> Tensor:
        """Return the new keys and values as rows of the buffer [2 * L * H, S, D]."""
        return torch.cat([torch.cat([pair[i][0] for pair in self.new]) for i in (0, 1)])


class DecoderGraph(nn.Module):
    """The language model over a buffer of keys and values, for prompts and single tokens."""

    def __init__(self, language_model: PreTrainedModel) -> None:
        super().__init__()
        config = language_model.config
        self.decoder = getattr(language_model, language_model.base_model_prefix)
        self.head = language_model.get_output_embeddings()
        self.layers, self.heads = config.num_hidden_layers, config.num_key_value_heads

    def forward(self, embeddings: Tensor, positions: Tensor, mask: Tensor, row: Tensor,
                kv: Tensor) -> tuple[Tensor, ...]:
        """Run S tokens behind what the buffer holds.

        Args:
            embeddings: [1, S, E].
            positions: [1, S].
            mask: added to attention [S, C + S]: 0 where a token may look, else very negative.
            row: token whose successor is wanted [1].
            kv: keys and values so far [2 * L * H, C, D].

        Returns:
            Logits [1, V], the likeliest token [1], its probability [1], and the new rows of the
            buffer [2 * L * H, S, D].
        """
        cache = BufferCache(kv, self.layers, self.heads)
        hidden = self.decoder(
            inputs_embeds=embeddings, attention_mask=mask[None, None], position_ids=positions,
            past_key_values=cache, use_cache=True).last_hidden_state
        # Probabilities of a thousand tokens are too fine for half precision.
        logits = self.head(hidden[0].index_select(0, row)).float()
        probability = logits.softmax(-1).amax(-1)
        return logits, logits.argmax(-1), probability, cache.new_rows()


ENCODER_INPUTS: Final = ('depth', 'camera', 'ground', 'boxes')
ENCODER_OUTPUTS: Final = ('tokens', 'features', 'channels')
DECODER_INPUTS: Final = ('embeddings', 'positions', 'mask', 'row', 'kv')
DECODER_OUTPUTS: Final = ('logits', 'token', 'probability', 'kv_new')


def kv_rows(language_model: PreTrainedModel) -> tuple[int, int]:
    """Rows and size of the buffer of keys and values."""
    config = language_model.config
    size = getattr(config, 'head_dim', None) or config.hidden_size // config.num_attention_heads
    return 2 * config.num_hidden_layers * config.num_key_value_heads, size


def export_encoder(model: DeepSightForConditionalGeneration, path: Path,
                   attention: str = 'plain') -> None:
    """Write the graph of depth encoder and projector."""
    config = model.config.encoder_config
    model.eval().float().set_attn_implementation(ATTENTION[attention])
    example = [torch.ones(1, config.height, config.width), torch.ones(1, 4), torch.zeros(1, 7)]
    if config.box_branch:
        example.append(torch.zeros(1, REGIONS, 4))
    inputs = ENCODER_INPUTS[:len(example)]
    _export(EncoderGraph(model), tuple(example), None, inputs, ENCODER_OUTPUTS, path)


def export_decoder(model: DeepSightForConditionalGeneration, path: Path, capacity: int,
                   attention: str = 'plain', precision: torch.dtype = torch.float32) -> None:
    """Write the graph of the language model with a buffer of ``capacity`` tokens.

    In half precision, norms, rotary angles and softmax still compute in single precision, as
    ``transformers`` has them do, and the graph says so: TensorRT takes it at its word.
    """
    model.eval().float().set_attn_implementation(ATTENTION[attention])
    language_model = model.language_model
    if precision != torch.float32:
        language_model = copy.deepcopy(language_model)
        # The parameters only: the frequencies of rotary positions are buffers.
        for parameter in language_model.parameters():
            parameter.data = parameter.data.to(precision)
    rows, size = kv_rows(language_model)
    length = 7
    example = (
        torch.zeros(1, length, language_model.config.hidden_size, dtype=precision),
        torch.arange(length)[None], torch.zeros(length, capacity + length, dtype=precision),
        torch.tensor([length - 1]), torch.zeros(rows, capacity, size, dtype=precision))
    tokens = torch.export.Dim('tokens', min=1, max=capacity)
    shapes = {'embeddings': {1: tokens}, 'positions': {1: tokens},
              'mask': {0: tokens, 1: capacity + tokens}, 'row': None, 'kv': None}
    _export(DecoderGraph(language_model), example, shapes, DECODER_INPUTS, DECODER_OUTPUTS, path)


def _export(graph: nn.Module, example: tuple[Tensor, ...], shapes: dict[str, Any] | None,
            inputs: tuple[str, ...], outputs: tuple[str, ...], path: Path) -> None:
    program = torch.onnx.export(
        graph.eval(), example, input_names=list(inputs), output_names=list(outputs),
        opset_version=OPSET, dynamic_shapes=shapes, dynamo=True, verbose=False)
    model = program.model_proto
    _divide_by_roots(model.graph)
    _widen_softmax(model.graph)
    onnx.save(clean(model), path)


def _divide_by_roots(graph: onnx.GraphProto) -> None:
    """Write x * (1 / sqrt(y)) as x / sqrt(y): the form in which RMS norms become one node."""
    inverse = {node.output[0]: node.input[0] for node in graph.node
               if node.op_type == 'Reciprocal'}
    uses = [name for node in graph.node for name in node.input]
    divided = set()
    for node in graph.node:
        if node.op_type == 'Mul' and node.input[1] in inverse and uses.count(node.input[1]) == 1:
            divided.add(node.input[1])
            node.op_type, node.input[1] = 'Div', inverse[node.input[1]]
    kept = [node for node in graph.node if node.output[0] not in divided]
    del graph.node[:]
    graph.node.extend(kept)


def _widen_softmax(graph: onnx.GraphProto) -> None:
    """Let softmax over half precision compute in single: the exporter drops those casts."""
    half = {value.name for value in graph.value_info
            if value.type.tensor_type.elem_type == TensorProto.FLOAT16}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != 'Softmax' or node.input[0] not in half:
            nodes.append(node)
            continue
        scores, shares = node.input[0], node.output[0]
        node.input[0], node.output[0] = f'{scores}/single', f'{shares}/single'
        nodes += [
            helper.make_node('Cast', [scores], [node.input[0]], to=TensorProto.FLOAT), node,
            helper.make_node('Cast', [node.output[0]], [shares], to=TensorProto.FLOAT16)]
    del graph.node[:]
    graph.node.extend(nodes)
