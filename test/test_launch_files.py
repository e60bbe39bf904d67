"""Launch files, parameter file and layouts fit the nodes; real launch runs them where it is."""

import ast
from dataclasses import fields
import importlib.util
import json
from pathlib import Path
import re
from types import ModuleType

import pytest
import yaml

from deepsight_ros.ros import answer_outputs
from deepsight_ros.ros import outputs
from deepsight_ros.ros.parameters import EmbodiedDepthParameters
from deepsight_ros.ros.parameters import SpatialLanguageParameters

ROOT = Path(__file__).resolve().parents[1]
LAUNCH_FILES = sorted(ROOT.glob('launch/*.launch.py'))
IDS = [path.name for path in LAUNCH_FILES]
PARAMETERS = {node: {item.name: item.default for item in fields(kind)} for node, kind in (
    ('embodied_depth', EmbodiedDepthParameters), ('spatial_language', SpatialLanguageParameters))}
INPUTS = {'/image', '/camera_info', '/diagnostics'}


def strings(path: Path, function: str, keyword: str) -> list[str]:
    """Text values of a keyword in calls of a function."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
             and getattr(node.func, 'id', '') == function]
    return [item.value.value for call in calls for item in call.keywords
            if item.arg == keyword and isinstance(item.value, ast.Constant)]


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=IDS)
def test_every_argument_is_described(path: Path, launch_arguments) -> None:
    assert launch_arguments[path.name]
    for name, (_, description) in launch_arguments[path.name].items():
        assert len(description) > 10, name


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=IDS)
def test_executables_are_console_scripts(path: Path) -> None:
    scripts = set(re.findall(r"'(\w+) = deepsight_ros", (ROOT / 'setup.py').read_text()))
    for function in ('Node', 'LifecycleNode'):
        packages = strings(path, function, 'package')
        for package, executable in zip(packages, strings(path, function, 'executable'),
                                       strict=True):
            assert package != 'deepsight_ros' or executable in scripts


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=IDS)
def test_our_nodes_get_the_shared_memory_profile(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '').endswith('Node'):
            options = {item.arg: ast.unparse(item.value) for item in node.keywords}
            if options['package'] == "'deepsight_ros'":
                assert options['additional_env'] == 'profile_environment()'


@pytest.mark.parametrize(('node', 'count'), [('embodied_depth', 4), ('spatial_language', 3)])
def test_parameters_set_by_launch_exist(node: str, count: int, launch_arguments) -> None:
    file = f'{node}.launch.py'
    text = (ROOT / 'launch' / file).read_text()
    names = [key.value for item in ast.parse(text).body if isinstance(item, ast.Assign)
             and item.targets[0].id in ('ALWAYS_SET', 'SET_IF_GIVEN') for key in item.value.keys]
    assert len(names) == count
    for name in names:
        assert name in {*PARAMETERS[node], 'use_sim_time'}
        assert name in launch_arguments[file]


@pytest.mark.parametrize('node', PARAMETERS)
def test_parameter_file_names_existing_parameters_of_the_right_type(node: str) -> None:
    content = yaml.safe_load((ROOT / 'config' / 'deepsight.yaml').read_text())
    values = content[f'/**/{node}']['ros__parameters']
    assert values
    for name, value in values.items():
        default = PARAMETERS[node][name]
        assert type(value) is type(default), name
        assert value == default, f'{name}: the file says that these are the defaults'


def test_layouts_show_topics_that_exist() -> None:
    known = INPUTS | {f'/{topic}' for topic in (*outputs.TOPICS, *answer_outputs.TOPICS)}
    launched = (ROOT / 'launch' / 'deepsight.launch.py').read_text()
    rviz = yaml.safe_load((ROOT / 'config' / 'deepsight.rviz').read_text())
    for display in rviz['Visualization Manager']['Displays']:
        topic = display.get('Depth Map Topic') or display.get('Topic', {}).get('Value')
        assert topic is None or (topic in known and f"{topic[1:]}'" in launched)
    foxglove = json.loads((ROOT / 'config' / 'deepsight.foxglove.json').read_text())
    shown = re.findall(r'"(/[a-z_/]+)"', json.dumps(foxglove['configById']))
    assert shown
    assert set(shown) <= known
    panels = re.findall(r'"(\w+!\w+)"', json.dumps(foxglove['layout']))
    assert sorted(panels) == sorted(foxglove['configById'])


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=IDS)
def test_real_launch_reads_them(path: Path, launch_arguments) -> None:
    for module in ('launch', 'launch_ros'):
        pytest.importorskip(f'{module}.actions', reason=f'{module} comes with ROS 2 from apt')
    description = _load(path).generate_launch_description()
    declared = {argument.name for argument in description.get_launch_arguments()}
    assert declared >= launch_arguments[path.name].keys()


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.name.partition('.')[0], path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
