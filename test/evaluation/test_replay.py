"""Replay: the node's code on every picture of a bag, deterministic, with a report."""

import argparse
from dataclasses import fields
from html.parser import HTMLParser
import json

from bags import as_sqlite
from bags import CAMERA_INFO
from bags import cut_in_half
from bags import DEPTH
from bags import IMAGE
from bags import PERIOD_NS
from bags import START_NS
from bags import with_damage
from bags import write_bag
import numpy as np
import pytest
from streets import make_street
import yaml

from deepsight_ros.engines import EngineError
from deepsight_ros.evaluation import replay
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.replay_settings import SettingsError
from deepsight_ros.geometry import GroundError
from deepsight_ros.perception.pictures import to_depth
from deepsight_ros.resources import find_sample_bag


@pytest.fixture
def run(painted_bundle, tmp_path):
    """Replay a bag with parameters; returns the report and the folder it is in."""
    def run_it(bag, out='report', bag_out=None, **parameters):
        parameters = {'segmentation_bundle': str(painted_bundle), 'refine_ground': False,
                      **parameters}
        file = tmp_path / 'parameters.yaml'
        file.write_text(yaml.safe_dump({'embodied_depth': {'ros__parameters': parameters}}))
        parser = argparse.ArgumentParser()
        replay.add_arguments(parser)
        options = ['--bag-out', str(bag_out)] if bag_out else []
        args = parser.parse_args([str(bag), '--out', str(tmp_path / out), '--params', str(file),
                                  *options])
        assert replay.run(args) == 0
        return json.loads((tmp_path / out / 'report.json').read_text('utf8')), tmp_path / out
    return run_it


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('truth', ['depth', 'points'])
def test_depth_of_the_street_is_exact(storage, truth, street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street, truth=truth)
    if storage == 'sqlite3':
        bag = as_sqlite(bag, tmp_path / 'sqlite')
    report, _ = run(bag)
    assert (report['frames'], report['scored_frames']) == (4, 4)
    assert report['metrics']['within_5'] > 0.99
    assert report['by_step']['road_on_ground']['within_5'] > 0.99
    assert report['duration'] == pytest.approx(0.3)
    assert report['over_time'][2]['time'] == pytest.approx(0.2)
    assert report['over_time'][0]['ground_source'] == 'transform'
    assert report['failures'] == {}


def test_two_runs_give_the_same_bytes(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street, truth='points')
    texts = []
    for out in ('first', 'second'):
        report, _ = run(bag, out, refine_ground=True)
        assert report.pop('timings')['times_faster_than_recorded'] > 0
        texts.append(json.dumps(report))
    assert texts[0] == texts[1]


def test_report_is_one_file_that_says_it_all(street, run, tmp_path):
    _, out = run(write_bag(tmp_path / 'bag', street, truth='depth'))
    page = (out / 'report.html').read_text('utf8')
    found = _Page()
    found.feed(page)
    assert found.open == []
    assert all(source.startswith('data:') for source in found.sources)
    assert found.tags['img'] == 1 + 3 * 4
    assert found.tags['svg'] == 6
    assert not {'script', 'link', 'iframe'} & found.tags.keys()
    assert 'road mask' in page
    assert 'nan' not in page.replace('nanosec', '').lower().split('<main>')[1].split('base64')[0]


