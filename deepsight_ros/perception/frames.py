"""Messages in, embodied depth out: what the node and replay do with each picture."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any
from typing import Final

import numpy as np

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.perception.embodied_depth import EmbodiedDepth
from deepsight_ros.perception.embodied_depth import EmbodiedResult
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.extrinsics import GroundEstimate
from deepsight_ros.perception.extrinsics import Source
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import RgbImage
from deepsight_ros.perception.pictures import to_rgb
from deepsight_ros.perception.segmentation import Segmentation

_SPARSE: Final = 8
_REMEDIES: Final[dict[Source, str]] = {
    'transform': 'check the transform to ground_frame',
    'gravity': 'check the signs of the imu (REP-145: +g upwards on the z axis of a level one) and '
               'the transform to its frame',
    'parameters': 'check camera_pitch and camera_roll',
}


@dataclass(frozen=True)
class Frame:
    """Everything that is known about one picture."""

    image: RgbImage
    """Rectified picture [H, W, 3]."""
    camera: Camera
    ground: GroundEstimate
    """Ground as the extrinsics have it; ``result.ground`` is the refined plane."""
    result: EmbodiedResult
    seconds: dict[str, float]
    """Time per stage: decode, extrinsics, segmentation, refinement, embodied."""
    warnings: dict[str, str]
    """What a user should know, by cause; about a calibration only with its first picture."""


class EmbodiedDepthFrames:
    """
    The chain from an Image (or CompressedImage) and a CameraInfo to embodied depth.

    Messages may come from rclpy or rosbags. Keeps what depends on the calibration until it
    changes. Not thread safe.
    """

    def __init__(
        self,
        segmentation: Segmentation,
        extrinsics: Extrinsics,
        *,
        rectified: bool = True,
        refine_ground: bool = True,
        max_range: float = 80.0,
        topic: str = '',
    ) -> None:
        """Take the loaded parts, the node's parameters and the name of the pictures' topic."""
        self._segmentation = segmentation
        self._extrinsics = extrinsics
        self._rectified = rectified
        self._refine_ground = refine_ground
        self._max_range = max_range
        self._looks_raw = rectified and topic.removesuffix('/compressed').endswith('raw')
        self._calibration: tuple[Any, ...] = ()
        self._pipeline: EmbodiedDepth | None = None
        self._untold: tuple[str, ...] = ()
        self._last_stamp_ns: int | None = None
        self._last_source: Source | None = None

    def warm_up(self) -> None:
        """Run the chain once: libraries set themselves up in their first call, in 15 ms."""
        width, height = 320, 96
        pipeline = self._create_pipeline(
            Camera(width, height, width / 2, width / 2, width / 2, height / 2))
        pipeline(np.zeros((height, width, 3), np.uint8), GroundPlane.from_height(1.0))

    def __call__(self, picture: Any, camera_info: Any) -> Frame:
        """
        Depth of one picture.

        Raises ``PictureError``, ``CameraError``, ``GroundError`` or ``EngineError``; the next
        picture may be fine again.
        """
        started = perf_counter()
        stamp_ns = picture.header.stamp.sec * 1_000_000_000 + picture.header.stamp.nanosec
        pipeline = self._pipeline_for(camera_info)
        image = to_rgb(picture) if hasattr(picture, 'encoding') else decode_compressed(picture)
        image = pipeline.camera.rectify(image)
        decoded = perf_counter()
        ground = self._extrinsics.ground(picture.header.frame_id, stamp_ns)
        prior = ground.plane.seen_from(pipeline.camera.offset)
        located = perf_counter()
        warnings = {'extrinsics': ground.notice} if ground.notice else {}
        if self._last_stamp_ns is not None and stamp_ns < self._last_stamp_ns:
            pipeline.reset()
            warnings['stamps'] = ('stamps jumped back; what was learned from earlier pictures is '
                                  'forgotten')
        if ground.source != self._last_source:
            pipeline.reset()  # What pictures corrected was another source's plane.
        self._last_stamp_ns, self._last_source = stamp_ns, ground.source
        result = pipeline(image, prior, stamp_ns * 1e-9)
        if not np.isfinite(result.scene.depth[::_SPARSE, ::_SPARSE]).any():
            warnings['view'] = (
                'no depth in this picture: no ground is in view; '
                f'{_REMEDIES[ground.source]} (ground by {ground.source}, {prior.height:.3g} m '
                'below the camera)')
        if self._untold:
            warnings['camera_info'] = '; '.join(self._untold)
            self._untold = ()
        seconds = {'decode': decoded - started, 'extrinsics': located - decoded, **result.seconds}
        return Frame(image, pipeline.camera, ground, result, seconds, warnings)

    def _pipeline_for(self, info: Any) -> EmbodiedDepth:
        """Return the pipeline of this calibration; a new one only when it changed."""
        if info is None:
            raise CameraError('no camera_info for this picture; publish it beside the pictures, '
                              'or remap camera_info')
        roi = info.roi
        calibration = (
            info.width, info.height, info.distortion_model, info.binning_x, info.binning_y,
            roi.x_offset, roi.y_offset, roi.width, roi.height,
            # Bytes, as a NaN that nobody reads is another number each time.
            *(np.asarray(values, np.float64).tobytes()
              for values in (info.k, info.d, info.r, info.p)))
        if self._pipeline is None or calibration != self._calibration:
            self._pipeline = None
            camera = Camera.from_camera_info(info, rectified=self._rectified)
            self._pipeline = self._create_pipeline(camera)
            self._calibration = calibration
            self._untold = camera.warnings
            if self._looks_raw and np.any(info.d):
                self._untold += (
                    'pictures of a topic that ends in raw are taken as rectified, but the camera '
                    'has distortion; set rectified to false, or take image_rect',)
        return self._pipeline

    def _create_pipeline(self, camera: Camera) -> EmbodiedDepth:
        return EmbodiedDepth(camera, self._segmentation, refine_ground=self._refine_ground,
                             max_range=self._max_range)
