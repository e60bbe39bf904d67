"""``deepsight doctor``: what is here, what will be used, what is missing and how to get it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
import os
from pathlib import Path
import platform
import shlex
import shutil
import subprocess
import sys
from xml.etree import ElementTree

from deepsight_ros.evaluation.json_report import write_json
from deepsight_ros.resources import find_config
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import list_bundles
from deepsight_ros.resources import PACKAGE
from deepsight_ros.resources import PROFILE_VARIABLES
from deepsight_ros.resources import ResourceError
from deepsight_ros.resources import SAMPLE_BAGS
from deepsight_ros.resources import share_folders
from deepsight_ros.tensorrt_defects import attention_defect

OK, NOTE, WARNING, MISSING, BROKEN = 'ok', 'note', 'warning', 'missing', 'broken'

ROS_WHEELS = ('ros-rclpy[fastrtps]==7.1.6', 'ros-common-interfaces==5.3.6')
SHM = Path('/dev/shm')
DOCKER_SHM_BYTES = 64 << 20
PICTURE_BYTES = 2 << 20
PROBE_SECONDS = 30

_REQUIRED = {  # module: what pip calls it
    'numpy': 'numpy',
    'cv2': 'opencv-python-headless',
    'onnxruntime': 'onnxruntime',
    'rosbags': 'rosbags',
    'yaml': 'PyYAML',
    'tokenizers': 'tokenizers',
    'tqdm': 'tqdm',
}
_NO_ROSDEP_KEY = ('tokenizers',)
_OPTIONAL = {
    'tf2_ros': 'extrinsics from TF (apt; without it: parameters or IMU)',
}
CUDA_PYTHON = 'cuda-python>=12.6.1'
GPU_DEVICES = ('/dev/nvidia0', '/dev/nvgpu', '/dev/nvhost-gpu', '/dev/dxg')
"""Of a workstation, of Jetsons, of WSL."""
_GPU = ('(lambda gpu: f"{gpu.name}, driver for CUDA {gpu.driver}, compute capability "'
        ' f"{gpu.compute_capability}")(deepsight_ros.engines.cuda.current_gpu())')
_PROVIDERS = '", ".join(onnxruntime.get_available_providers())'
_RMW = 'rclpy.utilities.get_rmw_implementation_identifier()'


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    section: str
    name: str
    status: str
    value: str
    remedy: str = ''
    packages: tuple[str, ...] = ()
    """What pip must install to mend it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``deepsight doctor``."""
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the findings here')


def run(args: argparse.Namespace) -> int:
    """Print what was found and the one command that mends it; 1 if something is missing."""
    findings = []
    section = ''
    for finding in examine():
        findings.append(finding)
        if finding.section != section:
            section = finding.section
            print(f'\n{section}')
        print(f'  {finding.status:8} {finding.name:22} {finding.value}', flush=True)
        if finding.remedy:
            print(f'  {"":8} {"":22} -> {finding.remedy}')
    command = mending_command(findings)
    is_bad = any(finding.status in (MISSING, BROKEN) for finding in findings)
    if command:
        print(f'\nThis mends what is missing or broken:\n  {command}')
    else:
        print('\nNo command mends what is broken; its line says what does.' if is_bad
              else '\nNothing is missing.')
    if args.json:
        write_json(args.json, {'findings': [asdict(finding) for finding in findings],
                               'command': command})
    return 1 if is_bad else 0


def examine() -> Iterator[Finding]:
    """Look at one thing after the other; nothing is changed, no ROS graph is joined."""
    yield from python_findings()
    yield from ros_findings()
    yield from transport_findings()
    yield from gpu_findings()
    yield from bundle_findings()
    yield from bag_findings()


def mending_command(findings: list[Finding]) -> str | None:
    """Return the one command for all that is missing or broken, None if there is none."""
    bad = [finding for finding in findings if finding.status in (MISSING, BROKEN)]
    commands = [finding.remedy for finding in bad if finding.remedy]
    packages = [package for finding in bad for package in finding.packages]
    by_pip = [package for package in packages
              if package in _NO_ROSDEP_KEY or not _is_ros_sourced()]
    if len(by_pip) < len(packages):
        commands.append('rosdep install --from-paths src --ignore-src -y')
    if by_pip:
        commands.append(f'{sys.executable} -m pip install {shlex.join(by_pip)}')
    return ' && '.join(dict.fromkeys(commands)) or None


def python_findings() -> Iterator[Finding]:
    """Look at the Python packages that are always needed."""
    section = 'Python'
    yield Finding(section, 'python', OK, f'{platform.python_version()} ({sys.executable})')
    for module, package in _REQUIRED.items():
        expression = f'getattr({module}, "__version__", "")'
        if module == 'onnxruntime':
            expression += f' + ", " + {_PROVIDERS}'
        found, text = _probe(module, expression)
        text = text or _distribution_version(package)
        yield Finding(section, module, OK, text) if found else Finding(
            section, module, MISSING, text, packages=(package,))
    names = {distribution.metadata['Name'] for distribution in metadata.distributions()}
    opencvs = sorted(name for name in names if name and name.startswith('opencv-'))
    if len(opencvs) > 1:
        # Removing one of them removes files of the other.
        yield Finding(section, 'opencv', WARNING, f'{" and ".join(opencvs)} share cv2',
                      f'pip uninstall {" ".join(opencvs[:-1])} && '
                      f'pip install --force-reinstall --no-deps {opencvs[-1]}')


def ros_findings() -> Iterator[Finding]:
    """Look at rclpy, and at what is used where it exists."""
    section = 'ROS 2'
    found, text = _probe('rclpy', _RMW, 'rclpy.utilities')
    if found:
        origin = os.environ.get('ROS_DISTRO', 'pip')
        version = _distribution_version('rclpy')
        yield Finding(section, 'rclpy', OK, f'{version} from {origin}, {text}')
    elif setups := sorted(Path('/opt/ros').glob('*/setup.bash')):
        yield Finding(section, 'rclpy', MISSING, text, f'source {setups[-1]}')
    elif platform.machine() == 'x86_64':
        yield Finding(section, 'rclpy', MISSING, text, packages=ROS_WHEELS)
    else:
        yield Finding(section, 'rclpy', MISSING, text,
                      'sudo apt install ros-jazzy-ros-base')
    for module, purpose in _OPTIONAL.items():
        found, text = _probe(module, f'getattr({module}, "__version__", "")')
        yield Finding(section, module, OK, text or 'usable') if found else Finding(
            section, module, NOTE, text, f'only for {purpose}')


def transport_findings() -> list[Finding]:
    """Look at what pictures travel through: the Fast DDS profile and shared memory."""
    section = 'Transport'
    rmw = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if rmw != 'rmw_fastrtps_cpp':
        return [Finding(section, 'profile', NOTE, f'{rmw} is used, not Fast DDS')]
    profile = next((os.environ[name] for name in PROFILE_VARIABLES if os.environ.get(name)), '')
    if profile and not Path(profile).is_file():
        found = Finding(section, 'profile', WARNING, f'{profile} does not exist', _export_line())
    elif profile:
        size = _segment_bytes(Path(profile))
        value = f'{profile}, segment of {size >> 20} MB'
        found = Finding(section, 'profile', OK, value) if size >= PICTURE_BYTES else Finding(
            section, 'profile', WARNING, f'{value}: too small for pictures', _export_line())
    else:
        found = Finding(section, 'profile', WARNING,
                        'Fast DDS defaults lose most frames of a colour stream; launch sets the '
                        'profile for our nodes, the camera driver needs it too', _export_line())
    findings = [found]
    if SHM.is_dir():
        total = shutil.disk_usage(SHM).total
        small = total <= DOCKER_SHM_BYTES
        findings.append(Finding(
            section, str(SHM), WARNING if small else OK, f'{total >> 20} MB',
            'too small for several 8 MB segments: docker run --shm-size=512m' if small else ''))
    return findings


def gpu_findings() -> Iterator[Finding]:
    """Look at what TensorRT engines need; ONNX Runtime runs without any of it."""
    section, purpose = 'GPU', 'only for TensorRT engines'
    is_gpu = any(Path(path).exists() for path in GPU_DEVICES)
    works, gpu = _probe('deepsight_ros.engines.cuda', _GPU) if is_gpu else (False, 'none is here')
    yield Finding(section, 'gpu', OK, gpu) if works else Finding(
        section, 'gpu', WARNING if is_gpu else NOTE, gpu, purpose)
    found, version = _probe('cuda.bindings.runtime', '"usable"')
    yield Finding(section, 'cuda-python', OK, _distribution_version('cuda-bindings')) if found \
        else Finding(section, 'cuda-python', WARNING if is_gpu else NOTE, version,
                     f"pip install '{CUDA_PYTHON}', on JetPack 6 'cuda-python==12.6.*'; {purpose}")
    found, version = _probe('tensorrt', 'tensorrt.__version__')
    if not found:
        yield Finding(section, 'tensorrt', WARNING if is_gpu else NOTE, version,
                      f'pip install tensorrt, or JetPack on a Jetson; {purpose}')
    elif defect := attention_defect(version, gpu.rpartition(' ')[2] if works else ''):
        yield Finding(section, 'tensorrt', WARNING, f'{version}: {defect}',
                      'update TensorRT, or export with plain attention; a plan that fails '
                      '`deepsight engine build` is not used')
    else:
        yield Finding(section, 'tensorrt', OK, version)


def bundle_findings() -> list[Finding]:
    """Look at the model bundles found by name; each is loaded once."""
    bundles = list_bundles()
    if not bundles:
        return [Finding('Model bundles', 'any', MISSING, 'no bundle was found',
                        _reinstall(_share(), 'models'))]
    return [_bundle_finding(folder) for folder in bundles]


def _bundle_finding(folder: Path) -> Finding:
    section = 'Model bundles'
    try:
        from deepsight_ros.engines import load_engine
        with load_engine(folder) as engine:
            manifest, backend = engine.manifest, engine.backend
    except ImportError as error:  # the bundle may be whole, and the package is named above
        return Finding(section, folder.name, NOTE, f'not looked at: {error}')
    except Exception as error:  # whatever is wrong with it, it must not hide the other findings
        share = folder.parents[1]
        if share in share_folders() and folder.parent.name == 'models':
            return Finding(section, folder.name, BROKEN, str(error),
                           _reinstall(share, f'models/{folder.name}'))
        return Finding(section, folder.name, BROKEN,
                       f'{error}; copy or export {folder} again, or take it away')
    value = f'{manifest.task}, runs on {backend}, licence {manifest.licence}, {folder}'
    return Finding(section, folder.name, OK, value)


def bag_findings() -> list[Finding]:
    """Look for the sample bags."""
    section = 'Sample bags'
    findings = []
    for name in SAMPLE_BAGS:
        try:
            findings.append(Finding(section, name, OK, str(find_sample_bag(name))))
        except ResourceError as error:
            findings.append(Finding(section, name, MISSING, str(error),
                                    _reinstall(_share(), f'resource/sample_bags/{name}')))
    return findings


def _share() -> Path:
    """Return the folder that should hold what the package ships."""
    return share_folders()[0 if _is_ros_sourced() else -1]


def _reinstall(share: Path, name: str) -> str:
    """Return the command that puts back what the package ships as ``name``, and nothing else."""
    if share == Path(__file__).resolve().parents[1]:
        return shlex.join(['git', '-C', str(share), 'checkout', '--', name])
    if _is_ros_sourced():
        return f'colcon build --packages-select {PACKAGE}'
    return f'{sys.executable} -m pip install --force-reinstall --no-deps PATH_OF_CHECKOUT'


def _probe(module: str, expression: str, *imports: str) -> tuple[bool, str]:
    """Import a module in a child process; return whether it works, and the value or the reason."""
    try:
        if find_spec(module) is None:
            return False, 'not installed'
    except ModuleNotFoundError:
        return False, 'not installed'
    code = '; '.join(f'import {name}' for name in (module, *imports)) + f'; print({expression})'
    try:
        done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                              timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return False, f'import did not end within {PROBE_SECONDS} s'
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return False, f'installed but broken: {lines[-1] if lines else "crashed on import"}'
    return True, done.stdout.strip()


def _is_ros_sourced() -> bool:
    """Whether a workspace or apt's ROS is in use: pip leaves this variable alone."""
    return bool(os.environ.get('AMENT_PREFIX_PATH'))


def _distribution_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return 'not installed'


def _export_line() -> str:
    try:
        profile = find_config('fastdds_shm.xml')
        return 'export ' + ' '.join(f'{name}={profile}' for name in PROFILE_VARIABLES)
    except ResourceError as error:
        return str(error)


def _segment_bytes(profile: Path) -> int:
    """Return the largest shared-memory segment that a Fast DDS profile asks for, 0 if none."""
    try:
        nodes = ElementTree.parse(profile).iter()
    except (ElementTree.ParseError, OSError):
        return 0
    return max((int(node.text or 0) for node in nodes if node.tag.endswith('segment_size')),
               default=0)
