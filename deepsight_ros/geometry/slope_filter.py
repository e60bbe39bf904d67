"""Tells apart the two causes of a change of pitch: the camera's mount and the road's slope."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

SLOPE_SIGMA: Final = math.radians(1.0)
"""1-sigma of the slope of the road in view against that below the wheels: 2 %."""
_SLOPE_TIME: Final = 10.0
"""Seconds after which a road has another slope: 100 m at town speed."""


class SlopeFilter:
    """
    Splits changes of pitch, frame by frame, into an error of the mount and a slope of the road.

    The mount's error is the same in all pictures, the slope is not: a Kalman filter with a
    constant and a first-order Gauss-Markov process. One picture alone splits by the two variances.
    """

    def __init__(self, mount_sigma: float) -> None:
        """Start with a mount known to ``mount_sigma`` (rad)."""
        self._mean = np.zeros(2)
        self._covariance = np.diag([mount_sigma**2, SLOPE_SIGMA**2])

    def predict(self, pause: float) -> None:
        """Let ``pause`` seconds pass."""
        kept = math.exp(-pause / _SLOPE_TIME)
        self._mean[1] *= kept
        self._covariance[1] *= kept
        self._covariance[:, 1] *= kept
        self._covariance[1, 1] += (1 - kept**2) * SLOPE_SIGMA**2

    def update(self, change: float, sigma: float) -> tuple[float, float]:
        """Return slope and its sigma (rad) after a change of pitch was seen up to ``sigma``."""
        together = self._covariance.sum(axis=1)
        gain = together / (together.sum() + sigma**2)
        self._mean += gain * (change - self._mean.sum())
        self._covariance -= np.outer(gain, together)
        return float(self._mean[1]), math.sqrt(max(float(self._covariance[1, 1]), 0.0))
