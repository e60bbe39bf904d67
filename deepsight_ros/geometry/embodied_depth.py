"""Embodied scene depth: road, other ground, what stands on it, and the rest filled in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from typing import Final
from typing import get_args
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.camera import FloatImage
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.fill import fill
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.ground import MAX_RELATIVE_SIGMA
from deepsight_ros.geometry.roll import upright_inverse_depth
from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import SceneGroup

Step = Literal['road', 'ground', 'scene']
"""How far the chain goes; each step contains the one before."""


class Label(IntEnum):
    """Where a pixel's depth comes from; the values are those of the label topic."""

    NONE = 0
    ROAD = 1
    GROUND = 2
    VERTICAL = 3
    FILLED = 4
    SKY = 5


FOOT_SIGMA: Final = 0.2
"""1-sigma (m) of the height at which things touch the ground: kerbs, sills, grass; cameras lower
than 1 m are among lower things, and this is its share of their height."""
FILLED_RELATIVE_SIGMA: Final = 0.5
"""1-sigma of filled depth as a share of it: a neighbour's depth is only a guess."""

_LABEL_OF_GROUP: Final = np.full(256, Label.FILLED, np.uint8)
_LABEL_OF_GROUP[SceneGroup.ROAD] = Label.ROAD
_LABEL_OF_GROUP[SceneGroup.OTHER_GROUND] = Label.GROUND
_LABEL_OF_GROUP[SceneGroup.VERTICAL] = Label.VERTICAL
_LABEL_OF_GROUP[SceneGroup.SKY] = Label.SKY
_LABEL_OF_CLASS: Final = _LABEL_OF_GROUP[GROUP_OF_CLASS]


@dataclass(frozen=True)
class SceneDepth:
    """
    Depth of a picture and where it comes from.

    ``depth`` [H, W] in metres along the optical axis: NaN unknown, +Inf sky and beyond range
    (REP-117). ``label`` [H, W] uint8: ``Label`` of each pixel, NONE where depth is unknown.
    """

    depth: FloatImage
    label: npt.NDArray[np.uint8]
    camera: Camera
    ground: GroundPlane
    row: float
    """Height of a row of the class map as the slope of a ray: what a contact is known to."""

    def uncertainty(self) -> FloatImage:
        """
        Return the 1-sigma [H, W] in metres, NaN where depth is not finite.

        Ground: from the sigmas of height and angles. Upright: that of the ground at the contact,
        the contact known to one row of the class map and the foot to ``FOOT_SIGMA``. Filled:
        ``FILLED_RELATIVE_SIGMA`` of the depth. A wrong class is not accounted for.
        """
        ground = self.ground
        variance = ground.slant_variance(self.camera)
        upright = self.label == Label.VERTICAL
        np.add(variance, np.float32(self.row**2), out=variance, where=upright)
        variance *= self.depth
        variance *= self.depth
        variance += np.float32(ground.height_sigma**2)
        foot_sigma = FOOT_SIGMA * min(1.0, ground.height)
        np.add(variance, np.float32(foot_sigma**2), out=variance, where=upright)
        sigma: FloatImage = np.sqrt(variance, out=variance)
        sigma /= np.float32(ground.height)
        np.copyto(sigma, FILLED_RELATIVE_SIGMA, where=self.label == Label.FILLED)
        sigma *= self.depth
        np.copyto(sigma, np.nan, where=np.isinf(self.depth))
        return sigma


class EmbodiedSceneDepth:
    """
    Metric depth from a class map and the ground plane: no scale is learned.

    Road, then other ground, get the plane's depth; upright things the depth of the ground they
    touch; the rest is filled. Source: Vision-Language Embodiment (CVPR 2025).
    """

    def __init__(self, camera: Camera, *, max_range: float = 80.0) -> None:
        """Compute for the rectified pictures of ``camera``, up to ``max_range`` metres."""
        if not max_range > 0:
            raise CameraError(f'max_range is {max_range:g} m, must be positive')
        self.camera = camera
        self.max_range = max_range
        self._map_camera = camera

    def __call__(
        self, classes: npt.NDArray[Any], ground: GroundPlane, *, step: Step = 'scene',
    ) -> SceneDepth:
        """
        Return the depth of the picture whose class map is ``classes``.

        ``classes`` [h, w] uint8 holds ``SceneClass``, ``VOID`` (unknown: filled) or ``OUTSIDE`` at
        any resolution of the same picture, which contact and filling work at (320x96 takes 3 ms,
        the picture's own 1242x375 takes 20); ``ground`` is the plane in the camera's optical
        frame. ``step`` 'road' and 'ground' leave all other pixels NaN, as are those that the
        camera's rectification finds no source for.
        """
        if step not in get_args(Step):
            raise ValueError(f'step is {step!r}, must be one of {", ".join(get_args(Step))}')
        if classes.ndim != 2 or classes.dtype != np.uint8 or not classes.size:
            raise ValueError(f'classes: {classes.dtype}{classes.shape}, expected uint8 (h, w)')
        labels = _LABEL_OF_CLASS[classes]
        depth = ground.depth(self.camera)
        if step == 'scene':
            other = self._above_ground(classes, labels, ground)
            label = _resized(labels, self.camera.size)
            mask = (label > Label.GROUND) | np.isnan(depth)
            cv2.copyTo(_resized(other, self.camera.size), mask.view(np.uint8), depth)
        else:
            label = _resized(labels, self.camera.size)
            outside = label > (Label.ROAD if step == 'road' else Label.GROUND)
            depth[outside] = np.nan
        if self.camera.unseen is not None:
            depth[self.camera.unseen] = np.nan
        label[np.isnan(depth)] = Label.NONE
        depth[depth > self.max_range] = np.inf
        row = self.camera.height / (self.camera.fy * classes.shape[0])
        return SceneDepth(depth, label, self.camera, ground, row)

    def _above_ground(
        self, classes: npt.NDArray[Any], labels: npt.NDArray[Any], ground: GroundPlane,
    ) -> FloatImage:
        """
        Return the depth [h, w] of a class map's pixels, +Inf in the sky.

        ``labels`` [h, w] becomes GROUND where ground is seen under a vehicle, and FILLED where
        depth is not read at the pixel's own contact.
        """
        height, width = classes.shape
        if self._map_camera.size != (width, height):
            self._map_camera = self.camera.scaled(width, height)
        plane = ground.slant(self._map_camera) / np.float32(ground.height)
        standing, touching, under = upright_inverse_depth(
            classes, plane, self._map_camera, ground)
        labels[under] = Label.GROUND
        inverse = np.where(labels <= Label.GROUND, plane, standing)
        farthest = ground.smallest_slant(self._map_camera, MAX_RELATIVE_SIGMA)
        holes = ~(inverse * np.float32(ground.height) > farthest)
        sky = labels == Label.SKY
        holes &= ~sky
        inverse[sky] = 0
        labels[holes | ((labels == Label.VERTICAL) & ~touching)] = Label.FILLED
        with np.errstate(divide='ignore'):
            depth: FloatImage = np.float32(1) / fill(inverse, holes)
        return depth


def _resized(image: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    return cv2.resize(image, size, interpolation=cv2.INTER_NEAREST_EXACT)
