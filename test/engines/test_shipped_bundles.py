"""The bundles in models/: what loads them, and that they bring what a plan needs."""

from pathlib import Path
import re

import onnx
import onnxruntime
import pytest

from deepsight_ros.engines import load_engine
from deepsight_ros.engines import Manifest
from deepsight_ros.engines.manifest import Profile
from deepsight_ros.engines.onnx_runtime import LOWEST
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.parity import compare
from deepsight_ros.engines.recorded_inputs import Case
from deepsight_ros.engines.recorded_inputs import random_inputs
from deepsight_ros.engines.recorded_inputs import read_recorded
from deepsight_ros.engines.tensors import fits

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = sorted(path.parent for path in ROOT.glob('models/**/manifest.json'))
READABLE = {'1.14': (8, 18), '1.15': (9, 19)}
"""ONNX Runtime to the newest IR version and opset that it takes; 1.14 refused our graphs."""

pytestmark = pytest.mark.parametrize('bundle', BUNDLES, ids=lambda path: path.name)


def test_the_lowest_onnxruntime_loads_it(bundle: Path) -> None:
    assert f"'onnxruntime>={LOWEST}'" in (ROOT / 'setup.py').read_text()
    constraints = (ROOT / 'constraints-robot.txt').read_text()
    assert re.search(rf'^onnxruntime=={re.escape(LOWEST)}', constraints, re.MULTILINE)
    for variant in Manifest.read(bundle).variants:
        model = onnx.load(bundle / variant.file, load_external_data=False)
        ir_version, opset = READABLE[LOWEST]
        assert model.ir_version <= ir_version
        assert all(item.version <= opset for item in model.opset_import if item.domain == '')


def test_optimised_and_plain_graph_agree(bundle: Path) -> None:
    manifest = Manifest.read(bundle)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    variant = manifest.variant('onnxruntime')
    session = onnxruntime.InferenceSession(
        str(bundle / variant.file), options, providers=['CPUExecutionProvider'])
    with (load_engine(bundle, 'onnxruntime') as engine,
          OnnxRuntimeEngine(session, manifest, 'test', bundle) as reference):
        cases = [*read_recorded(bundle, manifest), *random_inputs(engine.inputs, manifest)]
        report = compare(engine, reference, cases, variant.parity)
    assert report.passed, str(report)


def test_inputs_for_a_plan_fit_the_graph(bundle: Path) -> None:
    manifest = Manifest.read(bundle)
    recorded = read_recorded(bundle, manifest)
    assert recorded
    shapes = {spec.name: spec.shape for spec in manifest.inputs}
    is_fixed = all(isinstance(size, int) for shape in shapes.values() for size in shape)
    assert bool(manifest.profiles) != is_fixed
    for profile in manifest.profiles:
        for name, item in profile.items():
            assert all(fits(shape, shapes[name]) for shape in (item.min, item.opt, item.max))
    for case in recorded:
        assert all(fits(case[name].shape, shape) for name, shape in shapes.items())
        assert is_fixed or any(covers(profile, case) for profile in manifest.profiles)


def covers(profile: Profile, case: Case) -> bool:
    return all(low <= size <= high for name, item in profile.items()
               for low, size, high in zip(item.min, case[name].shape, item.max, strict=True))


def test_warm_up(bundle: Path) -> None:
    with load_engine(bundle, 'onnxruntime') as engine:
        engine.warm_up()
