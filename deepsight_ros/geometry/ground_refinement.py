"""Per-frame correction of the ground plane's pitch and height from the picture alone."""

from __future__ import annotations

from dataclasses import replace
import math
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.ground import MOUNT_SIGMA
from deepsight_ros.geometry.ground_lines import find_ground_lines
from deepsight_ros.geometry.ground_lines import ground_reaches_far
from deepsight_ros.geometry.slope_filter import SLOPE_SIGMA
from deepsight_ros.geometry.slope_filter import SlopeFilter
from deepsight_ros.geometry.vanishing_point import horizon_log_likelihood

_OFFSETS: Final = np.radians(np.linspace(-4.5, 4.5, 91))
"""Corrections of pitch that are weighed against each other."""
_WANDER_RATE: Final = math.radians(0.5)
"""Change of pitch in a second (1-sigma): a suspension sways by 0.25 degrees up and down."""
_PLANE_SIGMA: Final = math.radians(0.1)
"""The road's lines and the plane of the road ahead differ by this."""
_CLUTTER: Final = 10.0
"""Log likelihood that chance crossings reach somewhere: a thousand points are tried."""
_DOUBT: Final = 0.1
"""Probability that the lines of a picture, however clear, are not those of the road."""
_GROSS: Final = 0.1
"""Probability that the mount is not what its description says: then it is one set by hand."""
_LOST: Final = 1e-3
"""Probability per picture that the filter is wrong, so that it can recover."""
_MODE: Final = math.radians(0.75)
_FRAME_TIME: Final = 0.1
_FARTHEST_HINGE: Final = 5.0
"""Camera heights to where a road may bend: ground seen only beyond lies past several bends."""
_MAX_WIDTH: Final = 1280
_MIN_ROWS: Final = 32
"""Less picture than this below the highest horizon shows no lines."""


