"""Camera model: from CameraInfo fields to the rays of a rectified picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.distortion import Distortion
from deepsight_ros.geometry.errors import CameraError

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """
    Pinhole camera of a rectified picture of ``width`` x ``height`` pixels.

    Optical frame: x right, y down, z forward (REP-103); the centre of the upper left pixel has
    the coordinates (0, 0). ``fx, fy, cx, cy`` are in pixels.

    ``offset`` is the optical centre's translation ``K^-1 P[:, 3]`` in metres: a point ``X`` given
    in the frame of the message header lies at ``X + offset`` as seen from this camera. It is zero
    except for the second camera of a stereo pair and for KITTI's ``P``.

    ``distortion`` is set when the pictures are raw: ``rectify`` then undoes it. ``warnings`` holds
    what a user should be told once about the calibration.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    distortion: Distortion | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Reject sizes and intrinsics that no camera has."""
        if self.width < 1 or self.height < 1:
            raise CameraError(
                f'camera_info: width x height is {self.width}x{self.height}; '
                'publish the size of the pictures',
            )
        for name in ('fx', 'fy', 'cx', 'cy'):
            if not math.isfinite(getattr(self, name)):
                raise CameraError(f'camera_info: {name} is not finite; calibrate the camera')
        for name in ('fx', 'fy'):
            if getattr(self, name) <= 0:
                raise CameraError(
                    f'camera_info: {name} is {getattr(self, name):g}, must be positive; '
                    'the driver publishes no calibration: load one (camera_info_url) or calibrate',
                )

    @classmethod
    def from_camera_info(cls, info: Any, *, rectified: bool = True) -> Camera:
        """
        Camera of a ``sensor_msgs/CameraInfo`` (of rclpy or rosbags).

        See ``from_fields`` for the meaning of ``rectified`` and the errors.
        """
        return cls.from_fields(
            width=info.width,
            height=info.height,
            k=info.k,
            d=info.d,
            r=info.r,
            p=info.p,
            distortion_model=info.distortion_model,
            binning=(info.binning_x, info.binning_y),
            roi=(info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height),
            rectified=rectified,
        )

    @classmethod
    def from_fields(
        cls,
        *,
        width: int,
        height: int,
        k: Sequence[float] | npt.NDArray[Any],
        d: Sequence[float] | npt.NDArray[Any] = (),
        r: Sequence[float] | npt.NDArray[Any] = (),
        p: Sequence[float] | npt.NDArray[Any] = (),
        distortion_model: str = '',
        binning: tuple[int, int] = (0, 0),
        roi: tuple[int, int, int, int] = (0, 0, 0, 0),
        rectified: bool = True,
    ) -> Camera:
        """
        Camera from the fields of a CameraInfo.

        ``k`` [9 or 3x3], ``r`` [9 or 3x3], ``p`` [12 or 3x4] are row-major; ``roi`` is x offset,
        y offset, width, height in full resolution, all zero for the full picture.

        ``rectified=True``: the pictures are rectified; ``p`` is used, ``d`` and ``r`` are ignored;
        a ``p`` of zeros falls back to ``k`` with a warning. ``rectified=False``: the pictures are
        raw; ``k``, ``d`` and ``r`` describe them and ``rectify`` brings them to the returned
        camera. Raises ``CameraError`` naming the field and the remedy.
        """
        matrix = _matrix('K', k, (3, 3))
        projection = _matrix('P', p, (3, 4)) if len(p) else np.zeros((3, 4))
        warnings = []
        if not projection[:, :3].any():
            _check_intrinsics('K', matrix)
            if rectified:
                warnings.append('camera_info: P is all zero, K is used instead; '
                                'publish P if the pictures are rectified')
            projection = np.hstack([matrix, np.zeros((3, 1))])
        _check_intrinsics('P', projection)
        distortion = None
        if not rectified:
            _check_intrinsics('K', matrix)
            rotation = _matrix('R', r, (3, 3)) if len(r) else np.eye(3)
            distortion = Distortion.from_fields(
                distortion_model, np.asarray(d, np.float64).ravel(), matrix, rotation)
        offset = np.linalg.solve(projection[:, :3], projection[:, 3])
        if offset.any():
            warnings.append('camera_info: P has a translation (P[:, 3]); the optical centre is '
                            f'taken {np.round(-offset, 4).tolist()} m from the header frame')
        camera = cls(
            int(width), int(height),
            float(projection[0, 0]), float(projection[1, 1]),
            float(projection[0, 2]), float(projection[1, 2]),
            offset=(float(offset[0]), float(offset[1]), float(offset[2])),
            distortion=distortion,
            warnings=tuple(warnings),
        )
        return camera._cropped(roi)._binned(binning)

    def _cropped(self, roi: tuple[int, int, int, int]) -> Camera:
        x, y, width, height = (int(value) for value in roi)
        if not width and not height:
            return self
        if x + width > self.width or y + height > self.height or not (width and height):
            raise CameraError(f'camera_info: roi {width}x{height}+{x}+{y} does not fit into '
                              f'{self.width}x{self.height}; width and height are those of the '
                              'full picture')
        distortion = self.distortion.cropped(x, y) if self.distortion else None
        return replace(self, width=width, height=height, cx=self.cx - x, cy=self.cy - y,
                       distortion=distortion)

    def _binned(self, binning: tuple[int, int]) -> Camera:
        bin_x, bin_y = (max(int(value), 1) for value in binning)
        if bin_x == bin_y == 1:
            return self
        width, height = self.width // bin_x, self.height // bin_y
        # The columns and rows that are left over belong to no pixel.
        whole = replace(self, width=width * bin_x, height=height * bin_y)
        return whole.scaled(width, height)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, OpenCV's order."""
        return self.width, self.height

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """Intrinsic matrix K [3, 3]."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    @property
    def projection(self) -> npt.NDArray[np.float64]:
        """Projection matrix P = K [I | offset] [3, 4] of the rectified picture."""
        return np.hstack([self.matrix, self.matrix @ np.array(self.offset)[:, None]])

    @cached_property
    def ray_x(self) -> FloatImage:
        """x/z of the ray through each column [W]."""
        return ((np.arange(self.width) - self.cx) / self.fx).astype(np.float32)

    @cached_property
    def ray_y(self) -> FloatImage:
        """y/z of the ray through each row [H]."""
        return ((np.arange(self.height) - self.cy) / self.fy).astype(np.float32)

    @cached_property
    def rays(self) -> FloatImage:
        """Rays (x/z, y/z, 1) of all pixels [H, W, 3]."""
        rays = np.ones((self.height, self.width, 3), np.float32)
        rays[..., 0] = self.ray_x
        rays[..., 1] = self.ray_y[:, None]
        rays.setflags(write=False)
        return rays

    def scaled(self, width: int, height: int) -> Camera:
        """
        Return the camera of the same picture resized to ``width`` x ``height``.

        The picture's corners stay where they are, as ``cv2.resize`` has it, so with pixel centres
        at integers ``cx' = (cx + 1/2) s - 1/2``.
        """
        sx, sy = width / self.width, height / self.height
        distortion = self.distortion.scaled(sx, sy) if self.distortion else None
        return replace(
            self, width=width, height=height, fx=self.fx * sx, fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5, cy=(self.cy + 0.5) * sy - 0.5, distortion=distortion)

    def project(self, points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """
        Pixels and depth (u, v, z) [N, 3] of points [N, 3] in metres in the optical frame.

        The points are seen from the optical centre (add ``offset`` first when they come from the
        header's frame). Points at or behind the camera get NaN.
        """
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise CameraError(f'points: shape {points.shape}, expected (N, 3)')
        z = np.where(points[:, 2] > 0, points[:, 2], np.nan)
        u = self.fx * points[:, 0] / z + self.cx
        v = self.fy * points[:, 1] / z + self.cy
        return np.stack([u, v, z], axis=1)

    def rectify(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """
        Return the rectified picture [H, W, ...] of a raw one; the picture itself if not raw.

        Pixels without source are black.
        """
        if image.shape[:2] != (self.height, self.width):
            raise CameraError(
                f'image is {image.shape[1]}x{image.shape[0]}, camera_info says '
                f'{self.width}x{self.height}; set ROI and binning, or publish the right one')
        if self.distortion is None:
            return image
        return cv2.remap(image, *self._rectify_maps, cv2.INTER_LINEAR)

    @cached_property
    def unseen(self) -> npt.NDArray[np.bool_] | None:
        """Where a rectified picture [H, W] has no source in the raw one; None if nowhere."""
        if self.distortion is None:
            return None
        source = self.rectify(np.full((self.height, self.width), 255, np.uint8))
        unseen: npt.NDArray[np.bool_] = source < 128
        return unseen if unseen.any() else None

    @cached_property
    def _rectify_maps(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        assert self.distortion is not None
        return self.distortion.maps(self.matrix, self.size)


def _matrix(
    name: str, values: Sequence[float] | npt.NDArray[Any], shape: tuple[int, int],
) -> npt.NDArray[np.float64]:
    matrix = np.asarray(values, np.float64)
    if matrix.size != shape[0] * shape[1]:
        raise CameraError(f'camera_info: {name} has {matrix.size} numbers, expected '
                          f'{shape[0] * shape[1]}; fix the calibration file')
    if not np.isfinite(matrix).all():
        raise CameraError(f'camera_info: {name} contains NaN or infinity; '
                          'the driver publishes a broken calibration: load or make a new one')
    return matrix.reshape(shape)


def _check_intrinsics(name: str, matrix: npt.NDArray[np.float64]) -> None:
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise CameraError(
            f'camera_info: {name} has focal lengths {matrix[0, 0]:g}, {matrix[1, 1]:g}, must be '
            'positive; the driver publishes no calibration: load one (camera_info_url) or '
            'calibrate the camera')
    if not np.allclose(matrix[2, :3], (0, 0, 1)):
        raise CameraError(
            f'camera_info: {name} has the third row {matrix[2].tolist()}, must begin with '
            '0, 0, 1; the driver publishes a broken calibration: load or make a new one')
