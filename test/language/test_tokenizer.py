"""Tokens of questions, places and answers, and the prompt around them."""

from pathlib import Path

import pytest
import tokenizers
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.places import Place
from deepsight_ros.language.prompts import FORMATS
from deepsight_ros.language.prompts import Prompter
from deepsight_ros.language.tokenizer import SPECIAL_TOKENS
from deepsight_ros.language.tokenizer import Tokenizer


def make_backend(*specials: str) -> tokenizers.Tokenizer:
    backend = tokenizers.Tokenizer(BPE())
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
    backend.decoder = ByteLevelDecoder()
    backend.train_from_iterator(['how far is it'], BpeTrainer(
        vocab_size=600, special_tokens=['<pad>', *specials], show_progress=False,
        initial_alphabet=ByteLevel.alphabet()))
    return backend


@pytest.fixture(scope='module')
def tokenizer() -> Tokenizer:
    form = FORMATS['nano']
    return Tokenizer(make_backend(*SPECIAL_TOKENS, form.question, form.answer, form.end))


@pytest.mark.parametrize('text', [
    'how far is it?', '', 'no, 1.20 m ahead at <loc:0.34896,0.67188>', '<loc:0.00521,0.99479>',
    'A <loc:0.00521,0.99479> or B <loc:0.99479,0.00521>: which?', '🙂 ünïcode',
    '<end><depth><x3>'])
def test_text_survives(tokenizer: Tokenizer, text: str):
    ids, _ = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text


def test_what_ends_a_string_is_left_out(tokenizer: Tokenizer):
    assert tokenizer.decode(tokenizer.encode('1.20\0 m')[0]) == '1.20 m'


def test_what_people_write_is_never_a_special_token(tokenizer: Tokenizer):
    ids, _ = tokenizer.encode('<end> <depth> <region> <x3><y4> <question>')
    specials = {tokenizer.token(name) for name in (*SPECIAL_TOKENS, '<end>', '<question>')}
    assert not specials & set(ids)


def test_places_become_tokens(tokenizer: Tokenizer):
    ids, regions = tokenizer.encode('is <region:0.250,0.750> near <loc:1.0,0.0>')
    assert regions == [Place(0.25, 0.75, True)]
    names = [tokenizer.backend.id_to_token(token) for token in ids]
    first = names.index('<region>')
    assert names[first + 1:first + 3] == ['<x24>', '<y72>']
    assert names[-2:] == ['<x95>', '<y0>']
    assert names[first - 1] != 'Ġ', 'the space before a place is no token'
    assert tokenizer.encode('<loc:1.5,0.2>')[0] == tokenizer.encode('<loc:1.5,')[0] + \
        tokenizer.encode('0.2>')[0]


def test_half_a_place_is_not_shown(tokenizer: Tokenizer):
    ids, _ = tokenizer.encode('it <loc:0.5,0.5>')
    assert tokenizer.decode(ids[:-1]) == 'it'
    assert tokenizer.decode(ids[-1:]) == ''


def test_half_a_character_is_not_shown(tokenizer: Tokenizer):
    ids, _ = tokenizer.encode('it 🙂')
    assert tokenizer.decode(ids[:-1]) == 'it '


def test_prompts(tokenizer: Tokenizer):
    prompter = Prompter(tokenizer, 'nano', 3)
    assert prompter.picture == (tokenizer.depth_id,) * 3
    question = prompter.question('  how far is <region:0.5,0.5>?')
    assert question.ids[0] == tokenizer.token('<question>')
    assert question.ids[-1] == tokenizer.token('<answer>')
    assert question.regions == (Place(0.5, 0.5, True),)
    assert prompter.answer('it')[-1] == prompter.end == tokenizer.token('<end>')


def test_errors_name_the_remedy(tmp_path: Path, tokenizer: Tokenizer):
    with pytest.raises(LanguageError, match='export the bundle again'):
        Tokenizer(make_backend())
    with pytest.raises(LanguageError, match='reinstall'):
        Tokenizer.load(tmp_path / 'tokenizer.json')
    with pytest.raises(LanguageError, match='unknown'):
        Prompter(tokenizer, 'alpaca', 3)
