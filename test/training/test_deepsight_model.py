from pathlib import Path

from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.models.configuration_deepsight import nano_config
from deepsight_training.models.depth_encoder import brightness
from deepsight_training.models.depth_encoder import CHANNELS
from deepsight_training.models.depth_encoder import CLIP_MEAN
from deepsight_training.models.depth_encoder import CLIP_STD
from deepsight_training.models.depth_encoder import depth_channels
from deepsight_training.models.depth_encoder import ground_coordinates
from deepsight_training.models.depth_encoder import metres_of
from deepsight_training.models.depth_encoder import NEAREST
from deepsight_training.models.depth_encoder import nearest_brightness
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers import CLIPVisionConfig
from transformers import CLIPVisionModel
from transformers import LlamaConfig
from transformers import PretrainedConfig
from transformers import Qwen2Config

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import free_ways
from deepsight_ros.geometry.points import nearest_pixel
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.tokenizer import BINS

VISION = {'hidden_size': 16, 'intermediate_size': 24, 'num_hidden_layers': 1,
          'num_attention_heads': 2}
TEXT = {'hidden_size': 24, 'intermediate_size': 32, 'num_hidden_layers': 2,
        'num_attention_heads': 4, 'num_key_value_heads': 2, 'bos_token_id': None,
        'eos_token_id': None, 'pad_token_id': 0}


TOKENS = 220
"""Tokens of the tiny language models: those of locations, and a few."""


def text_config(name: str = 'llama', vocab_size: int = TOKENS) -> PretrainedConfig:
    text = {**TEXT, 'vocab_size': vocab_size}
    if name == 'llama':
        return LlamaConfig(**text, tie_word_embeddings=True)
    return Qwen2Config(**text)


def nano() -> DeepSightConfig:
    encoder = DepthEncoderConfig(
        vision=VISION, height=32, width=48, local_channels=8, stem_channels=(8, 16),
        box_branch=True)
    return DeepSightConfig(encoder, text_config(), instance_classes=3)


def clip(text: str = 'qwen2') -> DeepSightConfig:
    encoder = DepthEncoderConfig(
        'clip', {**VISION, 'image_size': 32, 'patch_size': 8}, 32, 32, local_channels=8,
        box_branch=True)
    return DeepSightConfig(encoder, text_config(text))


def prompt(config: DeepSightConfig, batch: int = 2) -> dict[str, Tensor]:
    """Random pictures and questions; each points at one place."""
    encoder = config.encoder_config
    size = (batch, encoder.height, encoder.width)
    text = torch.randint(3, TOKENS, (batch, 6))
    text[:, 2] = config.region_token_id
    picture = torch.full((batch, encoder.visual_tokens), config.depth_token_id)
    return {
        'input_ids': torch.cat([picture, text], 1),
        'depth': torch.rand(size) * 5 + 0.2,
        'camera': torch.tensor([[40.0, 40.0, 23.5, 15.5]] * batch),
        'ground': torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.6, 1.2, 0.1]] * batch),
        'regions': torch.rand(batch, 1, 4),
    }


def make(config: DeepSightConfig) -> DeepSightForConditionalGeneration:
    torch.manual_seed(0)
    return DeepSightForConditionalGeneration(config).eval()


@pytest.mark.parametrize('config', [nano(), clip()], ids=['nano', 'clip'])
def test_saved_and_loaded_models_agree(config: DeepSightConfig, tmp_path: Path):
    model, inputs = make(config), prompt(config)
    model.save_pretrained(tmp_path)
    again = DeepSightForConditionalGeneration.from_pretrained(tmp_path).eval()
    assert torch.equal(model(**inputs).logits, again(**inputs).logits)


