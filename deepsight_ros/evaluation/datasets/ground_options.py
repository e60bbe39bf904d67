"""How a data set's prior for the ground plane can be given."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
import math
from typing import Final

from deepsight_ros.evaluation.errors import DatasetError
from deepsight_ros.geometry import GroundPlane

_CALIBRATED_SIGMA: Final = math.radians(0.5)
"""1-sigma of the pitch of a rig that its data set calls level."""


@dataclass(frozen=True)
class GroundOptions:
    """
    What the user says about camera and ground; None where the data set is to say it.

    ``camera_height`` in metres and ``camera_pitch`` in radians (positive: looks down) are those
    of a camera fixed to a vehicle. ``gravity`` and ``floor`` belong to data sets with poses: the
    direction down in their world frame [3], and the floor's offset along it in metres.
    """

    camera_height: float | None = None
    camera_pitch: float | None = None
    gravity: tuple[float, float, float] | None = None
    floor: float | None = None

    def fixed(self, dataset: str, nominal_height: float | None = None) -> GroundPlane:
        """
        Ground below a fixed camera: the given height, else ``nominal_height``, and the pitch.

        Data sets with a nominal height have a calibrated mount unless another pitch is given.

        ``DatasetError`` when neither height is known, or where gravity or floor were given.
        """
        if self.gravity is not None or self.floor is not None:
            raise DatasetError(f'{dataset} has no poses, so gravity and floor mean nothing there; '
                               'give --camera-height and --camera-pitch')
        height = nominal_height if self.camera_height is None else self.camera_height
        if height is None:
            raise DatasetError(f'{dataset} does not say how high the camera was; give '
                               '--camera-height (m) and, unless it was level, --camera-pitch '
                               '(rad)')
        plane = GroundPlane.from_height(height, self.camera_pitch or 0.0)
        if nominal_height is None or self.camera_pitch is not None:
            return plane
        return replace(plane, mount_sigma=_CALIBRATED_SIGMA)

    def require_no_camera(self, dataset: str) -> None:
        """Raise ``DatasetError`` if a fixed camera was given for a data set with poses."""
        if self.camera_height is not None or self.camera_pitch is not None:
            raise DatasetError(f'{dataset} knows the camera from its poses; leave out '
                               '--camera-height and --camera-pitch')
