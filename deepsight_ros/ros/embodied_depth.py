"""The ``embodied_depth`` node: pictures in, metric depth out."""

from __future__ import annotations

import gc
from pathlib import Path
import time
import traceback
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines.build import Build
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.frames import EmbodiedDepthFrames
from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.pictures import PictureError
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle
from deepsight_ros.ros.diagnostics import Diagnostics
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.lifecycle import reported
from deepsight_ros.ros.notices import Notices
from deepsight_ros.ros.outputs import EmbodiedDepthOutputs
from deepsight_ros.ros.parameters import Declared
from deepsight_ros.ros.parameters import EmbodiedDepthParameters
from deepsight_ros.ros.picture_stream import Job
from deepsight_ros.ros.picture_stream import PictureStream
from deepsight_ros.ros.status import EmbodiedDepthStatus
from deepsight_ros.ros.transforms import Tf2Transforms

BAD_INPUT = (CameraError, EngineError, GroundError, PictureError)
"""Errors of one picture; the message names cause and remedy."""


class EmbodiedDepthNode(LifecycleNode):
    """Lifecycle, and one picture after the other in the worker's thread."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare the parameters; nothing is loaded before configure."""
        super().__init__('embodied_depth', **node_arguments)
        self.problem = ''
        """Why the last transition or picture failed; for diagnostics."""
        self._declared = Declared(
            self, EmbodiedDepthParameters, lambda: self._outputs is not None)
        self._notices = Notices(self.get_logger())
        self._segmentation: Segmentation | None = None
        self._transforms: Tf2Transforms | None = None
        self._upgrade: EngineUpgrade | None = None
        self._outputs: EmbodiedDepthOutputs | None = None
        self._stream: PictureStream | None = None
        self._last_frame: Frame | None = None
        self._status = EmbodiedDepthStatus()
        self._diagnostics = Diagnostics(self, self._describe)

    def start(self) -> None:
        """Configure and activate if the parameter ``autostart`` says so."""
        if not self.get_parameter('autostart').value:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    @reported(undo=lambda node: node._release())
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the bundle and create the publishers."""
        settings = self._declared.read(EmbodiedDepthParameters)
        self._settings = settings
        self._transforms = self._create_transforms()
        self._extrinsics = Extrinsics(
            height=settings.camera_height, pitch=settings.camera_pitch,
            roll=settings.camera_roll, ground_frame=settings.ground_frame,
            transforms=self._transforms)
        bundle = find_bundle(settings.segmentation_bundle)
        self._segmentation = Segmentation.load(
            bundle, threads=settings.segmentation_threads, **settings.engine_options())
        engine = self._segmentation.engine
        engine.warm_up()
        if settings.build_engine and not engine.backend.startswith('tensorrt'):
            self._upgrade = self._start_upgrade(bundle)
        self._outputs = EmbodiedDepthOutputs(self, settings.max_range)
        self.problem = ''
        self.get_logger().info(
            f'configured: {engine.manifest.name} {engine.manifest.version} on {engine.backend} '
            f'({engine.reason}), licence: {engine.manifest.licence}')
        return super().on_configure(state)

    @reported(undo=lambda node: node._stop())
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start to work."""
        settings = self._settings
        assert self._segmentation is not None
        self._frames = EmbodiedDepthFrames(
            self._segmentation, self._extrinsics, rectified=settings.rectified,
            refine_ground=settings.refine_ground, max_range=settings.max_range)
        self._frames.warm_up()
        if self._transforms is not None:
            self._transforms.open()
        self._stream = PictureStream(self, self._process, self._on_imu,
                                     compressed=settings.compressed,
                                     exact=settings.camera_info_exact)
        self.get_logger().info(f'active: waiting for pictures on {self._stream.topic}')
        return super().on_activate(state)

    @reported(undo=lambda node: node._stop())
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and finish the picture in work."""
        self._stop()
        self.problem = ''
        return super().on_deactivate(state)

    @reported(undo=lambda node: node._release())
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the bundle and the publishers."""
        self._release()
        return super().on_cleanup(state)

    @reported(undo=lambda node: node._release())
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, from whatever state."""
        self._release()
        return super().on_shutdown(state)

    def destroy_node(self) -> None:
        """Join the worker before anything that it uses goes away."""
        self._release()
        super().destroy_node()

    def _start_upgrade(self, bundle: Path) -> EngineUpgrade:
        cache = self._settings.engine_options()['cache']
        self.get_logger().info('building a TensorRT plan; ONNX Runtime serves meanwhile, '
                               'progress is on /diagnostics')
        return EngineUpgrade(Build(bundle, cache=cache),
                             lambda plan: load_engine(bundle, 'tensorrt', cache=cache),
                             self.get_logger())

    def _create_transforms(self) -> Tf2Transforms | None:
        if not self._settings.ground_frame:
            return None
        if not Tf2Transforms.is_available():
            self.get_logger().info('tf2_ros is not installed: the ground comes from imu or '
                                   'camera_height, camera_pitch and camera_roll')
            return None
        return Tf2Transforms(self, self._settings.tf_timeout)

    def _stop(self) -> None:
        """Undo activate; fine in any state."""
        if self._transforms is not None:
            self._transforms.close()
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._last_frame = None

    def _release(self) -> None:
        """Undo configure and activate; fine in any state."""
        self._stop()
        if self._upgrade is not None:
            self._upgrade.stop()
        if self._outputs is not None:
            self._outputs.destroy()
        if self._segmentation is not None:
            self._segmentation.engine.close()
        self._outputs = self._segmentation = self._transforms = self._upgrade = None

    def _on_imu(self, message: Imu) -> None:
        try:
            self._extrinsics.add_imu(message)
        except GroundError as error:
            self._notices.error('imu', str(error))

    def _process(self, job: Job) -> None:
        """Work on one picture; runs in the worker's thread."""
        assert self._outputs is not None and self._stream is not None
        statistics = self._stream.statistics
        try:
            self._change_engine()
            wanted = self._outputs.wanted()
            if not wanted:
                statistics.skip()
                return
            frame = self._frames(job.picture, job.info)
            for cause, text in frame.warnings.items():
                self._notices.warning(cause, text)
            started = time.perf_counter()
            self._outputs.publish(frame, job.picture.header, wanted)
            published = time.perf_counter()
        except Exception as error:
            statistics.fail()
            self._complain(error)
            return
        seconds = {**frame.seconds, 'publish': published - started,
                   'latency': time.monotonic() - job.received}
        age = self._age(job.picture.header)
        statistics.publish(seconds if age is None else {**seconds, 'frame_age': age})
        self.problem = ''
        self._last_frame = frame

    def _change_engine(self) -> None:
        """Take the engine that was built meanwhile; no call is in progress."""
        assert self._segmentation is not None
        engine = self._upgrade.take() if self._upgrade is not None else None
        if engine is not None:
            old, self._segmentation.engine = self._segmentation.engine, engine
            old.close()
            self.get_logger().info(f'{engine.manifest.name} now runs on {engine.backend}')

    def _complain(self, error: Exception) -> None:
        """Report what is wrong with a picture, once per period and kind."""
        if not self.context.ok():
            return  # a signal came while the picture was in work
        if isinstance(error, BAD_INPUT):
            self.problem = str(error)
        else:
            self.problem = ('defect, please report:\n'
                            + ''.join(traceback.format_exception(error)))
        self._notices.error(type(error).__name__, self.problem)

    def _age(self, header: Header) -> float | None:
        """Seconds between the picture's stamp and now, in ROS time; None before time starts."""
        now = self.get_clock().now().nanoseconds * 1e-9
        return now - header.stamp.sec - header.stamp.nanosec * 1e-9 if now else None

    def _describe(self) -> Status:
        return self._status.describe(
            self.problem, self._segmentation, self._stream, self._last_frame, self._upgrade)


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    rclpy.init(args=args)
    node = EmbodiedDepthNode()
    try:
        node.start()
        # A full collection of what start left behind takes 25 ms: a picture would be lost.
        gc.collect()
        gc.freeze()
        if rclpy.ok():
            rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if rclpy.ok():  # else a signal came in the middle of a transition
            raise
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
