"""Controls: trained and scored alike, but for what is seen."""

from pathlib import Path

from deepsight_training import controls
from deepsight_training.controls import Control
from deepsight_training.instructions.benchmark import as_measured
from deepsight_training.instructions.benchmark import build
from deepsight_training.instructions.frames import Frames
from deepsight_training.instructions.shards import encode
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.views import layout_samples
from deepsight_training.train_deepsight import nano_tokenizer
import pytest
import torch
import webdataset

from deepsight_ros.evaluation.qa_items import read_items


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of frames, and a benchmark about them."""
    folder = tmp_path_factory.mktemp('controls')
    samples = list(layout_samples(SPLITS['train'], 'room', 3, (80, 60)))
    with webdataset.TarWriter(str(folder / 'train-00000.tar')) as writer:
        for index, sample in enumerate(samples):
            writer.write({'__key__': f'{index:05d}', **encode(sample)})
    build(as_measured(samples), 'small', folder, 1)
    return folder


@pytest.mark.parametrize('control', [
    Control('nothing'), Control(channels=3), Control(box_branch=True)])
def test_a_control_learns_and_answers_every_question(
    control: Control, folder: Path, tmp_path: Path,
):
    frames = Frames(folder, 'train')
    tokenizer = nano_tokenizer(frames)
    model = controls.train_control(control, 0, frames, tokenizer, tmp_path, 1, 2)
    assert model.encoder.vision.embeddings.patch_embedding.in_channels == control.channels
    benchmark = folder / 'small.jsonl'
    replies = controls.answer(model, control, tokenizer, benchmark)
    assert len(replies) == len(read_items(benchmark))


def test_what_is_shown_differs_and_what_is_asked_does_not(folder: Path):
    frames = Frames(folder, 'train')
    tokenizer = nano_tokenizer(frames)
    items = {
        sees: controls.mixture(Control(sees), 0, frames, tokenizer, 1)[0]
        for sees in ('depth', 'nothing', 'other')}
    depth = {sees: item['depth'] for sees, item in items.items()}
    assert depth['depth'].any()
    assert not depth['nothing'].any()
    assert not torch.equal(depth['depth'], depth['other'])
    assert all(torch.equal(item['labels'], items['depth']['labels']) for item in items.values())


def test_the_table_holds_mean_and_spread_of_seeds():
    def run(score: float) -> dict:
        return {'macro_accuracy': score, 'macro_mra': 0.5, 'categories': {
            'nearer': {'n': 2, 'accuracy': score}, 'size': {'n': 2, 'mra': 0.5}}, 'blind': {
            'nearer': {'best_constant': 0.5}, 'size': {'best_constant': 0.2}}}
    lines = controls.table({'text only': [run(0.5)], 'depth': [run(0.7), run(0.9)]}).splitlines()
    assert lines[0] == '| seen | macro accuracy | macro MRA | nearer | size |'
    assert lines[2] == '| best constant |  |  | 50 | 20 |'
    assert lines[4] == '| depth | 80.0 +- 10.0 | 50.0 +- 0.0 | 80.0 +- 10.0 | 50.0 +- 0.0 |'
