"""Configuration of DeepSight: a depth encoder, a projector and a causal language model."""

from dataclasses import dataclass
from typing import Any
from typing import Final

from transformers import AutoConfig
from transformers import CLIPVisionConfig
from transformers import LlamaConfig
from transformers import PretrainedConfig

from deepsight_ros.language.tokenizer import BINS


class DepthEncoderConfig(PretrainedConfig):
    """Sizes of ``DepthEncoder``.

    Args:
        kind: 'clip' for CLIP's patch embedding, 'conv' for a convolutional stem; both are followed
            by CLIP's transformer layers.
        vision: fields of ``CLIPVisionConfig``; 'conv' uses the transformer's alone.
        height: rows of the network's depth picture.
        width: columns of it.
        local_channels: channels of the local features at stride 4.
        stem_channels: 'conv': channels at strides 8 and 16.
        context_channels: channels of what the transformer knows, brought back to stride 4.
        channels: 'clip': how often the depth picture is repeated; 3 takes RGB weights as they are.
        box_branch: whether boxes guide a local branch.
        near: depth in metres that is brightest, and the nearest that is told apart.
        far: depth in metres that is darkest, and the farthest that is told apart.
    """

    model_type = 'depth_encoder'

    def __init__(
        self,
        kind: str = 'conv',
        vision: dict[str, Any] | None = None,
        height: int = 128,
        width: int = 160,
        local_channels: int = 48,
        stem_channels: tuple[int, int] = (96, 192),
        context_channels: int = 64,
        channels: int = 1,
        box_branch: bool = False,
        near: float = 0.1,
        far: float = 100.0,
        **kwargs: Any,
    ) -> None:
        if kind not in ('clip', 'conv'):
            raise ValueError(f"kind is {kind!r}; it must be 'clip' or 'conv'")
        self.kind = kind
        self.vision = CLIPVisionConfig(**{**(vision or {}), 'num_channels': channels}).to_dict()
        self.height = height
        self.width = width
        self.local_channels = local_channels
        self.stem_channels = list(stem_channels)
        self.context_channels = context_channels
        self.channels = channels
        self.box_branch = box_branch
        self.near = near
        self.far = far
        self.check_size()
        super().__init__(**kwargs)

    def check_size(self) -> None:
        """Refuse a picture that the encoder cannot cut into cells."""
        cell = self.cell
        if self.height % cell or self.width % cell or self.height % 4 or self.width % 4:
            raise ValueError(f'the depth picture {self.width}x{self.height} is no multiple of 4 '
                             f'and of the {cell} pixels of a visual token')
        size = self.vision['image_size']
        if self.kind == 'clip' and (self.height, self.width) != (size, size):
            raise ValueError(f'CLIP was trained on {size}x{size}; the depth picture is '
                             f'{self.width}x{self.height}')

    @property
    def cell(self) -> int:
        """Pixels that a visual token is wide and high."""
        return int(self.vision['patch_size']) if self.kind == 'clip' else 16

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells, of each of which there is a visual token."""
        return self.height // self.cell, self.width // self.cell

    @property
    def visual_tokens(self) -> int:
        """Tokens of a picture: one for each cell, and one for what is nearest in all of it."""
        rows, columns = self.grid
        return rows * columns + 1

    @property
    def feature_channels(self) -> int:
        """Channels of the features at stride 4: local ones, and context behind them."""
        return self.local_channels + self.context_channels

    @property
    def hidden_size(self) -> int:
        """Width of a visual token before the projector."""
        return int(self.vision['hidden_size'])


class DeepSightConfig(PretrainedConfig):
    """Parts of ``DeepSightForConditionalGeneration``.

    Args:
        encoder_config: sizes of the depth encoder.
        text_config: configuration of any causal language model.
        depth_token_id: token that stands where the visual tokens go.
        region_token_id: token that stands where the local features of a place go.
        column_token_id: first of the location tokens of columns.
        row_token_id: first of the location tokens of rows.
        instance_classes: classes of the auxiliary instance target; 0 trains without it.
        lora_rank: rank of LoRA in the language model's linear layers; 0 for none.
        lora_alpha: scale of LoRA.
    """

    model_type = 'deepsight'
    sub_configs = {'encoder_config': DepthEncoderConfig, 'text_config': AutoConfig}

    def __init__(
        self,
        encoder_config: DepthEncoderConfig | dict[str, Any] | None = None,
        text_config: PretrainedConfig | dict[str, Any] | None = None,
        depth_token_id: int = 1,
        region_token_id: int = 2,
        column_token_id: int = 3,
        row_token_id: int = 3 + BINS,
        instance_classes: int = 0,
        lora_rank: int = 0,
        lora_alpha: int = 32,
        **kwargs: Any,
    ) -> None:
        if not isinstance(encoder_config, DepthEncoderConfig):
            encoder_config = DepthEncoderConfig(**(encoder_config or {}))
        if isinstance(text_config, dict):
            text_config = AutoConfig.for_model(**text_config)
        self.encoder_config = encoder_config
        self.text_config = text_config or LlamaConfig()
        self.depth_token_id = depth_token_id
        self.region_token_id = region_token_id
        self.column_token_id = column_token_id
        self.row_token_id = row_token_id
        self.instance_classes = instance_classes
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        kwargs['tie_word_embeddings'] = self.text_config.tie_word_embeddings
        super().__init__(**kwargs)


@dataclass(frozen=True)
class Preset:
    """Pretrained parts that a model is made of; a folder may stand for each.

    Attributes:
        vision: hub id of CLIP; None for an encoder from scratch.
        text: hub id of the language model; None for one from scratch.
        prompt: name of the prompt format (``deepsight_ros.language.prompts``).

    """

    vision: str | None
    text: str | None
    prompt: str


PRESETS: Final[dict[str, Preset]] = {
    # The paper's parts; which CLIP it is, is a guess (PAPERS: unknown).
    'deepsight-7b': Preset(
        'openai/clip-vit-large-patch14-336', 'lmsys/vicuna-7b-v1.5', 'vicuna'),
    'deepsight-0.5b': Preset(
        'openai/clip-vit-base-patch16', 'Qwen/Qwen2.5-0.5B-Instruct', 'chatml'),
    'deepsight-nano': Preset(None, None, 'nano'),
}


def nano_config(vocab_size: int, end: int, **kwargs: Any) -> DeepSightConfig:
    """Sizes of ``deepsight-nano``: 6 million weights, 80 visual tokens.

    Weights start at the scale of the width: with the usual 0.02, made for wider models, attention
    starts out even over all tokens and finds the place that is asked about late.

    Args:
        vocab_size: tokens of its own tokenizer.
        end: token that ends an answer.
        kwargs: further arguments of ``DeepSightConfig``.
    """
    vision = {'hidden_size': 192, 'intermediate_size': 576, 'num_hidden_layers': 2,
              'num_attention_heads': 4}
    text = LlamaConfig(
        vocab_size=vocab_size, hidden_size=256, intermediate_size=640, num_hidden_layers=6,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        tie_word_embeddings=True, initializer_range=256 ** -0.5, bos_token_id=None,
        eos_token_id=end, pad_token_id=0)
    return DeepSightConfig(DepthEncoderConfig(vision=vision), text, **kwargs)
