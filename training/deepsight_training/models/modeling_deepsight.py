"""DeepSight: a depth encoder whose tokens stand in the prompt of a causal language model."""

from dataclasses import dataclass
from typing import Any
from typing import Final

from peft import inject_adapter_in_model
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as F
from transformers import AutoConfig
from transformers import AutoModelForCausalLM
from transformers import GenerationMixin
from transformers import PreTrainedModel
from transformers.cache_utils import Cache
from transformers.utils import ModelOutput

from deepsight_ros.language.tokenizer import BINS
from deepsight_training.models.auxiliary_heads import AuxiliaryHeads
from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.depth_encoder import DepthEncoder
from deepsight_training.models.depth_encoder import metres_of
from deepsight_training.models.depth_encoder import NEAREST
from deepsight_training.models.depth_encoder import nearest_brightness
from deepsight_training.models.place_features import CELL_FEATURES
from deepsight_training.models.place_features import PLACE_FEATURES
from deepsight_training.models.place_features import place_features
from deepsight_training.models.place_features import RELATION_FEATURES
from deepsight_training.models.place_features import relation_features
from deepsight_training.models.place_features import SUMMARY_FEATURES
from deepsight_training.models.place_features import values_at
from deepsight_training.models.place_features import waves

PLACE_WAVES: Final = 6
"""Waves over the picture that location tokens start from, each half as long as the one before."""


class Projector(nn.Sequential):
    """Two layers with GELU into the language model's space (LLaVA-1.5)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs))


class RegionProjector(nn.Sequential):
    """Two layers that turn what is at a place into a token; ReLU, for NumPy runs it too."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.ReLU(), nn.Linear(outputs, outputs))


def _middles(cells: int, device: torch.device) -> Tensor:
    """Bins of location tokens that the middles of cells lie in."""
    return ((torch.arange(cells, device=device) + 0.5) * BINS / cells).long()


