"""A real language bundle with small random weights: whatever it answers is wrong."""

from pathlib import Path

from deepsight_training.export_deepsight import write_bundle
from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
import tokenizers
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
import torch
from transformers import Qwen2Config

from deepsight_ros.language.places import Place
from deepsight_ros.language.prompts import FORMATS
from deepsight_ros.language.tokenizer import SPECIAL_TOKENS
from deepsight_ros.language.tokenizer import Tokenizer


def tiny_tokenizer() -> Tokenizer:
    """Bytes, and the special tokens of the nano format."""
    form = FORMATS['nano']
    backend = tokenizers.Tokenizer(BPE())
    backend.pre_tokenizer, backend.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    backend.train_from_iterator(['how far is it'], BpeTrainer(
        vocab_size=600, initial_alphabet=ByteLevel.alphabet(), show_progress=False,
        special_tokens=['<pad>', *SPECIAL_TOKENS, form.question, form.answer, form.end]))
    return Tokenizer(backend)


def tiny_model(tokenizer: Tokenizer, box_branch: bool = False,
               ) -> DeepSightForConditionalGeneration:
    """Random weights that are large enough for answers to differ; any language model will do."""
    torch.manual_seed(0)
    text = Qwen2Config(
        vocab_size=tokenizer.size, hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, bos_token_id=None,
        eos_token_id=tokenizer.token('<end>'), pad_token_id=0, initializer_range=0.5)
    encoder = DepthEncoderConfig(
        vision={'hidden_size': 16, 'intermediate_size': 16, 'num_hidden_layers': 1,
                'num_attention_heads': 2},
        height=32, width=48, local_channels=8, stem_channels=(8, 8),
        box_branch=box_branch)
    column, row = tokenizer.location(Place(0.0, 0.0))
    return DeepSightForConditionalGeneration(DeepSightConfig(
        encoder, text, depth_token_id=tokenizer.depth_id, region_token_id=tokenizer.region_id,
        column_token_id=column, row_token_id=row, instance_classes=3)).eval()


def write_tiny_language_bundle(folder: Path) -> Path:
    """Write the bundle into ``folder``."""
    tokenizer = tiny_tokenizer()
    write_bundle(tiny_model(tokenizer), tokenizer, folder, prompt='nano', trained=('noise',),
                 half=False)
    return folder
