"""Cast frames: their facts, their splits, and shards on disk."""

from itertools import islice

from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions import shard_writer
from deepsight_training.instructions import shards
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.splits import SPLITS
from deepsight_training.instructions.splits import TRAINED
from deepsight_training.instructions.views import layout_samples
from deepsight_training.worlds.hall import build_hall
import numpy as np
import pytest

SIZE = (64, 48)


def in_bands(value, bands):
    return any(low - 1e-6 <= value <= high + 1e-6 for low, high in bands)


@pytest.mark.parametrize('kind', [
    'room', 'corridor', 'street', 'hall', 'classroom', 'car_park', 'ward', 'market'])
def test_the_ground_lies_at_height_zero(kind):
    split = SPLITS['train']
    for sample in islice(layout_samples(split, kind, 3, SIZE), 3):
        ground = sample.classes == CLASS_NAMES.index('ground')
        heights = np.abs(sample.ground_points[..., 2][ground])
        # A street's other surfaces lie a kerb higher or lower.
        assert np.median(heights) < 0.16
        assert kind == 'street' or heights.max() < 0.01
        fov = 2 * np.degrees(np.arctan(SIZE[0] / 2 / sample.camera.fx))
        assert in_bands(fov, split.fov)
        assert kind == 'street' or in_bands(sample.camera_height, split.height)
        sky = sample.classes == CLASS_NAMES.index('sky')
        np.testing.assert_array_equal(np.isnan(sample.depth), sky)


def test_held_out_cameras_are_in_no_training_band():
    train = SPLITS['train']
    for name, attribute in (('held_out_views', 'fov'), ('held_out_heights', 'height')):
        for low, high in getattr(SPLITS[name], attribute):
            assert not in_bands((low + high) / 2, getattr(train, attribute))
    seen = {kind for split in TRAINED for kind in SPLITS[split].layouts}
    for name in ('held_out_layouts', 'held_out_new_layouts'):
        assert not set(SPLITS[name].layouts) & seen


def test_halls_hold_things_of_every_other_layout():
    met = set()
    for seed in range(12):
        world, _ = build_hall(seed)
        met |= {thing.name for thing in world.things}
    assert {'car', 'person', 'chair', 'shelf', 'pole', 'bicycle', 'bush', 'bench'} <= met


def test_ceiling_and_walls_are_told_apart():
    names = set()
    for sample in layout_samples(SPLITS['train'], 'corridor', 5, SIZE):
        ceiling = sample.classes == CLASS_NAMES.index('ceiling')
        names |= {CLASS_NAMES[index] for index in np.unique(sample.classes)}
        if ceiling.any():
            heights = sample.ground_points[..., 2][ceiling]
            assert np.ptp(heights) < 0.01
            assert 'height' not in sample.extents or heights[0] == pytest.approx(
                sample.extents['height'], abs=0.01)
    assert {'ground', 'wall', 'ceiling'} <= names


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with one shard of one layout."""
    folder = tmp_path_factory.mktemp('shards')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_writer, 'LAYOUTS_PER_SHARD', 1)
        shard_writer.write_frames('held_out_layouts', 1, folder)
    return folder


def test_shards_give_back_what_was_cast(folder):
    split = SPLITS['held_out_layouts']
    expected = list(layout_samples(split, split.layouts[0], split.first_seed))
    found = list(shards.read_frames(folder, 'held_out_layouts'))
    assert [sample.name for sample in found] == [sample.name for sample in expected]
    for sample, twin in zip(found, expected, strict=True):
        np.testing.assert_allclose(sample.depth, twin.depth, rtol=5e-4)
        np.testing.assert_array_equal(sample.classes, twin.classes)
        np.testing.assert_array_equal(sample.instances, twin.instances)
        np.testing.assert_allclose(sample.camera_matrix, twin.camera_matrix)
        assert (sample.scene, sample.extents) == (twin.scene, twin.extents)
        assert sample.camera_height == pytest.approx(twin.camera_height)


def test_an_interrupted_run_goes_on_where_it_stopped(folder, monkeypatch):
    monkeypatch.setattr(shard_writer, 'LAYOUTS_PER_SHARD', 1)
    path, = folder.glob('*.tar')
    before = path.stat().st_mtime_ns
    elsewhere = folder / 'held_out_layouts-00001.elsewhere-7.part'
    elsewhere.write_bytes(b'cut')
    shard_writer.write_frames('held_out_layouts', 2, folder)
    assert path.stat().st_mtime_ns == before
    assert [part.read_bytes() for part in folder.glob('*.part')] == [b'cut']
    assert len(shards.shard_paths(folder, 'held_out_layouts')) == 2


def test_machines_write_ranges_of_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(shard_writer, '_samples', lambda split, shard: iter(()))
    shard_writer.write_frames('train', 2, tmp_path, first=3)
    assert [path.name for path in shards.shard_paths(tmp_path, 'train')] == [
        'train-00003.tar', 'train-00004.tar']


def test_a_shard_that_fails_leaves_nothing(tmp_path):
    def fails():
        raise DatasetError('no frame')
        yield
    with pytest.raises(DatasetError):
        shards.write_shard(tmp_path / 'train-00000.tar', fails())
    assert not list(tmp_path.iterdir())


def test_missing_shards_name_the_command(tmp_path):
    with pytest.raises(DatasetError, match='instructions frames --split train'):
        next(shards.read_frames(tmp_path, 'train'))


def test_foreign_records_are_named():
    with pytest.raises(DatasetError, match='some-key'):
        shards.decode({'__key__': 'some-key', 'npz': b'', 'json': b'{}'})