@pytest.mark.parametrize('config', [nano(), clip()], ids=['nano', 'clip'])
@torch.no_grad()
def test_generate_is_greedy_decoding_without_a_cache(config: DeepSightConfig):
    model, inputs = make(config), prompt(config)
    found = model.generate(**inputs, max_new_tokens=4, do_sample=False)
    ids = inputs.pop('input_ids')
    for _ in range(4):
        logits = model(input_ids=ids, **inputs).logits[:, -1]
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
    assert torch.equal(found, ids)


@torch.no_grad()
def test_questions_that_share_a_picture_answer_as_alone():
    model = make(nano())
    inputs = prompt(nano(), batch=1)
    picture, question = inputs['input_ids'][:, :7], inputs['input_ids'][:, 7:]
    alone = model(**inputs).logits[:, 7:]
    inputs['input_ids'] = torch.cat([picture, question, question], 1)
    inputs['regions'] = inputs['regions'].repeat(1, 2, 1)
    allowed = torch.ones(19, 19).tril()
    allowed[13:, 7:13] = 0
    positions = torch.cat([torch.arange(13), torch.arange(7, 13)])[None]
    for attention in ('sdpa', 'eager'):
        model.set_attn_implementation(attention)
        shared = model(
            **inputs, attention_mask=allowed[None, None] > 0, position_ids=positions).logits
        for start in (7, 13):
            torch.testing.assert_close(shared[:, start:start + 6], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('text', ['llama', 'qwen2'])
@torch.no_grad()
def test_pretrained_parts_from_disk(text: str, tmp_path: Path):
    """Tiny random checkpoints of the very classes that the large presets load."""
    config = clip(text)
    vision = CLIPVisionModel(CLIPVisionConfig(
        **{**VISION, 'image_size': 32, 'patch_size': 8, 'num_hidden_layers': 2})).eval()
    vision.save_pretrained(tmp_path / 'clip')
    language_model = AutoModelForCausalLM.from_config(text_config(text, TOKENS - 10))
    language_model.save_pretrained(tmp_path / 'text')
    model = DeepSightForConditionalGeneration.from_parts(
        config, str(tmp_path / 'clip'), str(tmp_path / 'text')).eval()

    # One channel through summed kernels is what three equal channels are to CLIP; as LLaVA, the
    # last layer is left out.
    inputs = prompt(config)
    encoder = config.encoder_config
    tokens, _, channels = model.encoder(inputs['depth'], inputs['camera'], inputs['ground'])
    grey = (channels[:, :1] - CLIP_MEAN) / CLIP_STD
    expected = vision(grey.expand(-1, 3, -1, -1), output_hidden_states=True).hidden_states[-2]
    assert encoder.vision['num_hidden_layers'] == 1
    torch.testing.assert_close(tokens, expected[:, 1:], atol=1e-5, rtol=1e-4)
    old = language_model.get_input_embeddings().weight
    assert torch.equal(model.get_input_embeddings().weight[:TOKENS - 10], old)


@pytest.mark.parametrize('config', [nano(), clip()], ids=['nano', 'clip'])
@torch.no_grad()
def test_any_number_of_boxes(config: DeepSightConfig):
    encoder, inputs = make(config).encoder, prompt(config)
    picture = [inputs[name] for name in ('depth', 'camera', 'ground')]
    box = torch.tensor([[[0.0, 0.0, 0.5, 0.5]]] * 2)
    plain = encoder(*picture)[0]
    assert torch.equal(encoder(*picture, box)[0], plain), 'a new branch changes nothing'
    torch.nn.init.normal_(encoder.boxes.projection.weight)
    torch.testing.assert_close(encoder(*picture, box[:, :0])[0], plain)
    torch.testing.assert_close(encoder(*picture, torch.zeros(2, 3, 4))[0], plain)
    assert not torch.allclose(encoder(*picture, box)[0], plain)
    twice = torch.cat([box, box, torch.zeros(2, 1, 4)], 1)
    torch.testing.assert_close(encoder(*picture, twice)[0], encoder(*picture, box)[0])


def test_channels_keep_metres_and_agree_with_the_robot_geometry():
    rng = np.random.default_rng(0)
    camera = Camera(6, 4, 5.0, 6.0, 2.4, 1.6)
    plane = GroundPlane.from_height(1.1, 0.3, -0.2)
    depth = rng.uniform(0.5, 6.0, (4, 6)).astype(np.float32)
    expected = above_ground(organised_points(depth, camera), plane)
    tensor = torch.from_numpy(depth)[None]
    ground = torch.tensor([[*plane.normal, plane.height, 0.6, 1.2, 0.1]], dtype=torch.float32)
    rays = [torch.tensor(camera.rays[..., i])[None] for i in (0, 1)]
    found = torch.stack(ground_coordinates(tensor, *rays, ground), -1)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)

    metres = metres_of(brightness(tensor, 0.1, 100.0), 0.1, 100.0)
    torch.testing.assert_close(metres, tensor)
    tensor[0, 0, 0] = 0.0
    intrinsics = torch.tensor([[camera.fx, camera.fy, camera.cx, camera.cy]])
    channels = depth_channels(tensor, intrinsics, torch.zeros(1, 7), 0.1, 100.0)
    assert channels.isfinite().all()
    assert not channels[0, :3, 0, 0].any(), 'nothing was measured there'
    assert not channels[0, 5:8].any(), 'the ground is unknown'
    assert not channels[0, 9:CHANNELS + 2].any(), 'the ground is unknown'
    straight = np.linalg.norm(organised_points(depth, camera), axis=-1)[1:]
    np.testing.assert_allclose(channels[0, CHANNELS + 2, 1:], straight, rtol=1e-4)
    np.testing.assert_allclose(
        metres_of(channels[0, NEAREST[0], 1:], 0.1, 100.0), straight, rtol=1e-4)


