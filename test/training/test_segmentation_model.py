from collections.abc import Callable
import copy
from pathlib import Path

from deepsight_training import train as training
from deepsight_training.datasets.labels import ANY_GROUND
from deepsight_training.datasets.labels import DRIVABLE
from deepsight_training.datasets.labels import ROADSIDE
from deepsight_training.datasets.sample import Sample
from deepsight_training.evaluate_segmentation import confusion
from deepsight_training.evaluate_segmentation import ground_scores
from deepsight_training.evaluate_segmentation import intersection_over_union
from deepsight_training.evaluate_segmentation import score
from deepsight_training.export import average
from deepsight_training.export import GRAPH
from deepsight_training.export import write_bundle
from deepsight_training.model_card import CARD
from deepsight_training.models.configuration_scene_segmentation import SceneSegmentationConfig
from deepsight_training.models.modeling_scene_segmentation import SceneSegmentationModel
from deepsight_training.onnx_graph import ClassMap
from deepsight_training.stages.segmentation import Roots
from deepsight_training.stages.segmentation import Source
from deepsight_training.stages.segmentation import SOURCES
from deepsight_training.stages.segmentation import Stage
from deepsight_training.stages.segmentation import trained_on
import numpy as np
import onnx
import pytest
import torch

from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_ros.perception.segmentation import Segmentation


@pytest.fixture(scope='module')
def model(tiny_config: SceneSegmentationConfig) -> SceneSegmentationModel:
    torch.manual_seed(0)
    model = SceneSegmentationModel(tiny_config)
    model.train()
    for _ in range(3):  # batch statistics that are not the initial ones
        model(torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8))
    return model.eval()


@pytest.fixture(scope='module')
def bundle(model: SceneSegmentationModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('bundle')
    metrics = ({'name': 'iou_road', 'value': 0.5, 'dataset': 'noise', 'date': '2000-01-01'},)
    write_bundle(copy.deepcopy(model), folder, ('noise',), metrics)
    return folder


def test_saved_and_loaded_weights_agree(model: SceneSegmentationModel, tmp_path: Path):
    model.save_pretrained(tmp_path)
    assert (tmp_path / 'model.safetensors').is_file()
    again = SceneSegmentationModel.from_pretrained(tmp_path).eval()
    image = torch.randint(0, 255, (1, 64, 96, 3), dtype=torch.uint8)
    assert torch.allclose(model(image).logits, again(image).logits, atol=1e-5)


def test_bundle_agrees_with_the_model_at_any_size(
    model: SceneSegmentationModel, bundle: Path
):
    images = [
        np.random.default_rng(i).integers(0, 255, (1, *size, 3)).astype(np.uint8)
        for i, size in enumerate(((64, 96), (96, 64), (192, 640)))
    ]
    with torch.no_grad():
        expected = [ClassMap(model)(torch.from_numpy(image)).numpy() for image in images]
    segmentation = Segmentation.load(bundle)
    for image, classes in zip(images, expected, strict=True):
        found = segmentation.engine({'image': image})['classes']
        assert found.dtype == np.uint8
        assert found.shape == (1, image.shape[1] // 2, image.shape[2] // 2)
        assert (found == classes).mean() > 0.999


def test_averaged_weights(model: SceneSegmentationModel):
    other = copy.deepcopy(model)
    other.decoder.classify.weight.data += 2.0
    mean = average([copy.deepcopy(model), other])
    assert torch.allclose(
        mean.decoder.classify.weight, model.decoder.classify.weight + 1.0, atol=1e-6)
    assert torch.equal(mean.encoder.stem[0].weight, model.encoder.stem[0].weight)


def test_graph_tells_nothing_about_the_machine(bundle: Path):
    content = (bundle / GRAPH).read_bytes()
    for secret in (b'.py', b'site-packages', str(Path.home()).encode() + b'/', b'forward'):
        assert secret not in content
    graph = onnx.load(bundle / GRAPH)
    assert graph.ir_version <= 9
    assert [(item.domain, item.version) for item in graph.opset_import] == [('', 18)]
    assert not graph.metadata_props
    assert not any(node.metadata_props or node.doc_string for node in graph.graph.node)


def test_a_resumed_run_equals_an_uninterrupted_one(
    tiny_config: SceneSegmentationConfig, make_sample: Callable[[int], Sample],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
):
    source = Source('noise', lambda roots: [make_sample(i) for i in range(3)])
    monkeypatch.setitem(training.SOURCES, 'synthetic', source)
    monkeypatch.setitem(training.STAGES, 'tiny', Stage({'synthetic': 1.0}, 4, 1e-3))
    roots = Roots(tmp_path, tmp_path)
    run = {'batch_size': 2, 'save_every': 2, 'config': tiny_config}
    whole = training.train('tiny', roots, tmp_path / 'whole', **run)
    broken = tmp_path / 'broken' / 'tiny'
    broken.mkdir(parents=True)
    (tmp_path / 'whole' / 'tiny' / 'checkpoint-2').rename(broken / 'checkpoint-2')
    resumed = training.train('tiny', roots, tmp_path / 'broken', **run)
    assert whole.name == resumed.name == 'checkpoint-4'
    for name, value in training.load_averaged(whole).state_dict().items():
        other = training.load_averaged(resumed).state_dict()[name]
        assert torch.allclose(value, other, atol=1e-6), name


def test_scores(bundle: Path, make_sample: Callable[[int], Sample]):
    truth = np.array([[0, 0, 1, VOID]], np.uint8)
    found = np.array([[0, 1, 1, 0]], np.uint8)
    counts = confusion(truth, found, 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert intersection_over_union(counts)[:2].tolist() == [0.5, 0.5]
    assert np.isnan(intersection_over_union(counts)[2])
    scores = score(Segmentation.load(bundle), [make_sample(0)])
    assert set(scores.classes) == {c.name.lower() for c in SceneClass}
    assert 0.0 <= scores.mean_of_groups <= 1.0


def test_ground_is_scored_where_labels_are_certain(painted_bundle: Path):
    labels = np.full((64, 128), VOID, np.uint8)
    stripes = (DRIVABLE, ANY_GROUND, SceneClass.TERRAIN, SceneClass.SKY, ROADSIDE)
    for i, label in enumerate(stripes):
        labels[:, 16 * i: 16 * (i + 1)] = label
    image = np.zeros((64, 128, 3), np.uint8)  # painted as road
    image[:, 8:16] = 32 * SceneClass.VEHICLE
    scores = ground_scores(Segmentation.load(painted_bundle), [Sample(image, labels, '', '')])
    assert scores == (2.5 / 3, 2.5 / 3.5), 'half a stripe is missed, the sky is none, the last may'


def test_bundle_describes_itself(bundle: Path):
    manifest = Manifest.read(bundle)
    manifest.verify(bundle)
    assert manifest.training_data == 'noise'
    assert manifest.preprocessing['stride'] == 2
    card = (bundle / CARD).read_text()
    assert '| iou_road | 0.5 | noise | 2000-01-01 |' in card
    assert manifest.licence in card


def test_what_is_scored_was_not_trained_on():
    for stage, left_out in (('no_drive', 'KITTI raw'), ('no_object', 'KITTI object')):
        titles = trained_on(stage)
        assert not any(title.startswith((left_out, '7-Scenes')) for title in titles)
    assert not any(title.startswith(('KITTI', '7-Scenes')) for title in trained_on('wide'))
    assert len(trained_on('all')) == len(SOURCES)
