"""Start ``spatial_language``: questions about the newest depth image, answered in words."""

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from deepsight_ros.resources import find_config
from deepsight_ros.resources import profile_environment

ARGUMENTS = [
    DeclareLaunchArgument(
        'params_file', default_value=str(find_config('deepsight.yaml')),
        description='Parameters of the nodes'),
    DeclareLaunchArgument(
        'camera_height', default_value='',
        description='Height of the lens above the ground in m; empty: as in params_file'),
    DeclareLaunchArgument(
        'namespace', default_value='', description='Namespace of the nodes'),
    DeclareLaunchArgument(
        'depth', default_value='',
        description='Topic of the depth images; empty: embodied_depth/image'),
    DeclareLaunchArgument(
        'depth_info', default_value='',
        description='Topic of their calibration; empty: the camera_info beside them'),
    DeclareLaunchArgument(
        'imu', default_value='imu', description='Topic of gravity, used where TF is not'),
    DeclareLaunchArgument(
        'use_sim_time', default_value='false', choices=['true', 'false'],
        description='Take the time from /clock'),
    DeclareLaunchArgument(
        'autostart', default_value='true', choices=['true', 'false'],
        description='Configure and activate at once; false where a lifecycle manager does it'),
    DeclareLaunchArgument(
        'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error'],
        description='Least severe message to log'),
]
ALWAYS_SET = {'use_sim_time': bool, 'autostart': bool}
SET_IF_GIVEN = {'camera_height': float}


def create_node(context: LaunchContext) -> list[LifecycleNode]:
    """Return the node; arguments that were left empty do not hide the parameter file."""
    given = {name: kind for name, kind in SET_IF_GIVEN.items()
             if LaunchConfiguration(name).perform(context)}
    depth = LaunchConfiguration('depth').perform(context) or 'embodied_depth/image'
    info = LaunchConfiguration('depth_info').perform(context)
    folder, slash, _ = depth.rpartition('/')
    return [LifecycleNode(
        package='deepsight_ros',
        executable='spatial_language',
        name='spatial_language',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            LaunchConfiguration('params_file'),
            {name: ParameterValue(LaunchConfiguration(name), value_type=kind)
             for name, kind in {**ALWAYS_SET, **given}.items()},
        ],
        remappings=[('depth/image', depth),
                    ('depth/camera_info', info or f'{folder}{slash}camera_info'),
                    ('imu', LaunchConfiguration('imu'))],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        additional_env=profile_environment(),
        output='screen',
        emulate_tty=True,
    )]


def generate_launch_description() -> LaunchDescription:
    """Return the node with its arguments."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=create_node)])