def test_the_nearest_of_all_is_what_the_robot_geometry_finds():
    rng = np.random.default_rng(1)
    camera = Camera(64, 48, 40.0, 45.0, 30.0, 22.0)
    plane, robot = GroundPlane.from_height(0.8, 0.1, 0.05), Robot(0.9, 1.1, 0.1)
    depth = rng.uniform(0.5, 9.0, (48, 64)).astype(np.float32)
    points = above_ground(organised_points(depth, camera), plane)
    ways = free_ways(points, camera, robot)
    nearest = nearest_pixel(
        np.linalg.norm(organised_points(depth, camera), axis=-1), np.ones(depth.shape, bool))
    channels = depth_channels(
        torch.from_numpy(depth)[None],
        torch.tensor([[camera.fx, camera.fy, camera.cx, camera.cy]]), torch.tensor(
            [[*plane.normal, plane.height, robot.width, robot.height,
              robot.min_obstacle_height]], dtype=torch.float32), 0.1, 100.0)
    found = metres_of(nearest_brightness(channels), 0.1, 100.0)[0].tolist()
    assert found == pytest.approx(
        [nearest[0], ways['ahead'], ways['left'], ways['right']], rel=1e-4)


def test_location_tokens_start_as_waves_and_tell_where_cells_are():
    model = make(nano())
    model.spread_places()
    table = model.get_input_embeddings().weight
    columns = table[model.config.column_token_id:model.config.column_token_id + BINS]
    nearness = torch.nn.functional.cosine_similarity(columns[40:41], columns)
    assert nearness[41] > nearness[60:].max()
    rows, across = model.config.encoder_config.grid
    cells = model.cell_places().unflatten(0, (rows, across))
    where = model.config.column_token_id + BINS // 2, model.config.row_token_id + BINS // 4
    torch.testing.assert_close(cells[0, 1], table[where[0]] + table[where[1]])


@torch.no_grad()
def test_places_and_focal_length_matter():
    model, inputs = make(nano()), prompt(nano())
    logits = model(**inputs).logits
    for name, value in (('regions', 1 - inputs['regions']), ('camera', 2 * inputs['camera'])):
        assert not torch.allclose(model(**{**inputs, name: value}).logits, logits), name


