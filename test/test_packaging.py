"""The package installs with pip and with colcon, and declares what it imports."""

import ast
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
import venv
from xml.etree import ElementTree
from zipfile import ZipFile

from catkin_pkg.package import parse_package
import pytest

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = ('config/deepsight.yaml', 'config/deepsight.rviz', 'config/deepsight.foxglove.json',
             'config/fastdds_shm.xml', 'launch/deepsight.launch.py', 'package.xml')
ROSDEP = {  # module: rosdep key
    'cv2': 'python3-opencv',
    'numpy': 'python3-numpy',
    'onnxruntime': 'python3-onnxruntime-pip',
    'rosbags': 'python3-rosbags-pip',
    'tqdm': 'python3-tqdm',
    'yaml': 'python3-yaml',
}
PYPI = {
    'cv2': 'opencv-python-headless', 'numpy': 'numpy', 'onnxruntime': 'onnxruntime',
    'rosbags': 'rosbags', 'tokenizers': 'tokenizers', 'tqdm': 'tqdm', 'yaml': 'PyYAML',
}
NO_ROSDEP_KEY = {'cuda', 'tensorrt', 'tokenizers'}
"""`deepsight doctor` prints the pip line for these."""
FOUND_AT_RUN_TIME = {'ros2launch', 'tf2_msgs'}
"""Starts the launch files, and types the bag player's messages: imported by nobody by name."""


def imports(folder: str) -> set[str]:
    """Top-level modules from elsewhere that the Python files of a folder import."""
    found = set()
    for path in (ROOT / folder).rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition('.')[0])
    return found - set(sys.stdlib_module_names) - {'deepsight_ros'}


def run_here(command: list[object], **options) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build needs, copied, since builds leave files behind; with a bundle and a bag."""
    folder = tmp_path_factory.mktemp('source') / 'deepsight_ros'
    ignored = shutil.ignore_patterns('__pycache__')
    for name in ('deepsight_ros', 'launch', 'config', 'models', 'resource'):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ('package.xml', 'setup.py', 'setup.cfg', 'pyproject.toml', 'LICENSE'):
        shutil.copy(ROOT / name, folder)
    for name in ('models/tiny/manifest.json', 'resource/sample_bags/tiny/metadata.yaml',
                 'launch/__pycache__/left.pyc'):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text('{}')
    return folder


@pytest.fixture(scope='module')
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('wheel')
    run_here([sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation',
              '--wheel-dir', folder, source])
    (file,) = folder.glob('*.whl')
    return file


@pytest.fixture(scope='module')
def workspace(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A colcon workspace with this package, built."""
    folder = tmp_path_factory.mktemp('workspace')
    colcon = Path(sys.executable).with_name('colcon')
    run_here([colcon, 'build', '--base-paths', source], cwd=folder)
    return folder


