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

from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.depth_encoder import CHANNELS
from deepsight_training.models.depth_encoder import DepthEncoder
from deepsight_training.models.depth_encoder import MEASURES
from deepsight_training.models.depth_encoder import NEAREST

UNKNOWN: Final = -1
"""Auxiliary target that is not known."""
WAVES: Final = 6
"""Waves per measure, each of half the length of the one before."""
WAVE_FEATURES: Final = CHANNELS + 2 * WAVES * len(MEASURES)


class Projector(nn.Sequential):
    """Two layers with GELU into the language model's space (LLaVA-1.5)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs))


class RegionProjector(nn.Sequential):
    """Two layers that turn what is at a place into a token; ReLU, for NumPy runs it too."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.ReLU(), nn.Linear(outputs, outputs))


def wave_features(values: Tensor) -> Tensor:
    """Channels of a pixel [..., CHANNELS], and ``WAVES`` of those that lengths are read from.

    A length to three digits is more than one number between 0 and 1 tells a layer of ReLUs.
    """
    angles = torch.pi * values[..., list(MEASURES), None] * 2.0 ** torch.arange(
        WAVES, dtype=values.dtype, device=values.device)
    return torch.cat([values, angles.sin().flatten(-2), angles.cos().flatten(-2)], -1)


def _at(picture: Tensor, places: Tensor) -> Tensor:
    """Values [B, R, C] of a picture [B, C, H, W] at places (x, y in 0..1) [B, R, 2]."""
    height, width = picture.shape[2:]
    columns = (places[..., 0] * width).long().clamp(0, width - 1)
    rows = (places[..., 1] * height).long().clamp(0, height - 1)
    cells = (rows * width + columns)[:, None].expand(-1, picture.shape[1], -1)
    return picture.flatten(2).gather(2, cells).transpose(1, 2)


@dataclass
class DeepSightOutput(ModelOutput):
    """Loss over answers and auxiliary targets, logits [B, L, V], cache of the language model."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    past_key_values: Cache | None = None


class AuxiliaryHeads(nn.Module):
    """What a visual token must tell about its cell; these heads vanish at export.

    Per quarter of a cell the brightness of the nearest surface and of the nearest obstacle
    (``NEAREST``), and per cell the class of the thing whose middle it holds.
    """

    def __init__(self, hidden_size: int, instance_classes: int, cell: int) -> None:
        super().__init__()
        self.quarter = cell // 2
        self.nearest = nn.Linear(hidden_size, 4 * len(NEAREST))
        self.instance = nn.Linear(hidden_size, instance_classes)

    def forward(self, tokens: Tensor, channels: Tensor, instances: Tensor) -> Tensor:
        """Sum of the two losses.

        Args:
            tokens: visual tokens [B, N, hidden_size].
            channels: what the encoder saw [B, CHANNELS, H, W].
            instances: class or UNKNOWN per cell [B, N].
        """
        nearest = F.pixel_unshuffle(F.max_pool2d(channels[:, NEAREST], self.quarter), 2)
        loss = 10.0 * F.smooth_l1_loss(
            self.nearest(tokens).float(), nearest.flatten(2).transpose(1, 2), beta=0.05)
        # Most cells hold no middle of anything: they count less.
        weight = torch.where(instances > 0, 1.0, 0.2) * (instances != UNKNOWN)
        logits = self.instance(tokens).float()
        by_cell = F.cross_entropy(
            logits.transpose(1, 2), instances.clamp(min=0), reduction='none')
        return loss + (by_cell * weight).sum() / weight.sum().clamp(min=1.0)


class DeepSightForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Answers questions about a depth image.

    The prompt holds ``depth_token_id`` once per visual token, and ``region_token_id`` for every
    place that the question points at; the latter carries the place's local features.
    """

    config_class = DeepSightConfig
    base_model_prefix = 'model'
    main_input_name = 'input_ids'
    supports_gradient_checkpointing = True
    _supports_sdpa = True

    def __init__(self, config: DeepSightConfig) -> None:
        super().__init__(config)
        encoder, hidden_size = config.encoder_config, config.text_config.hidden_size
        attention = config._attn_implementation
        self.encoder = DepthEncoder(encoder, attention)
        self.projector = Projector(encoder.hidden_size, hidden_size)
        self.region_projector = RegionProjector(
            encoder.local_channels + WAVE_FEATURES, hidden_size)
        self.language_model = AutoModelForCausalLM.from_config(
            config.text_config, attn_implementation=attention)
        self._no_split_modules = ['CLIPEncoderLayer', *self.language_model._no_split_modules]
        self.auxiliary = (
            AuxiliaryHeads(hidden_size, config.instance_classes, encoder.cell)
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

    def region_embeddings(self, features: Tensor, channels: Tensor, regions: Tensor) -> Tensor:
        """Embeddings [B, R, hidden_size] of places (x, y in 0..1) [B, R, 2]."""
        return self.region_projector(torch.cat([
            _at(features, regions), wave_features(_at(channels, regions))], -1))

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
            regions: places (x, y in 0..1) [B, R, 2] of the prompt's region tokens, in order.
            instances: class or UNKNOWN per visual token [B, N], with ``auxiliary`` heads.
            labels: ids [B, L], -100 where nothing is learned.
            attention_mask: [B, L], or boolean [B, 1, L, L] where questions share a picture.
            position_ids: [B, L].
            past_key_values: the language model's cache.
            inputs_embeds: embeddings instead of ``input_ids``.
            kwargs: of the language model.
        """
        auxiliary_loss = None
        if depth is not None and input_ids is not None:
            tokens, features, channels = self.encoder(depth, camera, ground, boxes)
            tokens = self.projector(tokens)
            inputs_embeds = self.embed(input_ids, tokens, features, channels, regions)
            if self.auxiliary is not None and instances is not None:
                auxiliary_loss = self.auxiliary(tokens, channels, instances)
        elif inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        kwargs.pop('num_items_in_batch', None)
        if attention_mask is not None and attention_mask.dim() == 4 and self._is_eager():
            attention_mask = torch.zeros_like(attention_mask, dtype=torch.float32).masked_fill(
                ~attention_mask, torch.finfo(torch.float32).min)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask,
            position_ids=position_ids, past_key_values=past_key_values, **kwargs)
        loss = None
        if labels is not None:
            # Masked by hand: where questions share a picture, the mean is over all answers.
            loss = F.cross_entropy(
                outputs.logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
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