def test_lora_trains_alone_and_folds_into_the_weights(tmp_path: Path):
    model, inputs = make(nano()), prompt(nano())
    before = model(**inputs).logits
    model.add_lora(2, 8)
    trained = {n for n, p in model.language_model.named_parameters() if p.requires_grad}
    assert trained
    assert all('lora_' in name for name in trained)
    torch.testing.assert_close(model(**inputs).logits, before)
    for name, parameter in model.language_model.named_parameters():
        if 'lora_B' in name:
            torch.nn.init.normal_(parameter)
    adapted = model(**inputs).logits
    assert not torch.allclose(adapted, before)
    model.save_pretrained(tmp_path)
    again = DeepSightForConditionalGeneration.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(**inputs).logits, adapted)
    again.merge_lora()
    assert not any('lora' in name for name in again.state_dict())
    torch.testing.assert_close(again(**inputs).logits, adapted, atol=1e-5, rtol=1e-4)


def test_nano_stays_below_fifteen_million_weights():
    model = make(nano_config(2048, 5, instance_classes=26))
    assert sum(p.numel() for p in model.parameters()) < 15e6


def test_auxiliary_losses_reach_the_encoder():
    model, inputs = make(nano()), prompt(nano())
    instances, classes = torch.full((2, 6), -1), torch.full((2, 8, 12), -1)
    labels = torch.full_like(inputs['input_ids'], -100)
    labels[:, -1] = 7
    plain = model(**inputs, labels=labels).loss
    unknown = model(**inputs, labels=labels, classes=classes, instances=instances).loss
    instances[0, 3] = 2
    known = model(**inputs, labels=labels, classes=classes, instances=instances).loss
    classes[1, 1::2, 1::2] = 1
    more = model(**inputs, labels=labels, classes=classes, instances=instances).loss
    assert plain < unknown < known < more
    more.backward()
    assert model.auxiliary.names.weight.grad.any()
    assert model.auxiliary.instance.weight.grad.any()
    assert model.encoder.context.block.first.weight.grad.any()
    assert model.encoder.local[0].weight.grad.any()


def test_a_batch_without_answers_goes_through_the_language_model():
    """Other processes wait for its layers; where a stage asks nothing, none runs them."""
    model, inputs = make(nano()), prompt(nano())
    inputs |= {'instances': torch.full((2, 6), 1), 'classes': torch.full((2, 8, 12), -1)}
    seeing = model(**inputs)
    empty = model(**inputs, labels=torch.full_like(inputs['input_ids'], -100))
    assert seeing.logits is None
    assert torch.equal(empty.loss, seeing.loss)
    empty.loss.backward()
    gradients = [weight.grad for weight in model.language_model.model.layers.parameters()]
    assert all(gradient is not None and not gradient.any() for gradient in gradients)


def test_the_loss_is_the_mean_over_answers():
    model, inputs = make(nano()), prompt(nano())
    labels = torch.full_like(inputs['input_ids'], -100)
    labels[:, -2:] = torch.tensor([[7, 8], [9, -100]])
    found = model(**inputs, labels=labels)
    expected = torch.nn.functional.cross_entropy(
        found.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    assert torch.equal(found.loss, expected)


def test_wrong_input_is_refused():
    model, inputs = make(nano()), prompt(nano())
    with pytest.raises(ValueError, match='depth tokens'):
        model(**{**inputs, 'input_ids': inputs['input_ids'][:, 1:]})
    with pytest.raises(ValueError, match='the encoder takes'):
        model(**{**inputs, 'depth': inputs['depth'][:, 1:]})
    with pytest.raises(ValueError, match='no multiple'):
        DepthEncoderConfig(height=100)
    with pytest.raises(ValueError, match='kind'):
        DepthEncoderConfig('resnet')
