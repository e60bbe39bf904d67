"""What every data set yields: a picture, its camera, the ground below it, and the true depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Protocol

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane


@dataclass(frozen=True, eq=False)
class Frame:
    """
    One picture of a data set with everything that is known about it.

    ``image`` uint8 [H, W, 3] RGB, rectified; ``camera`` describes it. ``ground`` is the prior for
    the ground plane in the camera's optical frame: from nominal extrinsics or a pose, never from
    ``truth``. ``truth`` float32 is either sparse [N, 3] (column, row, depth in metres; columns and
    rows may be fractions) or dense [H, W] (metres, NaN where unknown). ``labels`` uint8 [H, W] are
    ``SceneClass`` ids, ``pose`` [4, 4] takes points of the optical frame to a world frame,
    ``imu`` holds specific force (m/s^2) and angular rates (rad/s), [3] each, in frame
    ``frame_id``.
    """

    name: str
    stamp_ns: int
    frame_id: str
    image: npt.NDArray[np.uint8]
    camera: Camera
    ground: GroundPlane
    truth: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8] | None = None
    pose: npt.NDArray[np.float64] | None = None
    imu: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None

    def truth_points(self) -> npt.NDArray[np.float32]:
        """Ground truth [N, 3]: column, row, depth in metres; all finite, all in the picture."""
        if self.truth.shape == self.image.shape[:2]:
            return dense_to_points(self.truth)
        return self.truth


class Dataset(Protocol):
    """Frames in a fixed order; each is read when asked for."""

    max_depth: float
    """Metres: ground truth beyond is not scored."""
    is_sequence: bool
    """Whether neighbouring frames follow each other in time."""
    ground_is_exact: bool
    """Whether the frames' ``ground`` is measured, not nominal."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def __getitem__(self, index: int) -> Frame:
        """Read one frame; ``DatasetError`` when a file is missing or broken."""
        ...


def dense_to_points(depth: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Points [N, 3] (column, row, depth) of the finite positive pixels of a depth map [H, W]."""
    with np.errstate(invalid='ignore'):
        rows, columns = np.nonzero(np.isfinite(depth) & (depth > 0))
    points = np.empty((len(rows), 3), np.float32)
    points[:, 0], points[:, 1], points[:, 2] = columns, rows, depth[rows, columns]
    return points