def test_bag_without_truth(street, run, tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', street, truth='depth')
    report, out = run(bag, depth_topic='none')
    assert report['metrics'] is report['by_step'] is None
    assert report['frames'] == 4
    assert 'no depth topic' in (out / 'report.html').read_text('utf8')
    assert 'no true depth to compare with' in capsys.readouterr().out
    run(bag)
    assert f'compared with {DEPTH}\n' in capsys.readouterr().out


def test_outputs_as_a_bag(street, run, tmp_path):
    run(write_bag(tmp_path / 'bag', street), bag_out=tmp_path / 'outputs')
    with BagReader(tmp_path / 'outputs') as bag:
        messages = list(bag.messages(['/embodied_depth/image']))
        depth = to_depth(messages[0].content)
        road = np.isfinite(street.depth)
        assert np.allclose(depth[road], street.depth[road], rtol=1e-3)
        assert messages[0].content.header.frame_id == 'camera'
        with BagReader(tmp_path / 'bag') as source:
            assert [stamp_of(message.content) for message in messages] == [
                stamp_of(message.content) for message in source.messages([IMAGE])]
        for topic in ('camera_info', 'uncertainty', 'label', 'preview'):
            assert bag.count(f'/embodied_depth/{topic}') == 4


def test_parameters_replace_the_transform(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street, truth='depth', tf=False)
    with pytest.raises(GroundError, match='camera_height'):
        run(bag)
    report, _ = run(bag, camera_height=1.65)
    assert report['over_time'][0]['ground_source'] == 'parameters'
    assert report['metrics']['within_5'] > 0.99


def test_imu_replaces_the_transform(painted_bundle, run, tmp_path):
    """The camera looks down by 0.05 rad, which only the accelerometer tells."""
    street = make_street(pitch=0.05)
    with BagWriter(tmp_path / 'bag') as bag:
        for index in range(3):
            stamp = START_NS + index * PERIOD_NS
            bag.imu('/imu', stamp, 'camera', -9.81 * np.array(street.ground.normal), np.zeros(3))
            bag.camera_info(CAMERA_INFO, stamp + 1, 'camera', street.camera)
            bag.image(IMAGE, stamp + 1, 'camera', street.image)
            bag.image(DEPTH, stamp + 1, 'camera', street.depth)
    report, _ = run(tmp_path / 'bag', camera_height=1.65)
    assert report['over_time'][0]['ground_source'] == 'gravity'
    assert report['over_time'][0]['camera_pitch'] == pytest.approx(0.05)
    assert report['metrics']['within_5'] > 0.99


def test_sample_bag_with_compressed_pictures(run):
    """Depth comes with every fourth picture; the others are replayed all the same."""
    report, _ = run(find_sample_bag('street'))
    assert report['topics']['image'].endswith('/compressed')
    assert (report['frames'], report['scored_frames']) == (100, 25)
    assert not report['failures']


def test_unknown_ground_frame(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    with pytest.raises(BagError, match='no picture.*map'):
        run(bag, ground_frame='map')


def test_one_bad_picture_is_counted(street, run, tmp_path):
    bag = tmp_path / 'bag'
    write_bag(bag, street, frames=2)
    with BagReader(bag) as source, BagWriter(tmp_path / 'mixed') as target:
        info = source.first('/camera/camera_info')
        stamp = stamp_of(info)
        target.camera_info('/camera/camera_info', stamp, 'camera', street.camera)
        target.image(IMAGE, stamp, 'camera', street.image)
        target.image(IMAGE, stamp + 1, 'camera', street.image[:, :100])
    report, _ = run(tmp_path / 'mixed', camera_height=1.65)
    assert report['frames'] == 1
    assert report['failures']['CameraError']['count'] == 1
    assert '100x64' in report['failures']['CameraError']['first']


def test_damaged_messages_are_counted(street, run, tmp_path):
    write_bag(tmp_path / 'bag', street, truth='depth')
    bag = with_damage(tmp_path / 'bag', tmp_path / 'damaged', (IMAGE, 1), (DEPTH, 2))
    report, _ = run(bag)
    assert (report['frames'], report['scored_frames']) == (3, 2)
    assert report['failures']['MessageError']['count'] == 2
    assert [round(row['time'], 1) for row in report['over_time']] == [0.0, 0.2, 0.3]


def test_no_report_of_a_bag_that_cannot_be_replayed(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    cut_in_half(bag)
    for path, words in ((bag, 'cannot be read'), (tmp_path / 'none', 'does not exist')):
        with pytest.raises(BagError, match=words):
            run(path)
    assert not (tmp_path / 'report').exists()


def test_no_outputs_of_a_bag_without_depth(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    with pytest.raises(BagError, match='no picture.*map'):
        run(bag, bag_out=tmp_path / 'outputs', ground_frame='map')
    assert not list(tmp_path.glob('outputs*'))


@pytest.mark.parametrize(('text', 'words'), [
    ('a: [', 'no YAML'), (b'a: \xe4', 'no YAML in UTF-8'), ('a: 2024-99-99', 'month'),
    ('camera_height: 1.2', 'no ROS parameter file'),
    ('embodied_depth: {ros__parameters: {camera_hight: 1.2}}', 'camera_hight'),
    ('embodied_depth: {ros__parameters: {camera_height: high}}', 'type float'),
    ('embodied_depth: {ros__parameters: {camera_pitch: 28}}', 'degrees are 0.489'),
])
def test_bad_parameter_file(text, words, tmp_path):
    file = tmp_path / 'parameters.yaml'
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=words):
        ReplaySettings.from_file(file)


def test_parameter_file_of_the_nodes(tmp_path):
    """Sections of other nodes and parameters that only a live node has are passed over."""
    file = tmp_path / 'parameters.yaml'
    file.write_text(
        '/**:\n  ros__parameters: {use_sim_time: true, max_range: 50}\n'
        '/robot/embodied_depth:\n  ros__parameters: {camera_height: 1, tf_timeout: 0.2}\n'
        'other:\n  ros__parameters: {camera_height: 2.0}\n')
    settings = ReplaySettings.from_file(file)
    assert (settings.camera_height, settings.max_range) == (1.0, 50.0)


def test_parameters_are_those_of_the_node():
    """Same names, same defaults; what replay lacks means nothing without a running system."""
    pytest.importorskip('rclpy', reason='the node is not installed: pip install .[ros]')
    from deepsight_ros.ros.parameters import EmbodiedDepthParameters
    node = {item.name: item.default for item in fields(EmbodiedDepthParameters)}
    own = {item.name: item.default for item in fields(ReplaySettings)
           if not item.name.endswith('_topic')}
    assert own.items() <= node.items()
    ReplaySettings.from_values(node, 'the node')


def test_engines_are_those_that_the_parameters_name(street, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', street)
    cache = tmp_path / 'cache'
    report, _ = run(bag, backend='onnxruntime', providers='CPUExecutionProvider',
                    cache_dir=str(cache))
    assert report['backend'] == 'onnxruntime CPU'
    assert list(cache.glob('graphs/painted/*.onnx'))
    with pytest.raises(EngineError, match="backend 'cuda' is unknown"):
        run(bag, backend='cuda')


class _Page(HTMLParser):
    """Open tags, sources, and how often each tag occurs."""

    VOID = ('meta', 'img', 'line', 'rect', 'polyline', 'circle')

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.tags = [], [], {}

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.sources += [value for name, value in attributes if name in ('src', 'href')]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
