"""Where the class maps of an evaluation come from: the network, ground truth, or a worse network.

The paper states that embodied depth hardly depends on the quality of segmentation; scores with
these three show whether that holds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.perception.segmentation import Segmentation

ClassMap = npt.NDArray[np.uint8]
MASKS: Final = ('network', 'labels', 'degraded')
_BLOCK: Final = 16


class DegradedSegmentation:
    """A network that sees only blocks of 16 x 16 pixels: borders are off by up to half of that."""

    def __init__(self, segmentation: Segmentation) -> None:
        """Degrade this network."""
        self._segmentation = segmentation

    def __call__(self, image: npt.NDArray[np.uint8]) -> ClassMap:
        """Classes [h/16, w/16] of RGB [H, W, 3]: those at the centres of the blocks."""
        return self._segmentation(image)[_BLOCK // 2::_BLOCK, _BLOCK // 2::_BLOCK]


class TrueSegmentation:
    """Ground-truth labels instead of a network; set ``labels`` [H, W] before each picture."""

    labels: ClassMap

    def __call__(self, image: npt.NDArray[np.uint8]) -> ClassMap:
        """Return the labels, whatever the picture."""
        return self.labels