@dataclass
class DeepSightOutput(ModelOutput):
    """Loss over answers and auxiliary targets, logits [B, L, V], cache of the language model."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    past_key_values: Cache | None = None


class DeepSightForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Answers questions about a depth image.

    The prompt holds ``depth_token_id`` once per visual token, and ``region_token_id`` for every
    place that the question points at; the latter carries the place's local features.
    """

    config_class = DeepSightConfig
    base_model_prefix = 'model'
    main_input_name = 'input_ids'
    supports_gradient_checkpointing = True
    accepts_loss_kwargs = False
    """The loss is a mean over the batch: the trainer takes the mean of several of them itself."""
    _supports_sdpa = True

    def __init__(self, config: DeepSightConfig) -> None:
        super().__init__(config)
        encoder, hidden_size = config.encoder_config, config.text_config.hidden_size
        attention = config._attn_implementation
        self.encoder = DepthEncoder(encoder, attention)
        self.projector = Projector(encoder.hidden_size, hidden_size)
        self.summary_projector = Projector(SUMMARY_FEATURES, hidden_size)
        self.region_projector = RegionProjector(
            encoder.feature_channels + PLACE_FEATURES + RELATION_FEATURES, hidden_size)
        self.cell_projector = nn.Linear(CELL_FEATURES, hidden_size)
        self.language_model = AutoModelForCausalLM.from_config(
            config.text_config, attn_implementation=attention)
        self._no_split_modules = ['CLIPEncoderLayer', *self.language_model._no_split_modules]
        self.auxiliary = (
            AuxiliaryHeads(hidden_size, config.instance_classes, encoder)
            if config.instance_classes else None)
        if config.lora_rank:
            self._inject_lora()
        self.post_init()

    @classmethod
    def from_parts(cls, config: DeepSightConfig, vision: str | None, text: str | None,
                   ) -> 'DeepSightForConditionalGeneration':
        """Assemble a model from a pretrained CLIP and language model (folder or hub id)."""
        model = cls(config)
        if vision is not None:
            model.encoder.load_clip(vision)
        if text is not None:
            pretrained = AutoModelForCausalLM.from_pretrained(text)
            pretrained.resize_token_embeddings(config.text_config.vocab_size)
            model.language_model.load_state_dict(pretrained.state_dict())
        return model

    def add_lora(self, rank: int, alpha: int) -> None:
        """Freeze the language model and put low-rank adapters beside its linear layers."""
        self.config.lora_rank, self.config.lora_alpha = rank, alpha
        self._inject_lora()

    def _inject_lora(self) -> None:
        settings = LoraConfig(
            r=self.config.lora_rank, lora_alpha=self.config.lora_alpha,
            target_modules='all-linear', exclude_modules=['lm_head'])
        inject_adapter_in_model(settings, self.language_model)

    def merge_lora(self) -> None:
        """Fold the adapters into the weights; for export."""
        for name, module in list(self.language_model.named_modules()):
            if isinstance(module, BaseTunerLayer):
                module.merge()
                parent = self.language_model.get_submodule(name.rpartition('.')[0])
                setattr(parent, name.rpartition('.')[2], module.get_base_layer())
        self.config.lora_rank = 0

    def _init_weights(self, module: nn.Module) -> None:
        # The layers' own initialisation stays; the parts from transformers bring theirs.
        pass

    def get_input_embeddings(self) -> nn.Module:
        """Return the language model's."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Set the language model's."""
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """Return the language model's."""
        return self.language_model.get_output_embeddings()

    @torch.no_grad()
    def spread_places(self) -> None:
        """Let location tokens start as waves over the picture, so that neighbours are alike."""
        table = self.get_input_embeddings().weight
        places = (torch.arange(BINS) + 0.5) / BINS
        angles = torch.pi * places[:, None] * 2.0 ** torch.arange(PLACE_WAVES)
        features = torch.cat([angles.sin(), angles.cos()], 1)
        for first in (self.config.column_token_id, self.config.row_token_id):
            rows = features @ torch.randn(features.shape[1], table.shape[1])
            table[first:first + BINS] = (rows * table.std() / rows.std()).to(table)

    def cell_places(self) -> Tensor:
        """Sums [N, hidden_size] of the location tokens in the middle of each cell."""
        rows, columns = self.config.encoder_config.grid
        table = self.get_input_embeddings().weight
        across = table[self.config.column_token_id + _middles(columns, table.device)]
        down = table[self.config.row_token_id + _middles(rows, table.device)]
        return (down[:, None] + across[None, :]).flatten(0, 1)

    def visual_embeddings(self, tokens: Tensor, channels: Tensor, places: Tensor | None = None,
                          ) -> Tensor:
        """Embeddings [B, visual_tokens, hidden_size] of a picture.

        One for each cell, which tells where it is in the words of location tokens and how far
        the nearest surface in its quarters is, and one for the nearest surface and the obstacle
        on each way in all of the picture. ``places`` are ``cell_places`` where these are known.
        """
        summary = self.summary_projector(self._lengths(nearest_brightness(channels)))
        straight = F.max_pool2d(channels[:, NEAREST[:1]], self.config.encoder_config.cell // 2)
        lengths = self._lengths(F.pixel_unshuffle(straight, 2).flatten(2).transpose(1, 2))
        cells = self.projector(tokens)
        where = (self.cell_places() if places is None else places) + self.cell_projector(lengths)
        return torch.cat([cells + where.to(cells.dtype), summary[:, None].to(cells.dtype)], 1)

    def _lengths(self, bright: Tensor) -> Tensor:
        """Brightness [..., N], whether there is any, and waves of the lengths behind it."""
        config = self.config.encoder_config
        seen = (bright > 0).to(bright.dtype)
        metres = metres_of(bright, config.near, config.far) * seen
        return torch.cat([bright, seen, waves(metres)], -1)

    def region_embeddings(self, features: Tensor, channels: Tensor, regions: Tensor) -> Tensor:
        """Embeddings [B, R, hidden_size] of ``regions`` as in ``forward``."""
        here, before = regions[..., :2], regions[..., 2:]
        found = values_at(channels, here)
        return self.region_projector(torch.cat([
            values_at(features, here), place_features(found),
            relation_features(found, values_at(channels, before),
                              (here != before).any(-1, keepdim=True))], -1))

    def embed(self, input_ids: Tensor, tokens: Tensor, features: Tensor, channels: Tensor,
              regions: Tensor | None) -> Tensor:
        """Prompt embeddings [B, L, hidden_size] with visual tokens and places filled in."""
        embeddings = self.get_input_embeddings()(input_ids)
        is_depth = input_ids == self.config.depth_token_id
        if int(is_depth.sum()) != tokens.shape[0] * tokens.shape[1]:
            raise ValueError(f'the prompts hold {int(is_depth.sum())} depth tokens for '
                             f'{tokens.shape[0]} x {tokens.shape[1]} visual tokens')
        embeddings = embeddings.masked_scatter(is_depth[..., None], tokens.to(embeddings.dtype))
        is_region = input_ids == self.config.region_token_id
        if regions is None or regions.shape[1] == 0:
            return embeddings
        places = self.region_embeddings(features, channels, regions).to(embeddings.dtype)
        nth = (is_region.cumsum(1) - 1).clamp(0, regions.shape[1] - 1)
        chosen = places.gather(1, nth[..., None].expand(-1, -1, places.shape[-1]))
        return torch.where(is_region[..., None], chosen, embeddings)

    def forward(
        self,
        input_ids: Tensor | None = None,
        depth: Tensor | None = None,
        camera: Tensor | None = None,
        ground: Tensor | None = None,
        boxes: Tensor | None = None,
        regions: Tensor | None = None,
        classes: Tensor | None = None,
        instances: Tensor | None = None,
        labels: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> DeepSightOutput:
        """Next-token logits, and the loss where labels are given.

        Args:
            input_ids: prompts [B, L].
            depth: see ``DepthEncoder``; None once its tokens are in the cache.
            camera: see ``DepthEncoder``.
            ground: see ``DepthEncoder``.
            boxes: see ``DepthEncoder``.
            regions: places of the prompt's region tokens, in order [B, R, 4]: x, y (0..1), and
                those of the place before it in the same question, or its own.
            classes: class or UNKNOWN per feature [B, H/4, W/4], with ``auxiliary`` heads.
            instances: class or UNKNOWN per cell [B, N], with them.
            labels: ids [B, L], -100 where nothing is learned; without them, but with
                ``instances``, what is learned is to see, and the language model is left out.
            attention_mask: [B, L], or boolean [B, 1, L, L] where questions share a picture.
            position_ids: [B, L].
            past_key_values: the language model's cache.
            inputs_embeds: embeddings instead of ``input_ids``.
            kwargs: of the language model.
        """
        auxiliary_loss = None
        if depth is not None and input_ids is not None:
            tokens, features, channels = self.encoder(depth, camera, ground, boxes)
            tokens = self.visual_embeddings(tokens, channels)
            inputs_embeds = self.embed(input_ids, tokens, features, channels, regions)
            if self.auxiliary is not None and instances is not None:
                auxiliary_loss = self.auxiliary(
                    tokens[:, :-1], features, channels, classes, instances)
                if labels is None:
                    return DeepSightOutput(auxiliary_loss)
        elif inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if attention_mask is not None and attention_mask.dim() == 4 and self._is_eager():
            attention_mask = torch.zeros_like(attention_mask, dtype=torch.float32).masked_fill(
                ~attention_mask, torch.finfo(torch.float32).min)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask,
            position_ids=position_ids, past_key_values=past_key_values, **kwargs)
        loss = None
        if labels is not None:
            # Masked by hand: where questions share a picture, the mean is over all answers. Even
            # without any the language model ran: other processes wait for each of its layers.
            wanted = labels[:, 1:].flatten()
            loss = F.cross_entropy(
                outputs.logits[:, :-1].flatten(0, 1).float(), wanted, reduction='sum',
            ) / (wanted >= 0).sum().clamp(min=1)
            if auxiliary_loss is not None:
                loss = loss + auxiliary_loss
        return DeepSightOutput(loss, outputs.logits, outputs.past_key_values)

    def _is_eager(self) -> bool:
        """Whether attention adds its mask; the fused kernels take a boolean one."""
        return self.language_model.config._attn_implementation == 'eager'

    def prepare_inputs_for_generation(self, input_ids: Tensor, **kwargs: Any) -> dict[str, Any]:
        """Leave the picture out once its tokens are in the cache."""
        is_first = kwargs.get('is_first_iteration', False)
        inputs = super().prepare_inputs_for_generation(input_ids, **kwargs)
        if not is_first and kwargs.get('use_cache', True):
            for name in ('depth', 'camera', 'ground', 'boxes', 'regions'):
                inputs.pop(name, None)
        return inputs


AutoConfig.register('deepsight', DeepSightConfig)
AutoModelForCausalLM.register(DeepSightConfig, DeepSightForConditionalGeneration)
