"""The ``embodied_depth`` node: pictures in, metric depth out."""

from __future__ import annotations

import time
from typing import Any

from deepsight_ros.geometry import CameraError
from deepsight_ros.perception.frames import EmbodiedDepthFrames
from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.managed_node import ManagedNode
from deepsight_ros.ros.managed_node import run_node
from deepsight_ros.ros.outputs import EmbodiedDepthOutputs
from deepsight_ros.ros.parameters import EmbodiedDepthParameters
from deepsight_ros.ros.picture_stream import Job
from deepsight_ros.ros.picture_stream import PictureStream
from deepsight_ros.ros.status import EmbodiedDepthStatus


class EmbodiedDepthNode(ManagedNode):
    """One picture after the other in the worker's thread."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare the parameters; nothing is loaded before configure."""
        super().__init__('embodied_depth', EmbodiedDepthParameters, **node_arguments)
        self._segmentation: Segmentation | None = None
        self._upgrade: EngineUpgrade | None = None
        self._outputs: EmbodiedDepthOutputs | None = None
        self._stream: PictureStream | None = None
        self._last_frame: Frame | None = None
        self._status = EmbodiedDepthStatus()

    def _load(self) -> None:
        settings = self._settings
        self._extrinsics = self._create_extrinsics()
        bundle = find_bundle(settings.segmentation_bundle)
        self._segmentation = Segmentation.load(
            bundle, threads=settings.segmentation_threads, **settings.engine_options())
        engine = self._segmentation.engine
        engine.warm_up()
        self._upgrade = self._upgrade_if_wanted(engine, bundle)
        self._outputs = EmbodiedDepthOutputs(self, settings.max_range)
        self.get_logger().info(
            f'configured: {engine.manifest.name} {engine.manifest.version} on {engine.backend} '
            f'({engine.reason}), licence: {engine.manifest.licence}')

    def _begin(self) -> None:
        settings = self._settings
        assert self._segmentation is not None and self._extrinsics is not None
        self._frames = EmbodiedDepthFrames(
            self._segmentation, self._extrinsics, rectified=settings.rectified,
            refine_ground=settings.refine_ground, max_range=settings.max_range,
            topic=self.resolve_topic_name('image'))
        self._frames.warm_up()
        self._stream = PictureStream(self, self._process, self._imu_callback(),
                                     compressed=settings.compressed,
                                     exact=settings.camera_info_exact)
        self.get_logger().info(f'active: waiting for pictures on {self._stream.topic}')

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._last_frame = None

    def _release(self) -> None:
        if self._upgrade is not None:
            self._upgrade.stop()
        if self._outputs is not None:
            self._outputs.destroy()
        if self._segmentation is not None:
            self._segmentation.engine.close()
        self._outputs = self._segmentation = self._upgrade = None

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
            if job.info is None:
                raise CameraError(f'no camera_info for this picture; {self._stream.info_remedy}')
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

    def _describe(self) -> Status:
        return self._status.describe(
            self.problem, self._segmentation, self._stream, self._last_frame, self._upgrade)


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(EmbodiedDepthNode, args)


if __name__ == '__main__':
    main()
