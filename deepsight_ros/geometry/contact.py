"""Where upright things touch the ground, and the inverse depth they take from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup

_UPRIGHT: Final = (
    SceneClass.STRUCTURE, SceneClass.VEGETATION, SceneClass.VEHICLE, SceneClass.PERSON)
_IS_GROUND: Final = (GROUP_OF_CLASS == SceneGroup.ROAD) | (
    GROUP_OF_CLASS == SceneGroup.OTHER_GROUND)


@dataclass(frozen=True)
class Runs:
    """
    The picture cut into vertical runs of pixels of one connected component, column by column.

    ``index`` [H, W] is each pixel's run; the other arrays [N] hold each run's column, first and
    last row, class, component, and the class just below it (-1 at the lower border).
    """

    index: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    top: npt.NDArray[np.int32]
    bottom: npt.NDArray[np.int32]
    scene_class: npt.NDArray[np.uint8]
    component: npt.NDArray[np.int32]
    below: npt.NDArray[np.int16]

    @classmethod
    def of(cls, classes: npt.NDArray[np.uint8]) -> Runs:
        """Cut a class map [H, W] into runs."""
        height, width = classes.shape
        components = np.ascontiguousarray(_components(classes).T)
        starts = np.ones((width, height), bool)
        np.not_equal(components[:, 1:], components[:, :-1], out=starts[:, 1:])
        index = (np.cumsum(starts, dtype=np.int32) - 1).reshape(width, height)
        first = np.flatnonzero(starts)
        last = np.append(first[1:], starts.size) - 1
        scene_class = classes.T.reshape(-1)[first]
        bottom = last % height
        below = np.append(scene_class[1:], 0).astype(np.int16)
        below[bottom == height - 1] = -1
        return cls(
            index=index.T, column=(first // height).astype(np.int32),
            top=(first % height).astype(np.int32), bottom=bottom.astype(np.int32),
            scene_class=scene_class, component=components.reshape(-1)[first], below=below)


def _components(classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Number the connected components of the upright classes; others get minus their class."""
    numbers = -1 - classes.astype(np.int32)
    count = 0
    for scene_class in _UPRIGHT:
        found, labels = cv2.connectedComponents((classes == scene_class).view(np.uint8))
        inside = labels > 0
        numbers[inside] = labels[inside] + count
        count += found
    return numbers


def standing_inverse_depth(
    classes: npt.NDArray[np.uint8], ground: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """
    Inverse depth [H, W] of upright things, NaN where nothing tells.

    ``ground`` [H, W] is the inverse depth of the ground plane behind each pixel of the class map
    ``classes`` [H, W].
    """
    runs = Runs.of(classes)
    rows = np.minimum(runs.bottom + 1, classes.shape[0] - 1)
    contact = (ground[runs.bottom, runs.column] + ground[rows, runs.column]) / 2
    upright = runs.component > 0
    visible = upright & (runs.below >= 0) & _IS_GROUND[runs.below] & (contact > 0)
    value = np.where(visible, contact, np.float32(np.nan))
    hidden = np.flatnonzero(upright & ~visible)
    known = np.flatnonzero(visible)
    order = known[np.argsort(runs.component[known], kind='stable')]
    if len(order):
        # Within a component the columns ascend, so one interpolation serves all components.
        stride = classes.shape[1] * 4.0
        position = runs.component[order] * stride + runs.column[order]
        wanted = runs.component[hidden] * stride + runs.column[hidden]
        nearest = np.clip(np.searchsorted(position, wanted), 1, len(order) - 1)
        left, right = order[nearest - 1], order[nearest]
        same_left = runs.component[left] == runs.component[hidden]
        same_right = runs.component[right] == runs.component[hidden]
        guess = np.interp(wanted, position, value[order])
        guess = np.where(same_left & same_right, guess, np.where(
            same_left, value[left], np.where(same_right, value[right], np.nan)))
        value[hidden] = guess
    result: npt.NDArray[np.float32] = value[runs.index]
    return result
