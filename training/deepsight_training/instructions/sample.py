"""A depth image with everything that questions about it need."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import above_ground
from deepsight_ros.geometry.points import organised_points
from deepsight_ros.geometry.points import Robot
from deepsight_training.instructions.objects import find_things
from deepsight_training.instructions.objects import OTHER
from deepsight_training.instructions.objects import Things

Floats = npt.NDArray[np.float64]
FloatImage = npt.NDArray[np.float32]

SIZE: Final = (160, 120)
"""Width and height of stored frames."""
CLASS_NAMES: Final = (
    'other', 'ground', 'wall', 'ceiling', 'table', 'chair', 'sofa', 'shelf', 'cabinet', 'bed',
    'boxes', 'counter', 'bin', 'plant', 'person', 'car', 'truck', 'bus', 'bicycle',
    'tree', 'bush', 'fence', 'pole', 'bench', 'building', 'sky')
"""What depth alone can tell apart; ``other`` is never asked for."""


@dataclass(frozen=True, eq=False)
class FrameSample:
    """
    A depth image with camera, ground and, where they are known, names of what it shows.

    ``depth`` [H, W] is the truth in metres along the optical axis, NaN where there is none (sky
    too); a noisy version of it may be what a model sees (``sensors.py``). ``up`` [3] is the unit
    vector against gravity in the optical frame, ``camera_height`` (m) counts from the ground, NaN
    where that is unknown. ``classes`` [H, W] are indices into ``class_names`` (``OTHER`` where
    nothing is known), ``instances`` [H, W] tells objects of one class apart (0: no object).
    ``scene`` is ``room``, ``corridor``, ``street`` or empty; ``indoors`` is None where unknown;
    ``extents`` holds measures of the whole place in metres by what they are called; ``cut`` the
    ids of objects of which a sensor misses the top or a side. ``captions`` and ``instructions``,
    questions with their answers, are what others wrote about it.
    """

    name: str
    depth: FloatImage
    camera_matrix: Floats
    up: Floats
    camera_height: float
    instances: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    class_names: tuple[str, ...] = CLASS_NAMES
    scene: str = ''
    indoors: bool | None = None
    extents: Mapping[str, float] = field(default_factory=dict)
    cut: frozenset[int] = frozenset()
    robot: Robot = Robot()
    captions: tuple[str, ...] = ()
    instructions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def unlabelled(cls, name: str, depth: FloatImage, camera: Camera, ground: GroundPlane | None,
                   indoors: bool | None = None) -> 'FrameSample':
        """Return a measured frame, of which nothing but geometry is known."""
        normal, height = (ground.normal, ground.height) if ground else ((0.0, 1.0, 0.0), np.nan)
        return cls(name, depth, camera.matrix, -np.array(normal), height,
                   np.zeros(depth.shape, np.int32), np.full(depth.shape, OTHER, np.uint8),
                   indoors=indoors)

    @cached_property
    def camera(self) -> Camera:
        """Camera of the depth image."""
        (fx, _, cx), (_, fy, cy), _ = self.camera_matrix.tolist()
        height, width = self.depth.shape
        return Camera(width, height, fx, fy, cx, cy)

    @cached_property
    def ground(self) -> GroundPlane | None:
        """Ground plane below the camera, None where it is unknown."""
        if np.isnan(self.camera_height):
            return None
        return GroundPlane.from_gravity(-self.up, self.camera_height)

    @cached_property
    def points(self) -> FloatImage:
        """Points [H, W, 3] in the optical frame, metres."""
        return organised_points(self.depth, self.camera)

    @cached_property
    def ground_points(self) -> FloatImage:
        """Points [H, W, 3]: x forward, y left, z up from the camera's foot, metres."""
        if self.ground is None:
            raise ValueError(f'{self.name}: the ground is unknown; ask for nothing that needs it')
        return above_ground(self.points, self.ground)

    @cached_property
    def ranges(self) -> FloatImage:
        """Distance [H, W] in metres from the camera; what "how far" means everywhere."""
        distances: FloatImage = np.linalg.norm(self.points, axis=-1)
        return distances

    @cached_property
    def things(self) -> Things:
        """Objects that are large enough to ask for."""
        return find_things(self.instances, self.classes)
