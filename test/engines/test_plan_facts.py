"""Profiles that cover shapes, and dtypes read back from a plan."""

import json

import pytest

from deepsight_ros.engines import EngineError
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.plan_facts import count_dtypes
from deepsight_ros.engines.plan_facts import covering_profile
from deepsight_ros.engines.plan_facts import lost_precision
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.plans import PlanManifest

DECODE = {'tokens': ShapeRange((1, 1), (1, 1), (1, 1))}
PREFILL = {'tokens': ShapeRange((1, 1), (1, 128), (1, 512))}


@pytest.mark.parametrize(('length', 'index'), [(1, 0), (2, 1), (512, 1)])
def test_first_profile_that_covers_is_taken(length: int, index: int) -> None:
    assert covering_profile((DECODE, PREFILL), {'tokens': (1, length)}, 'model') == index


@pytest.mark.parametrize('shape', [(1, 513), (2, 1), (1,)])
def test_shape_outside_all_profiles(shape: tuple[int, ...]) -> None:
    with pytest.raises(EngineError, match='built for tokens.*build again.*backend onnxruntime'):
        covering_profile((DECODE, PREFILL), {'tokens': shape}, 'model')


def layers(*formats: str) -> str:
    return json.dumps({'Layers': [{'Name': name, 'Outputs': [{'Format/Datatype': name}]}
                                  for name in formats]})


@pytest.mark.parametrize(('text', 'dtypes'), [
    (layers('Half', 'Row major linear FP16 format', 'Float'), {'float16': 2, 'float32': 1}),
    (layers('BFloat16', 'Int8', 'N/A due to dynamic shapes'),
     {'bfloat16': 1, 'int8': 1, 'other': 1}),
    ('{"Layers": ["conv1", "relu1"]}', {}),  # a plan without details has names only
    ('no JSON', {}),
])
def test_dtypes_of_layers(text: str, dtypes: dict[str, int]) -> None:
    assert count_dtypes(text) == dtypes


@pytest.mark.parametrize(('precision', 'dtypes', 'lost'), [
    ('fp16', {'float32': 12}, True),
    ('fp16', {'float32': 2, 'float16': 10}, False),
    ('fp32', {'float32': 12}, False),
    ('fp16', {}, False),  # unknown
])
def test_request_for_fp16_that_became_fp32_is_seen(precision: str, dtypes: dict[str, int],
                                                   lost: bool) -> None:
    key = PlanKey('b', '', '10.3.0', 'Orin', '8.7', '[]', '')
    plan = PlanManifest(key, '', '12.6', '12.6', precision, (), dtypes, {}, True, 1.0, '')
    assert bool(lost_precision(plan)) == lost
