"""What all nodes of this package share: lifecycle, parameters, extrinsics, complaints."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Callable
import gc
from pathlib import Path
import signal
import time
import traceback
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from deepsight_ros.engines import Engine
from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines.build import Build
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.pictures import PictureError
from deepsight_ros.ros.diagnostics import Diagnostics
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.diagnostics import WARN
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.lifecycle import reported
from deepsight_ros.ros.notices import Notices
from deepsight_ros.ros.parameters import Declared
from deepsight_ros.ros.transforms import Tf2Transforms

BAD_INPUT = (CameraError, EngineError, GroundError, PictureError)
"""Errors of one picture; the message names cause and remedy."""
MEMORY = 5.0
"""Seconds for which diagnostics tell what was wrong with a picture."""


class ManagedNode(LifecycleNode, ABC):
    """
    A node that loads in configure and works while active.

    Those that derive from it say how to load, begin, stop, release, and what to tell on
    /diagnostics.
    """

    def __init__(self, name: str, parameters: type[Any], **node_arguments: Any) -> None:
        """Declare ``parameters``; nothing is loaded before configure."""
        super().__init__(name, **node_arguments)
        self.problem = ''
        """Why the last transition or picture failed; for diagnostics."""
        self._parameter_class = parameters
        self._is_configured = False
        self._declared = Declared(self, parameters, lambda: self._is_configured)
        self._notices = Notices(self.get_logger())
        self._transforms: Tf2Transforms | None = None
        self._extrinsics: Extrinsics | None = None
        self._complaint, self._complained = '', 0.0
        self._diagnostics = Diagnostics(self, self._report)
        self._change_state = self._service_change_state.callback
        self._service_change_state.callback = self._on_change_state

    def start(self) -> None:
        """Configure and activate if the parameter ``autostart`` says so."""
        if not self.get_parameter('autostart').value:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    @reported(undo=lambda node: node._clean())
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, load, and create the publishers."""
        self._settings = self._declared.read(self._parameter_class)
        self._transforms = self._create_transforms()
        self._load()
        self._is_configured = True
        self.problem = ''
        return super().on_configure(state)

    @reported(undo=lambda node: node._halt())
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start to work."""
        if self._transforms is not None:
            self._transforms.open()
        if self._extrinsics is not None:
            self._extrinsics.restart()
        self._begin()
        self.problem = ''
        return super().on_activate(state)

    @reported(undo=lambda node: node._halt())
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and finish what is in work."""
        self._halt()
        self.problem = ''
        return super().on_deactivate(state)

    @reported(undo=lambda node: node._clean())
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free what configure loaded."""
        self._clean()
        return super().on_cleanup(state)

    @reported(undo=lambda node: node._clean())
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, from whatever state."""
        self._clean()
        return super().on_shutdown(state)

    def destroy_node(self) -> None:
        """Join the worker before anything that it uses goes away."""
        self._clean()
        super().destroy_node()

    @abstractmethod
    def _load(self) -> None:
        """Load what ``_settings`` name and create the publishers."""

    @abstractmethod
    def _begin(self) -> None:
        """Subscribe and start the worker."""

    @abstractmethod
    def _stop(self) -> None:
        """Undo ``_begin``; fine in any state."""

    @abstractmethod
    def _release(self) -> None:
        """Undo ``_load``; fine in any state."""

    @abstractmethod
    def _describe(self) -> Status:
        """Return what to say on /diagnostics."""

    def _halt(self) -> None:
        if self._transforms is not None:
            self._transforms.close()
        self._stop()

    def _clean(self) -> None:
        self._halt()
        self._release()
        self._transforms = self._extrinsics = None
        self._is_configured = False

    def _create_transforms(self) -> Tf2Transforms | None:
        if not self._settings.ground_frame:
            return None
        if not Tf2Transforms.is_available():
            self.get_logger().info('tf2_ros is not installed: the ground comes from imu or '
                                   'camera_height, camera_pitch and camera_roll')
            return None
        return Tf2Transforms(self, self._settings.tf_timeout)

    def _create_extrinsics(self) -> Extrinsics:
        settings = self._settings
        return Extrinsics(
            height=settings.camera_height, pitch=settings.camera_pitch,
            roll=settings.camera_roll, ground_frame=settings.ground_frame,
            transforms=self._transforms)

    def _upgrade_if_wanted(self, engine: Engine, bundle: Path) -> EngineUpgrade | None:
        """Build the plan that ``engine`` would rather be, if the parameters say so."""
        if not self._settings.build_engine or engine.backend.startswith('tensorrt'):
            return None
        self.get_logger().info(f'building a TensorRT plan of {engine.manifest.name}; ONNX Runtime '
                               'serves meanwhile, progress is on /diagnostics')
        return self._start_upgrade(bundle)

    def _start_upgrade(self, bundle: Path) -> EngineUpgrade:
        cache = self._settings.engine_options()['cache']
        return EngineUpgrade(Build(bundle, cache=cache),
                             lambda plan: load_engine(bundle, 'tensorrt', cache=cache),
                             self.get_logger())

    def _on_change_state(self, request: Any, response: Any) -> Any:
        state = self._state_machine.current_state[1]
        try:
            return self._change_state(request, response)
        except rclpy_implementation.RCLError:  # would end the node: ros2/rclpy#1209
            wanted = request.transition.label or request.transition.id
            self.get_logger().error(f'transition {wanted} is refused: there is none from {state}')
            response.success = False
            return response

    def _report(self) -> Status:
        state = self._state_machine.current_state[1]
        if state == 'finalized':
            return WARN, 'finalized: only a new process can work again', {'state': state}
        if self.problem == self._complaint and time.monotonic() - self._complained > MEMORY:
            self.problem = ''
        return self._describe()

    def _imu_callback(self) -> Callable[[Imu], None] | None:
        # A fast IMU costs a quarter of a core, and without the height gravity is of no use.
        return self._on_imu if self._settings.camera_height > 0 else None

    def _on_imu(self, message: Imu) -> None:
        if self._extrinsics is None:
            return
        try:
            self._extrinsics.add_imu(message)
        except GroundError as error:
            self._notices.error('imu', str(error))

    def _complain(self, error: Exception) -> None:
        """Report what is wrong with a picture, once per period and kind."""
        if not self.context.ok():
            return  # a signal came while the picture was in work
        if isinstance(error, BAD_INPUT):
            self.problem = str(error)
        else:
            self.problem = ('defect, please report:\n'
                            + ''.join(traceback.format_exception(error)))
        self._complaint, self._complained = self.problem, time.monotonic()
        self._notices.error(type(error).__name__, self.problem)

    def _age(self, header: Header) -> float | None:
        """Seconds between the picture's stamp and now, in ROS time; None before time starts."""
        now = self.get_clock().now().nanoseconds * 1e-9
        return now - header.stamp.sec - header.stamp.nanosec * 1e-9 if now else None


def run_node(create: Callable[[], ManagedNode], args: list[str] | None) -> None:
    """Run a node until SIGINT or SIGTERM."""
    rclpy.init(args=args)
    node = create()
    try:
        try:
            node.start()
            # A full collection of what start left behind takes 25 ms: a picture would be lost.
            gc.collect()
            gc.freeze()
            if rclpy.ok():
                rclpy.spin(node)
        finally:
            # Ctrl-C reaches a node from the terminal and once more from launch; a second one that
            # comes before this line is done is caught below as the first one is.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if rclpy.ok():  # else a signal came in the middle of a transition
            raise
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
