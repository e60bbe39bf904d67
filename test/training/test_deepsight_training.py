from dataclasses import replace
from importlib.metadata import EntryPoint
import json
from pathlib import Path
import shutil

from deepsight_training import export_deepsight
from deepsight_training import train
from deepsight_training import train_deepsight as training
from deepsight_training.datasets.questions import class_places
from deepsight_training.datasets.questions import collate
from deepsight_training.datasets.questions import IGNORED
from deepsight_training.datasets.questions import instance_cells
from deepsight_training.datasets.questions import mirror
from deepsight_training.datasets.questions import pack
from deepsight_training.datasets.questions import PictureFormat
from deepsight_training.datasets.questions import QUESTION_TOKENS
from deepsight_training.datasets.questions import QuestionMixture
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.ema import EmaCallback
from deepsight_training.ema import FILE_NAME
from deepsight_training.instructions.frames import Frames
from deepsight_training.instructions.questions import write_question
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.shards import encode
from deepsight_training.models import configuration_deepsight
from deepsight_training.models.auxiliary_heads import UNKNOWN
from deepsight_training.models.configuration_deepsight import DepthEncoderConfig
from deepsight_training.muon import MuonWithAdamW
from deepsight_training.stages.deepsight import part_of
from deepsight_training.stages.deepsight import read_source
from deepsight_training.stages.deepsight import STAGES
from deepsight_training.trainer import fit
from deepsight_training.trainer import items_of
from deepsight_training.trainer import latest_checkpoint
import numpy as np
import pytest
import torch
from transformers import CLIPVisionConfig
from transformers import CLIPVisionModel
from transformers import LlamaConfig
from transformers import LlamaForCausalLM
from transformers import PreTrainedTokenizerFast
from transformers import TrainerControl
from transformers import TrainerState
from transformers import TrainingArguments
import webdataset

from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.prompts import FORMATS
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
NANO = training.Parts('deepsight-nano')
RUN = {'batch_size': 1, 'dataloader_num_workers': 0, 'logging_steps': 1}
PICTURE = PictureFormat((160, 128), (8, 10))


def make_frame(index: int) -> FrameSample:
    """A wall, and a chair whose distance and side differ."""
    depth = np.full((48, 64), 4.0, np.float32)
    classes = np.full(depth.shape, CLASS_NAMES.index('wall'), np.uint8)
    instances = np.zeros(depth.shape, np.int32)
    part = slice(30, 44), slice(8 + 4 * index, 18 + 4 * index)
    depth[part], classes[part], instances[part] = 2.0 + 0.1 * index, CLASS_NAMES.index('chair'), 7
    matrix = np.array([[50.0, 0, 31.5], [0, 50.0, 23.5], [0, 0, 1]])
    return FrameSample(f'frame{index}', depth, matrix, np.array([0.0, -1.0, 0.0]), 1.0,
                       instances, classes, scene='room', indoors=True)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('frames')
    for shard, name in enumerate(('train-00000', 'train-00001', 'halls-00000')):
        with webdataset.TarWriter(str(folder / f'{name}.tar')) as writer:
            for index in range(4 * shard, 4 * shard + 4):
                frame = make_frame(index)
                writer.write({'__key__': frame.name, **encode(frame)})
    return folder


