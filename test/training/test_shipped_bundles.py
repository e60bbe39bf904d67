from pathlib import Path

from deepsight_training.datasets.camvid import read_camvid
from deepsight_training.evaluate_segmentation import score
import pytest

from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.perception.segmentation import Segmentation

MODELS = Path(__file__).resolve().parents[2] / 'models'
BUNDLES = sorted(path.parent.name for path in MODELS.glob('scene_segmentation_*/manifest.json'))


@pytest.mark.parametrize('name', BUNDLES)
def test_whole_and_small(name: str):
    folder = MODELS / name
    manifest = Manifest.read(folder)
    manifest.verify(folder)
    assert manifest.name == name
    assert sum(path.stat().st_size for path in folder.iterdir()) < 14e6
    assert {path.name for path in folder.iterdir()} == {*manifest.files, 'manifest.json'}


@pytest.mark.parametrize('name', BUNDLES)
def test_held_out_bundles_say_what_they_saw(name: str):
    data = Manifest.read(MODELS / name).training_data
    left_out = {'no_drive': ('KITTI raw', '7-Scenes'), 'no_object': ('KITTI object', '7-Scenes')}
    for stage, titles in left_out.items():
        if name.endswith(stage):
            assert not any(title in data for title in titles)


def test_measured_quality_is_the_manifest_s(shared_data: Path):
    folder = MODELS / 'scene_segmentation_nano'
    stated = {item['name']: item['value'] for item in Manifest.read(folder).metrics}
    scores = score(Segmentation.load(folder), read_camvid(shared_data / 'camvid', 'val'))
    assert scores.mean_of_groups == pytest.approx(stated['iou_mean_of_groups'], abs=0.002)
    assert scores.classes['vehicle'] == pytest.approx(stated['iou_vehicle'], abs=0.005)
    assert scores.classes['person'] == pytest.approx(stated['iou_person'], abs=0.005)