class GroundRefiner:
    """
    Corrects pitch and height of a prior ground plane frame by frame.

    Lines on the ground that run along the road (marks, kerbs, rails, the feet of walls and
    vehicles) meet on the ground's horizon, whose row is the pitch. Each picture gives a likelihood
    over rows; a histogram filter joins them over time, so that rival rows of one picture die out
    in the next. Pictures without such lines leave the plane as it is.

    What changed the pitch may be the mount, which turns about the camera, or the slope of the
    road in view against that below the wheels, which lifts or lowers the plane below the camera
    too: it hinges where the view of the ground begins. Roll stays the prior's: lines that run
    along a road meet in one point, however the road is tilted across.
    """

    def __init__(self, camera: Camera) -> None:
        """Start without knowledge about the rectified pictures of ``camera``."""
        self._full = camera
        width = min(camera.width, _MAX_WIDTH)
        height = max(1, round(camera.height * width / camera.width))
        self._camera = camera.scaled(width, height)
        self.reset()

    def reset(self) -> None:
        """Forget what earlier pictures said."""
        self._belief = np.zeros(0)
        self._slope: SlopeFilter | None = None
        self._stamp: float | None = None
        self._measured = False

    def update(
        self,
        image: npt.NDArray[np.uint8],
        prior: GroundPlane,
        classes: npt.NDArray[np.uint8] | None = None,
        stamp_s: float | None = None,
    ) -> GroundPlane:
        """
        Return ``prior`` with the pitch and height that this picture and those before it show.

        ``image`` is the rectified picture, RGB [H, W, 3] or grey [H, W]; ``classes`` the
        ``SceneClass`` ids at any resolution; ``stamp_s`` the picture's time in seconds (10 Hz is
        assumed without). The smaller the prior's ``mount_sigma``, the more it takes to move it.
        The result's ``pitch_sigma`` and ``height_sigma`` are those of the corrected values, its
        ``mount_sigma`` is zero. The prior comes back untouched as long as no picture had evidence.
        Raises ``GroundError`` for a picture of another size than the camera's.
        """
        if image.shape[:2] != (self._full.height, self._full.width):
            raise GroundError(f'picture is {image.shape[1]}x{image.shape[0]}, the camera '
                              f'{self._full.width}x{self._full.height}; make a new GroundRefiner')
        slope = self._predict(prior, stamp_s)
        self._observe(self._log_likelihood(image, prior, classes))
        if not self._measured:
            return prior
        change, sigma = self._estimate()
        bend, bend_sigma = slope.update(change, sigma)
        hinge = self._hinge(prior)
        return replace(
            prior.tilted(pitch=change), height=prior.height + hinge * math.tan(bend),
            pitch_sigma=math.hypot(sigma, _PLANE_SIGMA),
            height_sigma=math.hypot(prior.height_sigma, hinge * bend_sigma), mount_sigma=0.0)

    def _predict(self, prior: GroundPlane, stamp_s: float | None) -> SlopeFilter:
        """Let the time pass since the last picture: blur the belief by what pitch changes."""
        pause = _FRAME_TIME
        if stamp_s is not None and self._stamp is not None:
            pause = stamp_s - self._stamp
            if pause < 0:
                self.reset()
        self._stamp = stamp_s
        initial = _initial_belief(prior.mount_sigma)
        if self._slope is None:
            self._belief, self._slope = initial, SlopeFilter(prior.mount_sigma)
            return self._slope
        self._slope.predict(pause)
        variance = _WANDER_RATE**2 * pause + 1e-12
        kernel = np.exp(-0.5 * _OFFSETS**2 / variance)
        wandered = np.convolve(self._belief, kernel, mode='same')
        self._belief = (1 - _LOST) * wandered / wandered.sum() + _LOST * initial
        return self._slope

    def _observe(self, log_likelihood: npt.NDArray[np.float64]) -> None:
        """Bayes' rule, with the alternatives that the lines are clutter or not the road's."""
        top = float(log_likelihood.max())
        if top < _CLUTTER:
            return
        road = self._belief * np.exp(log_likelihood - top)
        clutter = self._belief * math.exp(_CLUTTER - top)
        self._measured |= bool(road.sum() > clutter.sum())
        informed = road + clutter
        self._belief += (1 - _DOUBT) * (informed / informed.sum() - self._belief)

    def _hinge(self, prior: GroundPlane) -> float:
        """
        Distance (m) at which the ground in view begins, below the lower edge of the picture.

        A road that bends evenly from the wheels on has the slope of its middle in view, which
        lies twice as far by the count of rows, and whose tangent meets the wheels' plane halfway.
        """
        below = math.atan(float(self._camera.ray_y[-1])) + prior.pitch
        farthest = prior.height * _FARTHEST_HINGE
        return min(max(prior.height / math.tan(below), 0.0), farthest) if below > 0 else 0.0

    def _estimate(self) -> tuple[float, float]:
        """Mean of the belief about its peak, and half the width of its central 68 %."""
        peak = _OFFSETS[np.argmax(self._belief)]
        near = np.abs(_OFFSETS - peak) <= _MODE
        mean = float(self._belief[near] @ _OFFSETS[near] / self._belief[near].sum())
        return mean, (self._quantile(0.84) - self._quantile(0.16)) / 2

    def _quantile(self, share: float) -> float:
        """Correction below which this share of the belief lies."""
        return float(np.interp(share, np.cumsum(self._belief), _OFFSETS))

    def _log_likelihood(
        self,
        image: npt.NDArray[np.uint8],
        prior: GroundPlane,
        classes: npt.NDArray[np.uint8] | None,
    ) -> npt.NDArray[np.float64]:
        """Log likelihood of each of the ``_OFFSETS`` by this picture."""
        camera = self._camera
        rows = -np.tan(prior.pitch + _OFFSETS)
        left, right = float(camera.ray_x[0]), float(camera.ray_x[-1])
        # Ground lies below the horizon: what is above all likely ones need not be looked at.
        highest = -math.tan(prior.pitch + self._quantile(0.98))
        highest -= abs(math.tan(prior.roll)) * max(-left, right)
        top = max(0, math.floor(camera.cy + camera.fy * highest))
        if top > camera.height - _MIN_ROWS or not ground_reaches_far(prior, camera, classes):
            return np.zeros(len(rows))
        lines = find_ground_lines(self._grey(image, top), top, camera, classes, prior.roll)
        return horizon_log_likelihood(lines, rows, (left, right))

    def _grey(self, image: npt.NDArray[np.uint8], top: int) -> npt.NDArray[np.uint8]:
        """Rows from ``top`` of the grey picture at the working size."""
        camera, full = self._camera, self._full
        if camera.size == full.size:
            image = image[top:]
        grey: Any = np.ascontiguousarray(image)
        if grey.ndim == 3:
            grey = cv2.cvtColor(grey, cv2.COLOR_RGB2GRAY)
        if camera.size != full.size:
            grey = cv2.resize(grey, camera.size, interpolation=cv2.INTER_AREA)[top:]
        rows: npt.NDArray[np.uint8] = grey
        return rows


def _initial_belief(mount_sigma: float) -> npt.NDArray[np.float64]:
    """Probability of the ``_OFFSETS`` before any picture, by errors of the mount and slopes."""
    belief = np.zeros(len(_OFFSETS))
    for share, sigma in ((1 - _GROSS, mount_sigma), (_GROSS, MOUNT_SIGMA)):
        part = np.exp(-0.5 * _OFFSETS**2 / (sigma**2 + SLOPE_SIGMA**2))
        belief += share * part / part.sum()
    return belief
