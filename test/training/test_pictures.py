"""The pipeline for plain pictures with tiny random models on disk and a real local endpoint."""

from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
import json
from threading import Thread
from typing import ClassVar

from deepsight_training.datasets.coco import Coco
from deepsight_training.datasets.questions import IGNORED
from deepsight_training.datasets.questions import PictureFormat
from deepsight_training.datasets.questions import QuestionMixture
from deepsight_training.datasets.questions import written_pairs
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.__main__ import main
from deepsight_training.instructions.pictures import build
from deepsight_training.instructions.pictures.build import NO_LIST
from deepsight_training.instructions.pictures.build import write_pictures
from deepsight_training.instructions.pictures.checks import check_with_depth
from deepsight_training.instructions.pictures.checks import PictureChecker
from deepsight_training.instructions.pictures.checks import verdict
from deepsight_training.instructions.pictures.depth import DepthEstimator
from deepsight_training.instructions.pictures.depth import picture_sample
from deepsight_training.instructions.pictures.writers import Endpoint
from deepsight_training.instructions.pictures.writers import grammar
from deepsight_training.instructions.pictures.writers import Instruction
from deepsight_training.instructions.pictures.writers import parse_reply
from deepsight_training.instructions.questions import write_question
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.shards import ACCEPTED
from deepsight_training.instructions.shards import read_frames
from deepsight_training.models.auxiliary_heads import UNKNOWN
from deepsight_training.stages.deepsight import SOURCES
from deepsight_training.train_deepsight import nano_tokenizer
import numpy as np
from PIL import Image
import pytest
from tokenizers import models
from tokenizers import pre_tokenizers
from tokenizers import Tokenizer
import torch
from transformers import CLIPImageProcessor
from transformers import CLIPVisionConfig
from transformers import GLPNConfig
from transformers import GLPNForDepthEstimation
from transformers import GLPNImageProcessor
from transformers import LlamaConfig
from transformers import LlavaConfig
from transformers import LlavaForConditionalGeneration
from transformers import LlavaProcessor
from transformers import PreTrainedTokenizerFast

from deepsight_ros.language.prompts import Prompter
from deepsight_ros.perception.regions import REGIONS

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """Two pictures of 96x64 with two objects in the first, as COCO annotates them."""
    folder = tmp_path_factory.mktemp('coco')
    rng = np.random.default_rng(0)
    for name in ('a', 'b'):
        pixels = rng.integers(0, 255, (64, 96, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f'{name}.jpg')
    box = [[8, 8, 40, 8, 40, 40, 8, 40]]
    small = [[50, 30, 80, 30, 80, 60, 50, 60]]
    (folder / 'instances.json').write_text(json.dumps({
        'images': [{'id': i, 'file_name': f'{name}.jpg', 'width': 96, 'height': 64}
                   for i, name in enumerate('ab', 1)],
        'categories': [{'id': 7, 'name': 'dog'}, {'id': 9, 'name': 'couch'}],
        'annotations': [
            {'id': 1, 'image_id': 1, 'category_id': 7, 'segmentation': box, 'iscrowd': 0},
            {'id': 2, 'image_id': 1, 'category_id': 9, 'segmentation': small, 'iscrowd': 0},
            {'id': 3, 'image_id': 1, 'category_id': 7, 'segmentation': box, 'iscrowd': 1}]}))
    (folder / 'captions.json').write_text(json.dumps({
        'images': [{'id': 1}, {'id': 2}],
        'annotations': [{'id': 1, 'image_id': 1, 'caption': 'A dog by a couch. '}]}))
    return folder


@pytest.fixture(scope='module')
def glpn(tmp_path_factory):
    """A random GLPN of a few thousand weights with its image processor."""
    folder = tmp_path_factory.mktemp('glpn')
    torch.manual_seed(0)
    GLPNForDepthEstimation(GLPNConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 8, 8], num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=8, max_depth=10)).save_pretrained(folder)
    GLPNImageProcessor().save_pretrained(folder)
    return folder


def coco(folder):
    return Coco(folder, folder / 'instances.json', folder / 'captions.json')


def test_coco_gives_masks_names_and_captions(pictures):
    found = coco(pictures)
    assert len(found) == 2
    assert [thing.name for thing in found[0].objects] == ['dog', 'couch']
    assert found[0].objects[0].mask[20, 20] and not found[0].objects[0].mask[50, 60]
    assert found[0].captions == ('A dog by a couch.',) and found[1].captions == ()
    with pytest.raises(DatasetError, match='--images'):
        Coco(pictures / 'elsewhere', pictures / 'instances.json')[0]
    with pytest.raises(DatasetError, match='no annotation file'):
        Coco(pictures, pictures / 'a.json')


