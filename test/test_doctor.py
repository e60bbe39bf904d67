"""``deepsight doctor`` tells the truth about complete, bare and broken installations."""

import json
import os
from pathlib import Path
import shlex
import shutil
import subprocess
import sys
import venv

import pytest

from deepsight_ros import cli
from deepsight_ros import doctor
from deepsight_ros.doctor import BROKEN
from deepsight_ros.doctor import Finding
from deepsight_ros.doctor import mending_command
from deepsight_ros.doctor import MISSING
from deepsight_ros.doctor import NOTE
from deepsight_ros.doctor import OK
from deepsight_ros.doctor import WARNING
from deepsight_ros.tensorrt_defects import attention_defect

ROOT = Path(__file__).resolve().parents[1]


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.fixture
def without_ros_sourced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)


def test_report_covers_every_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / 'new' / 'doctor.json'
    status = cli.main(['doctor', '--json', str(file)])
    printed = capsys.readouterr().out
    content = json.loads(file.read_text())
    assert {finding['section'] for finding in content['findings']} == {
        'Python', 'ROS 2', 'Transport', 'GPU', 'Model bundles', 'Sample bags'}
    assert (status == 0) == (content['command'] is None)
    assert (content['command'] or 'Nothing is missing.') in printed
    for finding in content['findings']:
        assert finding['value'] in printed


def test_this_installation_runs_the_nodes() -> None:
    found = by_name([*doctor.python_findings(), *doctor.ros_findings()])
    for name in ('numpy', 'cv2', 'onnxruntime', 'rosbags', 'rclpy'):
        assert found[name].status == OK, found[name]
    assert 'rmw_fastrtps_cpp' in found['rclpy'].value


def test_shipped_bundles_state_their_licence_and_backend() -> None:
    findings = doctor.bundle_findings()
    assert findings
    for finding in findings:
        assert finding.status == OK, finding
        assert 'licence' in finding.value
        assert 'onnxruntime' in finding.value


def test_bare_python_gets_one_command_for_all(tmp_path: Path) -> None:
    venv.create(tmp_path / 'bare', with_pip=False)
    python = tmp_path / 'bare' / 'bin' / 'python'
    environment = {'PATH': os.environ['PATH'], 'PYTHONPATH': str(ROOT)}
    code = 'import sys; from deepsight_ros.cli import main; sys.exit(main(sys.argv[1:]))'
    done = subprocess.run([python, '-c', code, 'doctor', '--json', tmp_path / 'doctor.json'],
                          env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    command = json.loads((tmp_path / 'doctor.json').read_text())['command']
    assert str(python) in command
    for package in ('numpy', 'opencv-python-headless', 'onnxruntime', 'rosbags', 'PyYAML', 'tqdm'):
        assert package in shlex.split(command)
    assert 'git' not in shlex.split(command), 'bundles are whole, what loads them is missing'


def test_one_command_is_rosdep_where_ros_is_sourced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/humble')
    missing = Finding('Python', 'onnxruntime', MISSING, '', packages=('onnxruntime',))
    rosdep = 'rosdep install --from-paths src --ignore-src -y'
    assert mending_command([missing]) == rosdep
    without_key = Finding('Python', 'tokenizers', MISSING, '', packages=('tokenizers',))
    assert mending_command([missing, without_key]) == (
        f'{rosdep} && {sys.executable} -m pip install tokenizers')


@pytest.mark.usefixtures('without_ros_sourced')
def test_packages_and_other_remedies_make_one_command() -> None:
    findings = [
        Finding('Python', 'numpy', MISSING, '', packages=('numpy',)),
        Finding('ROS 2', 'rclpy', MISSING, '', packages=('ros-rclpy[fastrtps]==7.1.6',)),
        Finding('Model bundles', 'tiny', BROKEN, '', remedy='git checkout -- models'),
        Finding('Transport', 'profile', WARNING, '', remedy='not part of it'),
    ]
    assert mending_command(findings) == (
        f"git checkout -- models && {sys.executable} -m pip install numpy "
        "'ros-rclpy[fastrtps]==7.1.6'")
    assert mending_command([Finding('Python', 'numpy', OK, '2.0')]) is None


def test_of_two_opencvs_the_kept_one_is_installed_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('opencv-contrib-python', 'opencv-python'):
        folder = tmp_path / f'{name}-4.0.dist-info'
        folder.mkdir()
        (folder / 'METADATA').write_text(f'Name: {name}\nVersion: 4.0\n')
    monkeypatch.syspath_prepend(tmp_path)
    uninstall, install = by_name([*doctor.python_findings()])['opencv'].remedy.split(' && ')
    removed, kept = shlex.split(uninstall)[2:], shlex.split(install)[-1]
    assert {'opencv-contrib-python', 'opencv-python', kept} == {*removed, kept}
    assert kept not in removed
    assert install.startswith('pip install --force-reinstall --no-deps ')


def test_broken_bundle_of_a_checkout_is_put_back_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / 'deepsight_ros', tmp_path / 'deepsight_ros')
    (tmp_path / 'package.xml').touch()
    (tmp_path / 'models' / 'tiny').mkdir(parents=True)
    (tmp_path / 'models' / 'tiny' / 'manifest.json').write_text('{"format": 1')
    code = ('from deepsight_ros.doctor import bundle_findings; '
            'print(*(finding.remedy for finding in bundle_findings()))')
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True,
                          text=True, check=True)
    assert done.stdout.strip() == f'git -C {tmp_path} checkout -- models/tiny'


