"""A class map cut into vertical runs of pixels: who stands where, on what, behind what."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import OUTSIDE
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup

_KINDS: Final = (
    (SceneClass.STRUCTURE, SceneClass.VEGETATION), (SceneClass.VEHICLE,), (SceneClass.PERSON,))
"""Classes that form components: what grows on a wall goes with the wall."""
SLIVER: Final = 0.03
"""Share of the rows: so little ground between a thing and the lower border is not believed, since
a network knows nothing of what lies beyond."""
_GROUND: Final = np.isin(GROUP_OF_CLASS, (SceneGroup.ROAD, SceneGroup.OTHER_GROUND))
_UPRIGHT: Final = GROUP_OF_CLASS == SceneGroup.VERTICAL


@dataclass(frozen=True)
class Runs:
    """
    Vertical runs of pixels of one connected component, column by column, from top to bottom.

    ``index`` [H, W] is each pixel's run. The other arrays [N] hold each run's ``column``, first
    row ``top`` and last row ``bottom``, its class, its ``component`` (1 to ``components``; 0 for
    what is not upright), and what is right below it: ``on_ground``, ``cut`` by the lower border
    or by what is ``OUTSIDE``, or ``behind`` another upright run, which is then the next one. All
    three concern upright runs only; a ``SLIVER`` of ground at the border counts as cut.
    """

    index: npt.NDArray[np.int32]
    column: npt.NDArray[np.intp]
    top: npt.NDArray[np.intp]
    bottom: npt.NDArray[np.intp]
    scene_class: npt.NDArray[np.uint8]
    component: npt.NDArray[np.int32]
    components: int
    on_ground: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.bool_]
    behind: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, classes: npt.NDArray[np.uint8]) -> Runs:
        """Cut a class map [H, W]."""
        height, width = classes.shape
        numbers, components = _components(classes)
        by_column = np.ascontiguousarray(numbers.T)
        starts = np.ones((width, height), bool)
        np.not_equal(by_column[:, 1:], by_column[:, :-1], out=starts[:, 1:])
        first = np.flatnonzero(starts)
        last = np.append(first[1:], starts.size) - 1
        index = np.cumsum(starts, dtype=np.int32).reshape(width, height).T - 1
        scene_class = classes.T[first // height, first % height]
        bottom = last % height
        upright = _UPRIGHT[scene_class]
        below = np.append(scene_class[1:], 0)
        at_border = (bottom == height - 1) | (below == OUTSIDE)
        on_ground = upright & ~at_border & _GROUND[below]
        sliver = on_ground & np.append(at_border[1:], False)
        sliver &= np.append(bottom[1:], 0) - bottom <= math.ceil(SLIVER * height)
        return cls(
            index=index, column=first // height, top=first % height, bottom=bottom,
            scene_class=scene_class, component=np.maximum(by_column.reshape(-1)[first], 0),
            components=components, on_ground=on_ground & ~sliver,
            cut=upright & at_border | sliver,
            behind=upright & ~at_border & _UPRIGHT[below])


def _components(classes: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], int]:
    """Number the components of upright things from 1 on; others are minus their class."""
    numbers = -classes.astype(np.int32)
    count = 0
    for kind in _KINDS:
        mask = classes == kind[0]
        for other in kind[1:]:
            mask |= classes == other
        found, labels = cv2.connectedComponents(mask.view(np.uint8), ltype=cv2.CV_32S)
        np.add(labels, count, out=numbers, where=mask)
        count += found - 1
    return numbers, count
