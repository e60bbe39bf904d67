"""The ground in front of a camera as a plane, and the metric depth that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
import math
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import GroundError

HEIGHT_SIGMA: Final = 0.02
"""Default 1-sigma of the camera's height in metres: a tape measure and tyre load ..."""
RELATIVE_HEIGHT_SIGMA: Final = 0.05
"""... and its largest share of the height: low cameras are measured with more care."""
ANGLE_SIGMA: Final = math.radians(0.25)
"""Default 1-sigma of pitch and roll in radians: suspension and small slopes while driving."""
MOUNT_SIGMA: Final = math.radians(2.0)
"""Default 1-sigma of the mount's pitch in radians: a camera set by hand."""
TRANSFORM_SIGMA: Final = math.radians(1.0)
"""The same where it comes from a transform: a robot is not quite like its drawing."""
GRAVITY_SIGMA: Final = math.radians(1.5)
"""The same where it comes from gravity, to which ground is level up to this (2.5 %)."""
MAX_RELATIVE_SIGMA: Final = 0.25
"""Default horizon cut-off: beyond this relative uncertainty ground depth says nothing."""


@dataclass(frozen=True)
class GroundPlane:
    """
    Ground plane in the camera's optical frame (x right, y down, z forward).

    ``normal`` is the unit vector that points down to the ground, ``height`` (m) the optical
    centre's distance from the plane: its points satisfy ``normal . X = height``. A level camera
    has the normal (0, 1, 0). ``mount_sigma`` (rad) says how wrong pitch and roll may be for good,
    the other sigmas what is unknown in each picture besides; a ``height_sigma`` of 0 stands for
    the default. Source: Vision-Language Embodiment (CVPR 2025), embodied road depth.
    """

    normal: tuple[float, float, float]
    height: float
    height_sigma: float = 0.0
    pitch_sigma: float = ANGLE_SIGMA
    roll_sigma: float = ANGLE_SIGMA
    mount_sigma: float = MOUNT_SIGMA

    def __post_init__(self) -> None:
        """Normalise the normal; reject a camera on or below the ground."""
        normal = np.asarray(self.normal, np.float64)
        length = float(np.linalg.norm(normal))
        if normal.shape != (3,) or not math.isfinite(length) or length < 1e-9:
            raise GroundError(f'ground normal {self.normal} is no direction; check the gravity '
                              'vector or the transform to the ground frame')
        if not (math.isfinite(self.height) and self.height > 0):
            raise GroundError(f'camera height is {self.height:g} m, must be above the ground; set '
                              'camera_height or fix the transform to ground_frame')
        if not self.height_sigma:
            sigma = min(HEIGHT_SIGMA, RELATIVE_HEIGHT_SIGMA * self.height)
            object.__setattr__(self, 'height_sigma', sigma)
        x, y, z = (normal / length).tolist()
        object.__setattr__(self, 'normal', (x, y, z))

    @classmethod
    def from_height(cls, height: float, pitch: float = 0.0, roll: float = 0.0) -> GroundPlane:
        """
        Ground of a camera ``height`` metres up.

        ``pitch`` (rad) is positive when the camera looks down, ``roll`` (rad) when its right side
        is down; pitch turns first, as REP-103's roll about the forward axis has it. Raises
        ``GroundError`` for a height that is not positive and angles that are not finite.
        """
        normal = (math.cos(pitch) * math.sin(roll), math.cos(pitch) * math.cos(roll),
                  math.sin(pitch))
        return cls(normal, height)

    @classmethod
    def from_transform(cls, ground_from_camera: npt.NDArray[Any]) -> GroundPlane:
        """
        Ground ``z = 0`` of a frame with z up (REP-105 base_footprint).

        ``ground_from_camera`` [4, 4] takes points of the optical frame to that frame. Raises
        ``GroundError`` if it is not rigid, or the camera not above the ground.
        """
        transform = np.asarray(ground_from_camera, np.float64)
        if transform.shape != (4, 4) or not np.isfinite(transform).all():
            raise GroundError('transform to the ground frame is not a finite 4x4 matrix')
        rotation = transform[:3, :3]
        is_orthogonal = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4)
        if not is_orthogonal or np.linalg.det(rotation) < 0:
            raise GroundError('transform to the ground frame does not hold a rotation; fix its '
                              'publisher')
        down = -rotation[2]
        normal = float(down[0]), float(down[1]), float(down[2])
        return cls(normal, float(transform[2, 3]), mount_sigma=TRANSFORM_SIGMA)

    @classmethod
    def from_gravity(cls, gravity: npt.NDArray[Any], height: float) -> GroundPlane:
        """
        Level ground below a camera that feels ``gravity`` [3] (pointing down, any length).

        ``height`` (m) is that of the camera. Raises ``GroundError`` for a gravity that is no
        direction and a height that is not positive.
        """
        gravity = np.asarray(gravity, np.float64)
        if gravity.shape != (3,):
            raise GroundError(f'gravity has the shape {gravity.shape}, expected (3,)')
        return cls((float(gravity[0]), float(gravity[1]), float(gravity[2])), height,
                   mount_sigma=GRAVITY_SIGMA)

    @classmethod
    def fit(
        cls,
        points: npt.NDArray[Any],
        *,
        initial: GroundPlane | None = None,
        tolerance: float = 0.1,
    ) -> GroundPlane:
        """
        Fit the plane to points [N, 3] (m, optical frame), most of them on the ground.

        Points farther than ``tolerance`` (m) from the plane are outliers. The search starts from
        ``initial`` if given, else from the best of 200 planes through three points (seeded).
        Raises ``GroundError`` if the points define no plane below the camera.
        """
        points = np.asarray(points, np.float64)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) < 3:
            raise GroundError(f'{len(points)} finite points do not define a ground plane')
        if initial is None:
            normal, height = _best_of_samples(points, tolerance)
        else:
            normal, height = np.array(initial.normal), initial.height
        for _ in range(10):
            inliers = points[np.abs(points @ normal - height) < tolerance]
            if len(inliers) < 3:
                raise GroundError('no ground plane within the tolerance; too few ground points')
            centre = inliers.mean(axis=0)
            normal_new = np.linalg.svd(inliers - centre, full_matrices=False)[2][2]
            normal_new *= np.sign(normal_new @ centre) or 1.0
            change = float(np.abs(normal_new - normal).max())
            normal, height = normal_new, float(normal_new @ centre)
            if change < 1e-9:
                break
        return cls((float(normal[0]), float(normal[1]), float(normal[2])), height)

    @property
    def pitch(self) -> float:
        """Angle by which the camera looks down, in radians."""
        return math.asin(max(-1.0, min(1.0, self.normal[2])))

    @property
    def roll(self) -> float:
        """Angle by which the camera's right side is down, in radians."""
        return math.atan2(self.normal[0], self.normal[1])

    def tilted(self, pitch: float = 0.0, roll: float = 0.0) -> GroundPlane:
        """Return the plane as seen after the camera's pitch and roll grew by these radians."""
        turned = GroundPlane.from_height(self.height, self.pitch + pitch, self.roll + roll)
        return replace(self, normal=turned.normal)

    def seen_from(self, offset: tuple[float, float, float]) -> GroundPlane:
        """Return the plane for a camera with ``Camera.offset`` instead of the header's frame."""
        return replace(self, height=self.height + float(np.dot(self.normal, offset)))

    def slant(self, camera: Camera) -> FloatImage:
        """``normal . ray`` of each pixel [H, W]; positive below the horizon."""
        nx, ny, nz = (np.float32(value) for value in self.normal)
        slant: FloatImage = np.add.outer(ny * camera.ray_y + nz, nx * camera.ray_x)
        return slant

    def depth(
        self, camera: Camera, *, max_relative_sigma: float = MAX_RELATIVE_SIGMA,
    ) -> FloatImage:
        """
        Depth [H, W] in metres of the ground behind each pixel: ``z = height / (normal . ray)``.

        NaN above the horizon and where the relative uncertainty exceeds ``max_relative_sigma``.
        """
        slant = self.slant(camera)
        with np.errstate(divide='ignore', over='ignore'):
            depth: FloatImage = np.float32(self.height) / slant
        depth[slant < self.smallest_slant(camera, max_relative_sigma)] = np.nan
        return depth

    def smallest_slant(self, camera: Camera, max_relative_sigma: float) -> FloatImage:
        """
        ``normal . ray`` [W] at which the relative uncertainty reaches the limit in each column.

        Near the horizon, where the limit lies, it hardly depends on the row: the first-order
        formula of ``uncertainty`` is solved for the slant there. The mount's error is left out:
        it would cut the ground off a few camera heights away.
        """
        rest = max_relative_sigma**2 - (self.height_sigma / self.height)**2
        if rest <= 0:
            return np.full(camera.width, np.inf, np.float32)
        by_angle = self.pitch_sigma**2 + (self.roll_sigma * camera.ray_x)**2
        limit: FloatImage = np.sqrt(by_angle / rest).astype(np.float32) + np.float32(1e-6)
        return limit

    def slant_variance(self, camera: Camera) -> FloatImage:
        """
        Variance [H, W] of ``slant`` from the sigmas of pitch and roll and the mount's.

        First order: pitch turns the normal about the level axis across the camera, roll about the
        optical axis.
        """
        nx, ny, nz = self.normal
        level = max(math.hypot(nx, ny), 1e-6)
        pitch_sigma = math.hypot(self.pitch_sigma, self.mount_sigma)
        roll_sigma = np.float32(math.hypot(self.roll_sigma, self.mount_sigma))
        variance: FloatImage = np.add.outer(
            np.float32(pitch_sigma * level) - np.float32(pitch_sigma * nz * ny / level)
            * camera.ray_y, np.float32(-pitch_sigma * nz * nx / level) * camera.ray_x)
        np.square(variance, out=variance)
        by_roll = np.add.outer(np.float32(nx) * roll_sigma * camera.ray_y,
                               np.float32(-ny) * roll_sigma * camera.ray_x)
        variance += np.square(by_roll, out=by_roll)
        return variance

    def uncertainty(self, camera: Camera) -> FloatImage:
        """1-sigma [H, W] in metres of ``depth`` from all sigmas; NaN above the horizon."""
        slant = self.slant(camera)
        slant[slant <= 0] = np.nan
        by_height = np.float32(self.height_sigma / self.height)
        by_angle = np.sqrt(self.slant_variance(camera))
        with np.errstate(divide='ignore', over='ignore'):
            depth = np.float32(self.height) / slant
            result: FloatImage = depth * np.hypot(by_height, by_angle / slant)
        return result

    def height_of(self, points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Height [...] in metres above the ground of points [..., 3] in the optical frame."""
        heights: npt.NDArray[np.float64] = self.height - np.asarray(points) @ np.array(self.normal)
        return heights


def _best_of_samples(
    points: npt.NDArray[np.float64], tolerance: float,
) -> tuple[npt.NDArray[np.float64], float]:
    random = np.random.default_rng(0)
    best: tuple[int, npt.NDArray[np.float64], float] | None = None
    for _ in range(200):
        a, b, c = points[random.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-9:
            continue
        normal = normal / length
        normal *= np.sign(normal @ a) or 1.0
        height = float(normal @ a)
        votes = int(np.count_nonzero(np.abs(points @ normal - height) < tolerance))
        if best is None or votes > best[0]:
            best = votes, normal, height
    if best is None:
        raise GroundError('the points lie on a line; they do not define a ground plane')
    return best[1], best[2]