@pytest.fixture(scope='module')
def tokenizer(data: Path) -> Tokenizer:
    return training.nano_tokenizer(Frames(data, 'train'))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nano model of a few thousand weights."""
    vision = {'hidden_size': 16, 'intermediate_size': 16, 'num_hidden_layers': 1,
              'num_attention_heads': 2}

    def config(vocab_size, end, **tokens):
        text = LlamaConfig(
            vocab_size=vocab_size, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
            bos_token_id=None, eos_token_id=end, pad_token_id=0)
        encoder = DepthEncoderConfig(
            vision=vision, height=32, width=48, local_channels=8, stem_channels=(8, 8))
        return configuration_deepsight.DeepSightConfig(encoder, text, **tokens)
    monkeypatch.setattr(training, 'nano_config', config)


def mixture(data: Path, tokenizer: Tokenizer, **options) -> QuestionMixture:
    prompter = Prompter(tokenizer, 'nano', 80)
    return QuestionMixture(
        {'worlds': Frames(data, 'train')}, {'worlds': 1.0}, 8, prompter, PICTURE, **options)


def losses(checkpoint: Path) -> list[float]:
    state = json.loads((checkpoint / 'trainer_state.json').read_text())
    return [entry['loss'] for entry in state['log_history'] if 'loss' in entry]


def test_frames_of_all_shards_by_number(data: Path):
    frames = Frames(data, 'train')
    assert [frame.name for frame in frames] == [f'frame{i}' for i in range(8)]
    np.testing.assert_allclose(frames[5].depth, make_frame(5).depth, rtol=1e-3)
    with pytest.raises(DatasetError, match='held_out'):
        Frames(data, 'held_out_seeds')


def test_items_depend_on_their_number_alone(data: Path, tokenizer: Tokenizer):
    first, again = mixture(data, tokenizer)[3], mixture(data, tokenizer)[3]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first['ids'][80:120], mixture(data, tokenizer)[4]['ids'][80:120])
    with pytest.raises(DatasetError, match='kitchen'):
        QuestionMixture({}, {'kitchen': 1.0}, 1, Prompter(tokenizer, 'nano', 80), PICTURE)


def test_labels_are_the_answers_and_nothing_else(tokenizer: Tokenizer):
    prompter = Prompter(tokenizer, 'nano', 4)
    item = pack(prompter, [('How far is <region:0.500,0.500>?', '1.20 m'), ('Where?', 'left')])
    learned = item['labels'][item['labels'] != IGNORED].tolist()
    assert learned == [*prompter.answer('1.20 m'), *prompter.answer('left')]
    assert item['regions'].tolist() == [[0.5, 0.5, 0.5, 0.5]]
    assert (item['ids'] == tokenizer.region_id).sum() == 1
    starts = [int((item['part'] == part).nonzero()[0]) for part in (1, 2)]
    assert item['positions'][starts].tolist() == [4, 4]


def test_every_place_in_a_question_is_looked_at(tokenizer: Tokenizer):
    prompter = Prompter(tokenizer, 'nano', 4)
    bare = prompter.question('How far is <loc:0.250,0.750>?')
    assert bare == prompter.question('How far is <region:0.250,0.750>?')
    assert len(bare.regions) == 1
    assert tokenizer.region_id not in prompter.answer('1.20 m at <loc:0.250,0.750>')


def test_a_question_sees_the_picture_and_itself(data: Path, tokenizer: Tokenizer):
    batch = collate([mixture(data, tokenizer, questions=count)[0] for count in (2, 3)])
    mask = batch['attention_mask'][1, 0]
    part = mixture(data, tokenizer, questions=3)[0]['part']
    last = part == 3
    assert mask[last][:, :80].all()
    assert not mask[last][:, (part == 1) | (part == 2)].any()
    assert torch.equal(mask.diagonal(), torch.ones(len(mask), dtype=torch.bool))
    assert not mask.triu(1).any()


def test_a_mirrored_frame_answers_mirrored():
    frame = make_frame(0)
    left = write_question(frame, np.random.default_rng(0), 'thing_distance')
    right = write_question(mirror(frame), np.random.default_rng(0), 'thing_distance')
    places = [parse_answer(item.answer).places[0] for item in (left, right)]
    assert left.value == pytest.approx(right.value, abs=0.01)
    assert places[0].u < 0.5 < places[1].u
    np.testing.assert_allclose(mirror(frame).points[:, ::-1, 0], -frame.points[..., 0], atol=1e-5)


def test_cells_hold_the_middle_of_things():
    cells = instance_cells(make_frame(0), (8, 10)).reshape(8, 10)
    assert cells[6, 1] == CLASS_NAMES.index('chair')
    assert np.count_nonzero(cells) == 1


def test_every_fourth_pixel_tells_what_is_there():
    names = np.array(CLASS_NAMES)[class_places(make_frame(0), (32, 32))]
    assert names.shape == (8, 8)
    assert names[4:6, :2].tolist() == [['wall', 'wall'], ['wall', 'chair']]
    unlabelled = replace(make_frame(0), classes=np.zeros((48, 64), np.uint8))
    assert (class_places(unlabelled, (32, 32)) == UNKNOWN).all()


def test_a_place_knows_the_one_before_it_in_its_question(tokenizer: Tokenizer):
    prompter = Prompter(tokenizer, 'nano', 4)
    two = ('<loc:0.100,0.200> or <loc:0.300,0.400>?', 'A')
    found = pack(prompter, [two, two])['regions'].numpy()
    np.testing.assert_allclose(found, 2 * [[.1, .2, .1, .2], [.3, .4, .1, .2]], rtol=1e-6)


def test_questions_that_exceed_the_tokens_are_left_out(tokenizer: Tokenizer):
    prompter = Prompter(tokenizer, 'nano', 4)
    pairs = [('How far is it?', '1.20 m')] * 3
    two = len(pack(prompter, pairs[:2])['ids'])
    assert torch.equal(pack(prompter, pairs, two + 1)['part'], pack(prompter, pairs[:2])['part'])


def test_questions_have_as_much_room_behind_any_picture(data: Path, tokenizer: Tokenizer):
    """CLIP at 336 pixels has more tokens than our own encoder with all questions."""
    few, many = mixture(data, tokenizer), mixture(data, tokenizer)
    few.prompter, many.prompter = (Prompter(tokenizer, 'nano', count) for count in (81, 577))
    for index in range(8):
        labels = few[index]['labels'][81:]
        assert torch.equal(many[index]['labels'][577:], labels)
        assert len(labels) <= QUESTION_TOKENS == 304 - 81, 'what deepsight_nano was trained with'


def test_a_question_without_room_is_named(data: Path, tokenizer: Tokenizer):
    mix = mixture(data, tokenizer)
    mix.sources = {'worlds': [replace(make_frame(3), captions=('a long story. ' * 99,))]}
    with pytest.raises(DatasetError, match='frame3.*QUESTION_TOKENS'):
        mix[0]


@pytest.mark.parametrize('name', ['deepsight_nano', 'deepsight_nano_look'])
def test_the_optimiser_shares_its_learning_rates(name: str):
    weights = {name: torch.nn.Parameter(torch.ones(shape)) for name, shape in (
        ('embedding', (5, 4)), ('matrix', (4, 4)), ('bias', (4,)))}
    stage = STAGES[name]
    optimizer = MuonWithAdamW(weights.values(), {weights['embedding']}, stage.matrix_learning_rate,
                              stage.learning_rate, 0.0)
    assert [len(group['params']) for group in optimizer.param_groups] == [1, 2]
    assert optimizer.param_groups[0]['lr'] == stage.matrix_learning_rate
    for group in optimizer.param_groups:
        group['lr'] = 0.0
    before = {key: value.detach().clone() for key, value in weights.items()}
    for value in weights.values():
        value.grad = torch.rand_like(value)
    optimizer.step()
    assert all(torch.equal(value, before[key]) for key, value in weights.items())


def test_a_resumed_run_has_the_same_loss_curve(
    data: Path, tmp_path: Path, tiny: None, monkeypatch: pytest.MonkeyPatch,
):
    first = 'deepsight_nano_look'
    training.train_deepsight(first, NANO, data, tmp_path / 'whole', steps=2, **RUN)
    shutil.copytree(tmp_path / 'whole' / first, tmp_path / 'broken' / first)
    whole = training.train_deepsight(
        'deepsight_nano_talk', NANO, data, tmp_path / 'whole', steps=4, save_every=2, **RUN)
    broken = tmp_path / 'broken' / 'deepsight_nano_talk'
    broken.mkdir(parents=True)
    (tmp_path / 'whole' / 'deepsight_nano_talk' / 'checkpoint-2').rename(broken / 'checkpoint-2')
    (tmp_path / 'whole' / 'deepsight_nano_talk' / training.TOKENIZER).rename(
        broken / training.TOKENIZER)
    resumed = training.train_deepsight(
        'deepsight_nano_talk', NANO, data, tmp_path / 'broken', steps=4, save_every=2, **RUN)
    assert losses(whole) == losses(resumed)
    assert len(losses(whole)) == 4
    found, expected = training.load_stage(resumed), training.load_stage(whole)
    for name, value in expected.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, atol=1e-6), name


def test_a_checkpoint_that_was_cut_short_is_not_taken(data: Path, tmp_path: Path, tiny: None):
    stage = 'deepsight_nano_look'
    run = {**RUN, 'steps': 4, 'save_every': 2}
    whole = training.train_deepsight(stage, NANO, data, tmp_path, **run)
    expected = losses(whole)
    (whole / 'trainer_state.json').unlink()
    assert latest_checkpoint(whole.parent, is_averaged=False).name == 'checkpoint-2'
    again = training.train_deepsight(stage, NANO, data, tmp_path, **run)
    assert (again, losses(again)) == (whole, expected)
    with pytest.raises(FileNotFoundError, match='no whole checkpoint'):
        latest_checkpoint(whole.parent, is_averaged=True)
    (tmp_path / stage).rename(tmp_path / 'deepsight_nano_talk')
    with pytest.raises(FileNotFoundError, match='lacks the average'):
        training.load_stage(tmp_path / 'deepsight_nano_talk' / whole.name)


def test_an_average_goes_to_where_the_model_is_and_one_process_writes_it(tmp_path: Path):
    """No GPU needed: ``meta`` is another device, too."""
    model, average = torch.nn.Linear(2, 2), EmaCallback()
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    folder = tmp_path / 'checkpoint-1'
    folder.mkdir()
    for is_first in (False, True):
        state = TrainerState(global_step=1, is_world_process_zero=is_first)
        average.on_train_begin(arguments, TrainerState(), TrainerControl(), model)
        average.on_save(arguments, state, TrainerControl())
        assert [path.name for path in folder.iterdir()] == [FILE_NAME] * is_first
    again = EmaCallback()
    again.on_train_begin(arguments, TrainerState(global_step=1), TrainerControl(), model)
    assert torch.equal(again.average['weight'], model.weight)
    again.on_train_begin(
        arguments, TrainerState(global_step=1), TrainerControl(), model.to('meta'))
    assert again.average['weight'].device.type == 'meta'


def test_accumulated_batches_have_the_loss_of_one(
    data: Path, tokenizer: Tokenizer, tmp_path: Path, tiny: None,
):
    torch.manual_seed(0)
    model = training.build_model(NANO, tokenizer)
    encoder = model.config.encoder_config
    mix = QuestionMixture(
        {'worlds': Frames(data, 'train')}, {'worlds': 1.0}, 1,
        training.make_prompter(tokenizer, 'deepsight-nano', model.config),
        PictureFormat((encoder.width, encoder.height), encoder.grid))
    run = {'steps': 1, 'learning_rate': 0.0, 'collate': collate, 'logging_steps': 1,
           'bf16': False}
    whole = fit(model, [mix[0]] * 2, tmp_path / 'whole', batch_size=2, **run)
    parts = fit(model, [mix[0]] * 2, tmp_path / 'parts', batch_size=1,
                gradient_accumulation_steps=2, **run)
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-5)
    norms = [json.loads((folder / 'trainer_state.json').read_text())['log_history'][0]['grad_norm']
             for folder in (whole, parts)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-3)


def test_every_process_has_items_for_every_part_of_a_step(monkeypatch: pytest.MonkeyPatch):
    assert items_of(5, 8, 1) == 40
    monkeypatch.setenv('WORLD_SIZE', '4')
    assert items_of(5, 8, 2) == 320


def test_the_command_line_reaches_the_trainer(
    data: Path, tmp_path: Path, tiny: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr('sys.argv', [
        'train', '--stage', 'deepsight_nano_look', '--data', str(data), '--output', str(tmp_path),
        '--steps', '2', '--save-every', '1', '--batch-size', '3', '--accumulate', '2',
        '--workers', '1', '--gradient-checkpointing', '--shares', 'halls=2', 'worlds'])
    train.main()
    last = tmp_path / 'deepsight_nano_look' / 'checkpoint-2'
    assert capsys.readouterr().out.splitlines()[-1] == str(last)
    assert last.with_name('checkpoint-1').is_dir()
    used = torch.load(last / 'training_args.bin', weights_only=False)
    assert used.per_device_train_batch_size == 3
    assert used.gradient_accumulation_steps == 2
    assert used.dataloader_num_workers == 1
    assert used.gradient_checkpointing


def test_shares_take_any_shards_but_held_out_ones(data: Path, tmp_path: Path):
    for name in ('tum', 'held_out_views'):
        shutil.copy(data / 'halls-00000.tar', tmp_path / f'{name}-00000.tar')
    assert [frame.name for frame in read_source('tum', tmp_path)] == [
        f'frame{i}' for i in range(8, 12)]
    with pytest.raises(DatasetError, match='held out'):
        read_source('held_out_views', tmp_path)
    for name in ('kitti', 'held_out_*'):
        with pytest.raises(DatasetError, match='in that folder, tum$'):
            read_source(name, tmp_path)


def test_the_package_installs_its_command():
    tomllib = pytest.importorskip('tomllib')
    project = tomllib.loads((ROOT / 'training' / 'pyproject.toml').read_text())['project']
    assert EntryPoint('deepsight-export', project['scripts']['deepsight-export'],
                      'console_scripts').load() is export_deepsight.main


def test_a_stage_without_questions_learns_to_see(data: Path, tmp_path: Path, tiny: None):
    training.train_deepsight('deepsight_nano_look', NANO, data, tmp_path, steps=1, **RUN)
    talk = training.train_deepsight('deepsight_nano_talk', NANO, data, tmp_path, steps=1, **RUN)
    see = training.train_deepsight('deepsight_nano_see', NANO, data, tmp_path, steps=2, **RUN)
    before, after = (training.load_stage(folder).state_dict() for folder in (talk, see))
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert 'auxiliary.dense.weight' in changed
    assert 'encoder.local.0.weight' in changed
    assert not {name for name in changed if name.startswith('language_model')}


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> training.Parts:
    """Tiny random checkpoints of the classes that the large presets load."""
    folder = tmp_path_factory.mktemp('checkpoints')
    torch.manual_seed(0)
    CLIPVisionModel(CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        image_size=32, patch_size=16)).save_pretrained(folder / 'clip')
    LlamaForCausalLM(LlamaConfig(
        vocab_size=400, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2)).save_pretrained(folder / 'vicuna')
    backend = type(tokenizer.backend).from_str(tokenizer.backend.to_str())
    backend.add_special_tokens(['<s>', FORMATS['vicuna'].end])
    PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token='</s>').save_pretrained(folder / 'vicuna')
    return training.Parts('deepsight-7b', str(folder / 'clip'), str(folder / 'vicuna'))


@pytest.mark.parametrize('second', ['deepsight_instruct', 'deepsight_instruct_full'])
def test_frozen_parts_stay_as_they_are(
    second: str, data: Path, tmp_path: Path, checkpoints: training.Parts,
):
    """Both stages of a large preset; what a stage does not train is bit for bit the same."""
    # bfloat16 would lose steps that are this small.
    run = {**RUN, 'bf16': False}
    first = training.train_deepsight(
        'deepsight_align', checkpoints, data, tmp_path, steps=2, **run)
    aligned = training.load_stage(first)
    clip = CLIPVisionModel.from_pretrained(checkpoints.vision)
    vision = aligned.encoder.vision.encoder.state_dict()
    assert all(torch.equal(value, clip.encoder.state_dict()[name])
               for name, value in vision.items())
    text = LlamaForCausalLM.from_pretrained(checkpoints.text)
    assert all(torch.equal(value, aligned.language_model.state_dict()[name])
               for name, value in text.model.layers.state_dict(prefix='model.layers.').items())

    last = training.train_deepsight(second, checkpoints, data, tmp_path, steps=2, **run)
    tuned = training.load_stage(last)
    before = {name.replace('.base_layer', ''): value for name, value in
              aligned.named_parameters()}
    changed = set()
    for name, value in tuned.named_parameters():
        twin = before.get(name.replace('.base_layer', ''))
        if twin is None or not torch.equal(twin, value):
            changed.add(part_of(name))
    assert changed == set(STAGES[second].trains)


def test_sources_are_drawn_by_their_shares(data: Path, tokenizer: Tokenizer):
    frames = list(Frames(data, 'train'))
    other = frames[:1]
    mix = QuestionMixture({'a': frames, 'b': other}, {'a': 1.0, 'b': 3.0}, 1,
                          Prompter(tokenizer, 'nano', 80), PICTURE, {'scene': 1.0}, 1)
    drawn = [mix.draw(np.random.default_rng(i))[0] for i in range(400)]
    assert np.mean([source == 'b' for source in drawn]) == pytest.approx(0.75, abs=0.07)
