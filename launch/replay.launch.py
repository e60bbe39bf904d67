"""Play a bag through the nodes; their topics are found in the bag."""

from pathlib import Path

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.actions import SetLaunchConfiguration
from launch.actions import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import profile_environment

HERE = Path(__file__).resolve().parent
ARGUMENTS = [
    DeclareLaunchArgument(
        'bag', default_value='street', description='Folder of a bag, or the name of a sample bag'),
    DeclareLaunchArgument(
        'rate', default_value='1.0', description='Speed of playing; 1.0 is as recorded'),
    DeclareLaunchArgument(
        'image', default_value='', description='Topic of the pictures; empty: the only one'),
    DeclareLaunchArgument(
        'camera_info', default_value='',
        description='Topic of their calibration; empty: the one beside the pictures'),
]


def read_bag(context: LaunchContext) -> list[SetLaunchConfiguration]:
    """Return what the bag says about the arguments of the nodes, and where it is."""
    name = LaunchConfiguration('bag').perform(context)
    path = Path(name) if Path(name).exists() else find_sample_bag(name)
    wanted = {f'{argument}_topic': LaunchConfiguration(argument).perform(context)
              for argument in ('image', 'camera_info')}
    with BagReader(path) as bag:
        topics = choose_topics(bag, ReplaySettings(**wanted))
        compressed = topics.image in bag.topics(COMPRESSED_IMAGE)
    found = {
        'bag': str(path),
        'image': topics.image,
        'camera_info': topics.camera_info,
        'imu': topics.imu or 'imu',
        'compressed': str(compressed).lower(),
        'use_sim_time': 'true',
    }
    return [SetLaunchConfiguration(name, value) for name, value in found.items()]


def generate_launch_description() -> LaunchDescription:
    """Return player and nodes, which end with the last message."""
    return LaunchDescription([
        *ARGUMENTS,
        OpaqueFunction(function=read_bag),
        IncludeLaunchDescription(str(HERE / 'deepsight.launch.py')),
        Node(
            package='deepsight_ros',
            executable='bag_player',
            arguments=[LaunchConfiguration('bag'), '--rate', LaunchConfiguration('rate')],
            additional_env=profile_environment(),
            output='screen',
            on_exit=Shutdown(reason='the bag is over'),
        ),
    ])
