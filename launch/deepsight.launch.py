"""Start every node of deepsight_ros, and RViz on request."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PythonExpression
from launch_ros.actions import Node

from deepsight_ros.resources import find_config

HERE = Path(__file__).resolve().parent


def generate_launch_description() -> LaunchDescription:
    """Return the nodes; the arguments of their own launch files work here too."""
    depth = LaunchConfiguration('depth')
    return LaunchDescription([
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=['true', 'false'],
            description='Also start RViz with the layout of this package'),
        DeclareLaunchArgument(
            'depth', default_value='',
            description='Topic of a depth camera to ask about; empty: start embodied depth and '
                        'ask about that'),
        IncludeLaunchDescription(
            str(HERE / 'embodied_depth.launch.py'),
            condition=IfCondition(PythonExpression(["not '", depth, "'"]))),
        IncludeLaunchDescription(str(HERE / 'spatial_language.launch.py')),
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', str(find_config('deepsight.rviz'))],
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
    ])
