"""From a rectified picture to embodied scene depth: segmentation, ground refinement, geometry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.embodied_depth import EmbodiedSceneDepth
from deepsight_ros.geometry.embodied_depth import SceneDepth
from deepsight_ros.geometry.embodied_depth import Step
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.ground_refinement import GroundRefiner
from deepsight_ros.geometry.scene_classes import OUTSIDE

ClassMapper = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
"""RGB [H, W, 3] to ``SceneClass`` ids [h, w]: ``Segmentation``, or ground truth in evaluation."""


@dataclass(frozen=True)
class EmbodiedResult:
    """Depth of one picture and what it was made from."""

    scene: SceneDepth
    classes: npt.NDArray[np.uint8]
    """``SceneClass`` ids [h, w] at the network's resolution; ``OUTSIDE`` what was not seen."""
    ground: GroundPlane
    """The plane that was used, refined if refinement is on."""
    seconds: dict[str, float]
    """Time per stage: segmentation, refinement, embodied."""


class EmbodiedDepth:
    """The pipeline that node, replay and evaluation share; one per camera and thread."""

    def __init__(
        self,
        camera: Camera,
        segmentation: ClassMapper,
        *,
        refine_ground: bool = True,
        max_range: float = 80.0,
    ) -> None:
        """
        Prepare for pictures of ``camera``.

        ``refine_ground`` corrects the ground plane from the picture; ``max_range`` (m) is the
        depth beyond which the result is +Inf.
        """
        self.camera = camera
        self._segmentation = segmentation
        self._refiner = GroundRefiner(camera) if refine_ground else None
        self._geometry = EmbodiedSceneDepth(camera, max_range=max_range)

    def reset(self) -> None:
        """Forget earlier pictures, as after a jump in time."""
        if self._refiner is not None:
            self._refiner.reset()

    def __call__(
        self,
        image: npt.NDArray[np.uint8],
        prior: GroundPlane,
        stamp_s: float | None = None,
        *,
        step: Step = 'scene',
    ) -> EmbodiedResult:
        """
        Depth of a rectified RGB picture [H, W, 3].

        ``prior`` is the ground in the camera's optical frame as extrinsics or gravity have it.
        """
        started = perf_counter()
        classes = self._within_view(self._segmentation(image))
        segmented = perf_counter()
        ground = prior
        if self._refiner is not None:
            ground = self._refiner.update(image, prior, classes, stamp_s)
        refined = perf_counter()
        scene = self._geometry(classes, ground, step=step)
        done = perf_counter()
        seconds = {'segmentation': segmented - started, 'refinement': refined - segmented,
                   'embodied': done - refined}
        return EmbodiedResult(scene, classes, ground, seconds)

    def _within_view(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return classes [h, w] with ``OUTSIDE`` where rectification has no source."""
        if self.camera.unseen is None:
            return classes
        unseen = cv2.resize(self.camera.unseen.view(np.uint8), classes.shape[::-1],
                            interpolation=cv2.INTER_NEAREST_EXACT)
        return np.where(unseen, np.uint8(OUTSIDE), classes)
