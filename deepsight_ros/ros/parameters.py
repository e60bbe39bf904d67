"""Parameters of the nodes: declared with description and range, read in configure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import math
from typing import Any
from typing import TypeVar

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from deepsight_ros.engines import engine_options

_Parameters = TypeVar('_Parameters')


class ParameterError(ValueError):
    """A parameter has a value that cannot be used."""


def parameter(
    default: Any,
    description: str,
    *,
    limits: tuple[float, float] | None = None,
    read_only: bool = False,
) -> Any:
    """Return a dataclass field that ``Declared`` turns into a ROS parameter."""
    return field(default=default, metadata={
        'description': description, 'limits': limits, 'read_only': read_only})


@dataclass(frozen=True)
class EngineParameters:
    """Parameters of every node that runs models."""

    backend: str = parameter(
        'auto', 'What runs the models: onnxruntime, tensorrt, or auto, which is TensorRT where a '
        'verified plan is in the cache')
    providers: str = parameter(
        '', 'Execution providers of ONNX Runtime with their options, such as '
        'CUDAExecutionProvider:device_id=1 CPUExecutionProvider; empty: the best installed')
    build_engine: bool = parameter(
        False, 'Build a missing TensorRT plan while ONNX Runtime serves, then change over')
    cache_dir: str = parameter(
        '', 'Folder of plans and optimised graphs; empty: DEEPSIGHT_CACHE, or deepsight in '
        'XDG_CACHE_HOME or ~/.cache')

    def engine_options(self) -> dict[str, Any]:
        """Return what ``load_engine`` takes; raises ``EngineError`` and ``ParameterError``."""
        options = engine_options(self.backend, self.providers, self.cache_dir)
        if not self.build_engine:
            return options
        if self.backend == 'onnxruntime':
            raise ParameterError('build_engine builds a plan for TensorRT, and backend is '
                                 'onnxruntime; set build_engine to false or backend to auto')
        # The plan may still have to be built; until then ONNX Runtime serves.
        return {**options, 'backend': 'auto'}


@dataclass(frozen=True)
class NodeParameters(EngineParameters):
    """Parameters of every node: its start, its calibration and where the ground is."""

    autostart: bool = parameter(
        True, 'Configure and activate at start; false when a lifecycle manager does it',
        read_only=True)
    camera_info_exact: bool = parameter(
        False, "Use only the camera_info with the picture's stamp; false: the last one received")
    camera_height: float = parameter(
        0.0, 'Height of the lens above the ground in m; 0: unknown, transforms are needed',
        limits=(0.0, 100.0))
    camera_pitch: float = parameter(
        0.0, 'Angle by which the camera looks down in rad, without transforms and IMU',
        limits=(-math.pi / 2, math.pi / 2))
    camera_roll: float = parameter(
        0.0, "Angle by which the camera's right side is down in rad, without transforms and IMU",
        limits=(-math.pi, math.pi))
    ground_frame: str = parameter(
        'base_footprint', 'Frame whose z = 0 is the ground; empty: transforms are not used')
    tf_timeout: float = parameter(
        0.1, "Longest wait for the transform at a picture's stamp in s", limits=(0.0, 10.0))


@dataclass(frozen=True)
class EmbodiedDepthParameters(NodeParameters):
    """Parameters of the ``embodied_depth`` node."""

    segmentation_bundle: str = parameter(
        'scene_segmentation_nano', 'Name or folder of the segmentation bundle')
    segmentation_threads: int = parameter(
        1, 'Threads of the segmentation network', limits=(1, 64))
    rectified: bool = parameter(
        True, 'Pictures are rectified: P is used, D and R are ignored. false: they are raw, K and '
        'D are used, and what is published is rectified: NaN and label 0 where they show nothing')
    compressed: bool = parameter(
        False, 'Subscribe to CompressedImage (JPEG or PNG) instead of Image; remap image to the '
        'topic that ends in compressed')
    refine_ground: bool = parameter(
        True, "Correct the ground's pitch and height from the picture itself")
    max_range: float = parameter(
        80.0, 'Depth in m beyond which +Inf is published', limits=(1.0, 1000.0))


@dataclass(frozen=True)
class SpatialLanguageParameters(NodeParameters):
    """Parameters of the ``spatial_language`` node."""

    language_bundle: str = parameter(
        'deepsight_nano', 'Name or folder of the bundle that answers')
    language_threads: int = parameter(
        1, 'Threads of the networks that answer', limits=(1, 64))
    robot_width: float = parameter(
        0.6, 'Width in m of the volume that the robot sweeps', limits=(0.01, 100.0))
    robot_height: float = parameter(
        1.2, 'Height in m of that volume above the ground', limits=(0.01, 100.0))
    min_obstacle_height: float = parameter(
        0.1, 'Height in m above the ground below which nothing is an obstacle',
        limits=(0.001, 10.0))
    max_frame_age: float = parameter(
        1.0, 'Age in s by its stamp beyond which a depth image is stale; 0: any age will do',
        limits=(0.0, 1e9))
    deadline: float = parameter(
        30.0, 'Longest wait in s for an answer to a question that gives no deadline_s',
        limits=(0.001, 1e9))
    max_questions: int = parameter(
        100, 'Questions that may wait; more are rejected', limits=(1, 1000))


class Declared:
    """
    The parameters of a dataclass, declared on a node.

    A value from the command line or a file that has the wrong type or is out of range does not
    end the process: ``read`` refuses it, until it is set anew. While ``is_in_use`` says so,
    changes are refused, since they would have no effect.
    """

    def __init__(
        self, node: Node, parameters: type[Any], is_in_use: Callable[[], bool],
    ) -> None:
        """Declare all fields of ``parameters`` on ``node``."""
        self._node = node
        self._fields = fields(parameters)
        self._is_in_use = is_in_use
        self._refused: dict[str, str] = {}
        for item in self._fields:
            descriptor = _descriptor(item)
            try:
                node.declare_parameter(item.name, item.default, descriptor)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                self._refused[item.name] = f'parameter {item.name}: {error}'
                node.declare_parameter(
                    item.name, item.default, descriptor, ignore_override=True)
        node.add_on_set_parameters_callback(self._on_set)

    def read(self, parameters: type[_Parameters]) -> _Parameters:
        """Return the current values; raises ``ParameterError``."""
        for problem in self._refused.values():
            raise ParameterError(f'{problem}; set it to a value that fits and configure again')
        names = [item.name for item in self._fields]
        values = {name: self._node.get_parameter(name).value for name in names}
        return parameters(**values)

    def _on_set(self, changed: list[Parameter]) -> SetParametersResult:
        own = [item.name for item in changed if item.name in {f.name for f in self._fields}]
        if own and self._is_in_use():
            return SetParametersResult(successful=False, reason=(
                f'{", ".join(own)}: parameters are read in configure; deactivate and clean up '
                'the node first'))
        for name in own:
            self._refused.pop(name, None)
        return SetParametersResult(successful=True)


def _descriptor(item: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=item.metadata['description'], read_only=item.metadata['read_only'])
    limits = item.metadata['limits']
    if limits and isinstance(item.default, int):
        descriptor.integer_range = [IntegerRange(from_value=limits[0], to_value=limits[1])]
    elif limits:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=limits[0], to_value=limits[1])]
    return descriptor