def test_depth_and_names_become_a_frame(pictures, glpn):
    picture = coco(pictures)[0]
    estimator = DepthEstimator(str(glpn))
    assert estimator._model.device.type == DEVICE
    depth = estimator(Image.open(picture.path))
    assert depth.shape == (64, 96) and depth.min() > 0 and depth.max() <= 10
    sample = picture_sample(picture, depth)
    assert sample.depth.shape == (120, 160) and sample.ground is None
    names = {sample.class_names[index] for index in np.unique(sample.classes)}
    assert names == {'other', 'dog', 'sofa'}
    assert len(sample.things.masks) == 2
    # What COCO does not name may be there all the same.
    asked = [write_question(sample, np.random.default_rng(seed), 'exists') for seed in range(9)]
    assert asked == [None] * 9


def test_command_writes_goes_on_and_counts(pictures, glpn, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', [
        'instructions', 'pictures', '--images', str(pictures), '--instances',
        str(pictures / 'instances.json'), '--captions', str(pictures / 'captions.json'),
        '--depth-model', str(glpn), '--out', str(tmp_path)])
    assert main() == 0
    printed = capsys.readouterr().out
    assert ACCEPTED in printed
    frames = list(read_frames(tmp_path, 'coco'))
    assert [frame.name for frame in frames] == ['a', 'b']
    assert frames[0].ground is None and 'dog' in frames[0].class_names

    def fails(*_):
        raise AssertionError('a finished shard is made again')
    again = write_pictures(coco(pictures), 'coco', tmp_path, fails, fails, None)
    assert again[ACCEPTED] == int(printed.split()[0])

    assert frames[0].captions == ('A dog by a couch.',)
    assert len(frames[0].instructions) + len(frames[1].instructions) == again[ACCEPTED]
    pairs = written_pairs(frames[0], np.random.default_rng(0), 3)
    assert ('A dog by a couch.' in [answer for _, answer in pairs]) and len(pairs) <= 3
    assert set(pairs) - set(frames[0].instructions) == {pairs[0]}


def test_the_trainer_reads_what_was_written(pictures, glpn, tmp_path):
    write_pictures(coco(pictures), 'coco', tmp_path, DepthEstimator(str(glpn)), grammar, None)
    frames = SOURCES['coco'].read(tmp_path)
    tokenizer = nano_tokenizer(list(frames))
    mixture = QuestionMixture(
        {'coco': frames}, {'coco': 1.0}, 4, Prompter(tokenizer, 'nano', 81),
        PictureFormat((160, 128), (8, 10), has_boxes=True))
    item = next(item for item in map(mixture.__getitem__, range(4))
                if set(item['classes'].flatten().tolist()) > {UNKNOWN})
    assert item['boxes'].shape == (REGIONS, 4)
    assert set(item['classes'].flatten().tolist()) == {UNKNOWN, CLASS_NAMES.index('sofa')}
    assert (item['labels'] != IGNORED).any()


