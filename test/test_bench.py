"""``deepsight bench``: structure and plausibility; timings are never asserted."""

from dataclasses import replace
from importlib.util import find_spec
import json
import math
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper
from onnx import TensorProto
from painted_bag import CAMERA
from painted_bag import LEVEL
from painted_bag import painted_classes
from painted_bag import true_depth
import pytest

from deepsight_ros.bench import bench_table
from deepsight_ros.benchmarks.drive import HEIGHT
from deepsight_ros.benchmarks.drive import read_drive
from deepsight_ros.benchmarks.drive import WIDTH
from deepsight_ros.benchmarks.engine_rows import IDENTITY_ONNX
from deepsight_ros.benchmarks.language_rows import against_transformers
from deepsight_ros.benchmarks.language_rows import language_rows
from deepsight_ros.benchmarks.plain_depth import plain_embodied_depth
from deepsight_ros.benchmarks.rows import median_seconds
from deepsight_ros.benchmarks.rows import Row
from deepsight_ros.engines import Manifest
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.embodied_depth import EmbodiedSceneDepth

ROWS = {
    'embodied_chain_ms', 'segmentation_ms', 'segmentation_total_ms', 'node_rate_hz',
    'node_dropped', 'node_publish_ms', 'node_rss_mb', 'configured_s', 'replay_speed',
    'engine_overhead_us'}
"""What other programs rely on."""
LANGUAGE_ROWS = {'first_token_ms', 'tokens_per_second', 'answer_ms', 'language_rss_mb'}
"""The same where an answering bundle is installed; its export may have measured one row more."""
MAIN = 'import sys; from deepsight_ros.cli import main; sys.exit(main())'


@pytest.fixture(scope='module')
def models(painted_bundle, tmp_path_factory, request):
    folder = tmp_path_factory.mktemp('models')
    shutil.copytree(painted_bundle, folder / 'scene_segmentation_nano')
    if find_spec('deepsight_training') is not None:  # robots have no package of training
        language = request.getfixturevalue('spatial_language_bundle')
        shutil.copytree(language, folder / 'deepsight_nano')
    return folder


def test_all_rows_are_measured(models, painted_bags, tmp_path):
    file = tmp_path / 'new' / 'bench.json'
    run = subprocess.run(
        [sys.executable, '-c', MAIN, 'bench', '--seconds', '0.5', '--json', str(file)],
        env={**os.environ, 'DEEPSIGHT_MODELS': str(models),
             'DEEPSIGHT_SAMPLE_BAGS': str(painted_bags)},
        capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    report = json.loads(file.read_text('utf8'))
    assert report.keys() == {'machine', 'date', 'rows'}
    rows = {row['name']: row for row in report['rows']}
    measured = ROWS | (LANGUAGE_ROWS if (models / 'deepsight_nano').is_dir() else set())
    assert rows.keys() >= measured
    for name, row in rows.items():
        assert row.keys() == {'name', 'value', 'unit', 'baseline', 'ratio'}
        assert name in run.stdout
        if row['baseline'] and row['value'] is not None:
            assert row['ratio'] == pytest.approx(row['value'] / row['baseline'])
    # So short a run has no whole second in which to time publishing.
    for name in measured - {'engine_overhead_us', 'node_dropped', 'node_publish_ms'}:
        assert rows[name]['value'] > 0, name
    assert 0 <= rows['node_dropped']['value'] <= 30


def test_speeds_of_answers(spatial_language_bundle, painted_bags):
    rows = {row.name: row for row in language_rows(
        spatial_language_bundle, painted_bags / 'street', 0.0)}
    for name in LANGUAGE_ROWS - {'language_rss_mb'}:
        assert rows[name].value > 0
        assert rows[name].baseline > 0
        assert rows[name].plain.endswith('in fp32; value: int8')
    assert rows.keys() == {*LANGUAGE_ROWS, 'against_transformers'} - {'language_rss_mb'}


def test_what_the_export_measured_against_transformers(spatial_language_bundle):
    manifest = replace(Manifest.read(spatial_language_bundle), metrics=())
    row = against_transformers(manifest, 'int8')
    assert (row.value, row.ratio) == (None, None)
    assert 'not measured when the bundle was exported' in row.plain
    metric = {'name': 'times_faster_than_generate_int8', 'value': 4.5, 'date': '2026-12-01',
              'dataset': '200 questions'}
    row = against_transformers(replace(manifest, metrics=(metric,)), 'int8')
    assert row.ratio == 4.5
    assert '2026-12-01, 200 questions' in row.plain


def test_ratio_and_table():
    rows = [Row('a_ms', 2.0, 'ms', 8.0, 'slow'), Row('b', None, 'Hz', 3.0, 'x'),
            Row('c', 1.0, 'Hz', 0.0, 'nothing came'), Row('d', 1.0, 's', None, 'none')]
    assert [row.ratio for row in rows] == [0.25, None, None, None]
    table = bench_table(rows).splitlines()
    assert table[3].split() == ['a_ms', '2', '8', '0.25', 'ms']
    assert table[4].split() == ['b', '-', '3', '-', 'Hz']
    assert table[-1].split(maxsplit=1) == ['d', 'none']


def test_calls_take_turns():
    order = []
    times = median_seconds(
        {'a': lambda: order.append('a'), 'b': lambda: order.append('b')}, 0.0, 'test')
    assert ''.join(order) == 'ab' * (len(order) // 2)
    assert len(order) > 4
    assert all(seconds > 0 for seconds in times.values())


def test_identity_graph_is_what_onnx_makes():
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n']) for name in 'xy']
    graph = helper.make_graph(
        [helper.make_node('Identity', ['x'], ['y'])], 'g', tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    assert onnx.load_from_string(IDENTITY_ONNX) == model


def test_drive_has_the_size_of_kitti_and_fits_its_camera(painted_bags):
    frames = read_drive(painted_bags / 'street')
    assert len(frames) == 12
    for frame in frames:
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert frame.camera.size == (WIDTH, HEIGHT)
        # Most points lie on the road; in the new picture they must do so as well.
        pixels = frame.camera.project(frame.points)
        rows = pixels[:, 1]
        road = frame.points[:, 1] > 1.49
        assert math.isclose(road.mean(), 0.7, abs_tol=0.3)
        expected = frame.camera.cy + frame.camera.fy * 1.5 / frame.points[road, 2]
        np.testing.assert_allclose(rows[road], expected, atol=0.1)


def test_plain_chain_computes_the_same_as_ours():
    classes, ground = painted_classes(), GroundPlane.from_transform(LEVEL)
    plain = plain_embodied_depth(classes, CAMERA, ground, 80.0)
    ours = EmbodiedSceneDepth(CAMERA)(classes, ground).depth
    truth = true_depth()
    known = np.isfinite(truth) & (truth < 30)
    np.testing.assert_allclose(plain[known], truth[known], rtol=0.05)
    np.testing.assert_allclose(ours[known], truth[known], rtol=0.05)
    assert np.isposinf(plain[0, 0])
