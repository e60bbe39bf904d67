"""Installs with colcon beside apt's ROS 2, and with pip alone."""

from pathlib import Path
import sys

from setuptools import find_packages
from setuptools import setup

PACKAGE = 'deepsight_ros'
SHARE = f'share/{PACKAGE}'


def tree(folder: str) -> list[tuple[str, list[str]]]:
    """Return the files below a folder, to be installed below share/ at the same place."""
    files = sorted(path for path in Path(folder).rglob('*')
                   if path.is_file() and '__pycache__' not in path.parts)
    return [(f'{SHARE}/{path.parent}', [str(path)]) for path in files]


data_files = [
    ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
    (SHARE, ['package.xml']),
    *tree('launch'),
    *tree('config'),
    *tree('models'),
    *tree('resource/sample_bags'),
]
if 'bdist_wheel' not in sys.argv:
    # colcon installs console scripts into lib/deepsight_ros (setup.cfg), where `ros2 run` looks
    # and the shell does not. pip puts them into bin/ itself, and would find the name taken.
    data_files.append(('bin', ['resource/deepsight']))

setup(
    name=PACKAGE,
    version='0.1.0',
    description="Metric depth from one ordinary camera, scaled by the camera's own geometry",
    maintainer='Seed 81deaf13 maintainers',
    maintainer_email='maintainers@users.noreply.b-seed-81deaf13.example',
    license='Apache-2.0',
    packages=find_packages(include=['deepsight_ros*']),
    data_files=data_files,
    python_requires='>=3.10',
    install_requires=[
        'numpy>=1.21',
        'onnxruntime>=1.15',
        'opencv-python-headless>=4.5',
        'PyYAML>=5.4',
        'rosbags>=0.10.11',
        'tokenizers>=0.19',
        'tqdm>=4.60',
    ],
    extras_require={
        # ROS 2 Jazzy from PyPI, x86-64 only. An extra, because on a robot it would shadow apt's.
        'ros': ['ros-rclpy[fastrtps]==7.1.6', 'ros-common-interfaces==5.3.6'],
        'test': [
            'colcon-core',
            'colcon-ros',
            'hypothesis',
            'mypy',
            'pytest',
            'ruff',
            'setuptools<80',  # colcon-core calls setup.py develop and install
        ],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            'bag_player = deepsight_ros.ros.bag_player:main',
            'deepsight = deepsight_ros.cli:main',
            'embodied_depth = deepsight_ros.ros.embodied_depth:main',
            'spatial_language = deepsight_ros.ros.spatial_language:main',
        ],
    },
)
