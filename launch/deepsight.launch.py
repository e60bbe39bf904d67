"""Start every node of deepsight_ros, and RViz on request."""

from pathlib import Path

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackagePrefix

from deepsight_ros.resources import find_config

HERE = Path(__file__).resolve().parent
SHOWN = ('embodied_depth/preview', 'embodied_depth/image', 'embodied_depth/camera_info',
         'answer/markers')


def check_rviz(context: LaunchContext) -> None:
    """Fail while nothing runs yet: launch leaves behind what it has started."""
    try:
        FindPackagePrefix('rviz2').perform(context)
    except LookupError as error:
        raise RuntimeError('rviz:=true needs RViz; apt install ros-$ROS_DISTRO-rviz2') from error


def generate_launch_description() -> LaunchDescription:
    """Return the nodes; the arguments of their own launch files work here too."""
    depth = LaunchConfiguration('depth')
    wants_rviz = IfCondition(LaunchConfiguration('rviz'))
    return LaunchDescription([
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=['true', 'false'],
            description='Also start RViz with the layout of this package'),
        DeclareLaunchArgument(
            'depth', default_value='',
            description='Topic of a depth camera to ask about; empty: start embodied depth and '
                        'ask about that'),
        OpaqueFunction(function=check_rviz, condition=wants_rviz),
        IncludeLaunchDescription(
            str(HERE / 'embodied_depth.launch.py'),
            condition=IfCondition(PythonExpression(["not '", depth, "'"]))),
        IncludeLaunchDescription(str(HERE / 'spatial_language.launch.py')),
        Node(
            package='rviz2',
            executable='rviz2',
            namespace=LaunchConfiguration('namespace'),
            arguments=['-d', str(find_config('deepsight.rviz'))],
            parameters=[{'use_sim_time': ParameterValue(
                LaunchConfiguration('use_sim_time'), value_type=bool)}],
            # The layout has absolute names; relative ones follow the namespace.
            remappings=[('/image', LaunchConfiguration('image', default='image')),
                        *((f'/{topic}', topic) for topic in SHOWN)],
            condition=wants_rviz,
        ),
    ])
