"""Configuration of the scene segmentation network."""

from typing import Any

from transformers import PretrainedConfig


class SceneSegmentationConfig(PretrainedConfig):
    """Sizes of ``SceneSegmentationModel``.

    Args:
        num_classes: classes of the output, in the order of ``SceneClass``.
        stem_channels: channels at stride 2.
        stage_channels: channels at strides 4, 8, 16 and 32.
        stage_blocks: residual blocks per stage.
        decoder_channels: channels of the top-down path.
        output_stride: stride of the class map, 4 or a divisor of it.
        image_mean: mean of RGB on the 0..255 scale.
        image_std: standard deviation of RGB on the 0..255 scale.
    """

    model_type = 'scene_segmentation'

    def __init__(
        self,
        num_classes: int = 8,
        stem_channels: int = 16,
        stage_channels: tuple[int, ...] = (32, 64, 128, 160),
        stage_blocks: tuple[int, ...] = (1, 2, 2, 2),
        decoder_channels: int = 48,
        output_stride: int = 2,
        image_mean: tuple[float, ...] = (110.0, 110.0, 110.0),
        image_std: tuple[float, ...] = (65.0, 65.0, 65.0),
        **kwargs: Any,
    ) -> None:
        self.num_classes = num_classes
        self.stem_channels = stem_channels
        self.stage_channels = list(stage_channels)
        self.stage_blocks = list(stage_blocks)
        self.decoder_channels = decoder_channels
        self.output_stride = output_stride
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)
        super().__init__(**kwargs)