class _Model(BaseHTTPRequestHandler):
    """
    A language model that says one right thing, one wrong one, and keeps what it was asked.

    Before that it gives the ``replies``: None refuses, an empty list has no choice.
    """

    requests: ClassVar[list] = []
    replies: ClassVar[list] = []

    def do_POST(self):
        length = int(self.headers['Content-Length'])
        self.requests.append((self.headers['Authorization'], json.loads(self.rfile.read(length))))
        listed = [{'question': 'how far is the dog', 'answer': '4.00 m at <loc:0.250,0.375>'},
                  {'question': 'how far is the sofa', 'answer': '9.00 m at <loc:0.650,0.700>'}]
        said = self.replies.pop(0) if self.replies else [f'Here: {json.dumps(listed)}']
        body = json.dumps({'id': '1', 'object': 'chat.completion', 'created': 0, 'model': 'm',
                           'choices': [{'index': 0, 'finish_reason': 'stop', 'message': {
                               'role': 'assistant', 'content': text}}
                               for text in said or ()]}).encode()
        self.send_response(400 if said is None else 200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint(monkeypatch):
    """A real endpoint on this machine."""
    server = HTTPServer(('127.0.0.1', 0), _Model)
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv('OPENAI_API_KEY', 'of-the-test')
    monkeypatch.setenv('OPENAI_BASE_URL', f'http://127.0.0.1:{server.server_port}/v1')
    _Model.requests.clear()
    yield Endpoint('some-model')
    server.shutdown()
    thread.join()
    server.server_close()


def flat(picture):
    return np.full((64, 96), 4.0, np.float32)


def test_an_endpoint_writes_and_depth_rejects(pictures, tmp_path, endpoint):
    verdicts = write_pictures(coco(pictures), 'coco', tmp_path, flat, endpoint, None)
    assert verdicts == {ACCEPTED: 2, 'disagrees with depth': 2}
    key, body = _Model.requests[0]
    assert key == 'Bearer of-the-test' and body['model'] == 'some-model'
    asked = body['messages'][1]['content']
    assert 'A dog by a couch.' in asked and 'object: dog, 4.' in asked


@pytest.mark.parametrize('first', [['I cannot.'], []], ids=['no list', 'no choice'])
def test_replies_outlive_an_endpoint_that_fails(first, pictures, tmp_path, endpoint):
    _Model.replies[:] = [first, None]
    with pytest.raises(DatasetError, match='the endpoint failed'):
        write_pictures(coco(pictures), 'coco', tmp_path, flat, endpoint, None)
    kept = tmp_path / 'coco-00000.jsonl'
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    kept.write_text(kept.read_text() + '["b", [[')
    verdicts = write_pictures(coco(pictures), 'coco', tmp_path, flat, endpoint, None)
    assert len(_Model.requests) == 3, 'the first picture is not asked about again'
    assert verdicts == {NO_LIST: 1, ACCEPTED: 1, 'disagrees with depth': 1}
    assert not kept.exists()
    assert [len(frame.instructions) for frame in read_frames(tmp_path, 'coco')] == [0, 1]


def test_machines_write_ranges_of_pictures(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(build, 'PICTURES_PER_SHARD', 1)
    for first in (1, 0):
        write_pictures(coco(pictures), 'coco', tmp_path, flat, grammar, None, first, 1)
        assert len(list(tmp_path.iterdir())) == 2 - first
    assert [frame.name for frame in read_frames(tmp_path, 'coco')] == ['a', 'b']


def test_no_key_is_an_error(monkeypatch):
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    with pytest.raises(DatasetError, match='OPENAI_API_KEY'):
        Endpoint('m')


def test_replies_of_another_form_give_nothing():
    for text in ('none', '[1]', '[{"question": 1}]', ''):
        assert parse_reply(text) is None
    assert parse_reply('Well: []') == []
    assert parse_reply('[{"question": "a", "answer": "b"}]') == [Instruction('a', 'b')]


def test_checks_name_their_reason(pictures):
    sample = picture_sample(coco(pictures)[0], np.full((64, 96), 4.0, np.float32))
    for answer, reason in (
            ('', 'empty'), ('x' * 500, 'too long'), ('4.0 m at <loc:1.200,0.500>',
                                                     'place outside the picture'),
            ('1.0 m at <loc:0.500,0.500>', 'disagrees with depth'),
            ('4.0 m at <loc:0.500,0.500>', ACCEPTED), ('left', ACCEPTED)):
        assert check_with_depth(Instruction('q', answer), sample) == reason
    assert verdict(' Yes, it does.') == ACCEPTED
    assert verdict('No, there is no dog.') == 'picture: there is no dog.'
    assert verdict('Perhaps') == verdict('Nothing') == 'picture: no verdict'


@pytest.fixture(scope='module')
def llava(tmp_path_factory):
    """A random LLaVA of a few thousand weights with processor and chat template."""
    folder = tmp_path_factory.mktemp('llava')
    words = ['<unk>', '<pad>', '<image>', 'yes', 'no', 'USER', 'ASSISTANT', ':']
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, '<unk>'))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token='<unk>',
                                   pad_token='<pad>', extra_special_tokens={
                                       'image_token': '<image>'})
    LlavaProcessor(
        CLIPImageProcessor(size={'shortest_edge': 28}, crop_size=28), fast, patch_size=14,
        vision_feature_select_strategy='default', num_additional_image_tokens=1,
        chat_template='USER : {% for part in messages[0].content %}{% if part.type == "image" %}'
        ' <image> {% else %}{{ part.text }}{% endif %}{% endfor %} ASSISTANT :').save_pretrained(
            folder)
    torch.manual_seed(0)
    small = {'hidden_size': 16, 'intermediate_size': 16, 'num_hidden_layers': 2,
             'num_attention_heads': 2}
    LlavaForConditionalGeneration(LlavaConfig(
        vision_config=CLIPVisionConfig(**small, image_size=28, patch_size=14),
        text_config=LlamaConfig(**small, vocab_size=len(words), num_key_value_heads=2,
                                bos_token_id=None, eos_token_id=1, pad_token_id=1),
        image_token_index=2)).save_pretrained(folder)
    return folder


def test_a_vision_language_model_gives_a_verdict(pictures, llava):
    checker = PictureChecker(str(llava))
    image = Image.open(coco(pictures)[0].path)
    assert checker._model.device.type == DEVICE
    reason = checker(Instruction('is there a dog', 'yes'), image)
    assert reason == ACCEPTED or reason.startswith('picture: ')