def test_changed_byte_in_a_bundle_is_found(tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / 'tiny'
    bundle.mkdir()
    (bundle / 'manifest.json').write_text('{"format": 1')
    monkeypatch.setenv('DEEPSIGHT_MODELS', str(tmp_path))
    found = by_name(doctor.bundle_findings())['tiny']
    assert found.status == BROKEN
    assert 'manifest.json' in found.value
    assert str(bundle) in found.value
    # It is not ours: nothing that we ship puts it back.
    assert found.remedy == ''


def test_profile_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in doctor.PROFILE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    unset = by_name(doctor.transport_findings())['profile']
    assert unset.status == WARNING
    words = shlex.split(unset.remedy)
    assert [word.partition('=')[0] for word in words] == ['export', *doctor.PROFILE_VARIABLES]
    profile = Path(words[1].partition('=')[2])
    assert profile.is_file()
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(profile))
    assert by_name(doctor.transport_findings())['profile'].status == OK
    (tmp_path / 'small.xml').write_text('<profiles><segment_size>4096</segment_size></profiles>')
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(tmp_path / 'small.xml'))
    assert 'too small' in by_name(doctor.transport_findings())['profile'].value
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(tmp_path / 'gone.xml'))
    assert by_name(doctor.transport_findings())['profile'].status == WARNING


@pytest.mark.parametrize(('version', 'words'), [
    ('10.3.0', 'issues 4723'), ('10.7.0.23', '4328'), ('10.12.0', 'Blackwell'), ('11.2.0', 'NaN'),
])
def test_tensorrt_with_broken_attention_is_named(version: str, words: str) -> None:
    assert words in attention_defect(version)


@pytest.mark.parametrize(('version', 'compute_capability'), [
    ('10.13.2', '8.7'), ('10.16.2', ''), ('11.1.0', ''), ('11.4.0.106', '12.0'),
])
def test_tensorrt_without_known_defects(version: str, compute_capability: str) -> None:
    assert attention_defect(version, compute_capability) == ''


def test_gpu_section_here() -> None:
    found = by_name([*doctor.gpu_findings()])
    assert found['tensorrt'].status in (NOTE, OK, WARNING)
    assert found['cuda-python'].status in (NOTE, OK, WARNING)
    for finding in found.values():
        assert finding.status == OK or finding.remedy