def in_workspace(workspace: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that has sourced the workspace, and nothing else of ROS."""
    line = ' '.join(map(str, command))
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    return subprocess.run(['sh', '-c', f'. install/local_setup.sh && {line}'], cwd=workspace,
                          capture_output=True, text=True,
                          env={'PATH': path, 'HOME': str(workspace)})


def test_wheel_holds_package_and_data(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    paths = (ROOT / 'deepsight_ros').rglob('*.py')
    modules = {path.relative_to(ROOT).as_posix() for path in paths}
    assert modules <= set(names)
    share = 'deepsight_ros-0.1.0.data/data/share/deepsight_ros/'
    for name in (*INSTALLED, 'models/tiny/manifest.json',
                 'resource/sample_bags/tiny/metadata.yaml'):
        assert share + name in names
    assert not any('__pycache__' in name for name in names)
    tops = {name.partition('/')[0] for name in names}
    assert tops == {'deepsight_ros', 'deepsight_ros-0.1.0.data', 'deepsight_ros-0.1.0.dist-info'}
    assert not any('/data/bin/' in name for name in names), 'pip makes bin/deepsight itself'


def test_pip_installation_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / 'venv', symlinks=True, with_pip=False)
    python = tmp_path / 'venv' / 'bin' / 'python'
    run_here([sys.executable, '-m', 'pip', '--python', python, 'install', '--no-deps', wheel])
    environment = {'PYTHONPATH': sysconfig.get_path('purelib')}
    code = ('from deepsight_ros import resources as r; '
            'print(r.find_config("fastdds_shm.xml"), r.find_bundle("tiny"), '
            'r.find_sample_bag("tiny"))')
    done = run_here([python, '-c', code], cwd=tmp_path, env=environment)
    for place in done.stdout.split():
        assert Path(place).is_relative_to(tmp_path / 'venv' / 'share' / 'deepsight_ros')
    helped = run_here([python.with_name('deepsight'), '--help'], cwd=tmp_path, env=environment)
    assert 'doctor' in helped.stdout


def test_colcon_layout(workspace: Path) -> None:
    install = workspace / 'install' / 'deepsight_ros'
    for executable in ('lib/deepsight_ros/embodied_depth', 'lib/deepsight_ros/bag_player',
                       'lib/deepsight_ros/deepsight', 'bin/deepsight'):
        assert os.access(install / executable, os.X_OK), executable
    for name in (*INSTALLED, 'models/tiny/manifest.json'):
        assert (install / 'share' / 'deepsight_ros' / name).is_file()
    assert (install / 'share/ament_index/resource_index/packages/deepsight_ros').is_file()


def test_colcon_workspace_runs_its_own_copy(workspace: Path) -> None:
    assert 'doctor' in in_workspace(workspace, 'deepsight', '--help').stdout
    done = in_workspace(workspace, 'deepsight', 'doctor', '--json', 'doctor.json')
    assert done.returncode in (0, 1), done.stderr
    findings = json.loads((workspace / 'doctor.json').read_text())['findings']
    (tiny,) = [finding for finding in findings if finding['name'] == 'tiny']
    assert str(workspace / 'install' / 'deepsight_ros' / 'share') in tiny['value']
    code = "'import deepsight_ros; print(deepsight_ros.__file__)'"
    where = in_workspace(workspace, 'python3', '-c', code).stdout
    assert where.startswith(str(workspace / 'install'))


def test_colcon_node_starts(workspace: Path) -> None:
    done = in_workspace(workspace, 'install/deepsight_ros/lib/deepsight_ros/bag_player', 'nowhere')
    assert done.returncode == 1
    assert done.stderr.startswith("bag_player: sample bag 'nowhere' is in none of")


def test_package_xml_declares_what_is_imported() -> None:
    root = ElementTree.parse(ROOT / 'package.xml').getroot()
    declared = {item.text for item in root.iter('exec_depend')}
    imported = (imports('deepsight_ros') | imports('launch')) - NO_ROSDEP_KEY
    assert {ROSDEP.get(name, name) for name in imported} == declared - FOUND_AT_RUN_TIME


def test_package_xml_is_valid() -> None:
    warnings: list[str] = []
    package = parse_package(ROOT / 'package.xml', warnings=warnings)
    package.validate(warnings=warnings)
    assert not warnings
    assert package.get_build_type() == 'ament_python'


def test_setup_declares_what_is_imported() -> None:
    text = (ROOT / 'setup.py').read_text()
    (call,) = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
               and getattr(node.func, 'id', '') == 'setup']
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    required = {item.value.partition('>')[0] for item in options['install_requires'].elts}
    assert required == {PYPI[name] for name in imports('deepsight_ros') if name in PYPI}
    version = ElementTree.parse(ROOT / 'package.xml').findtext('version')
    assert options['version'].value == version


def test_run_time_needs_no_training_library_and_rclpy_only_in_ros() -> None:
    assert not imports('deepsight_ros') & {'torch', 'torchvision', 'transformers', 'accelerate'}
    for folder in ('geometry', 'engines', 'language', 'perception', 'evaluation'):
        assert not imports(f'deepsight_ros/{folder}') - set(PYPI) - NO_ROSDEP_KEY, folder
