"""Classes of scene elements, as geometry needs them: what lies flat, what stands, what is sky."""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt


class SceneClass(IntEnum):
    """Class of a pixel in a segmentation map (uint8)."""

    ROAD = 0
    PAVEMENT = 1
    TERRAIN = 2
    """Grass, soil, indoor floor: any flat ground that is neither road nor pavement."""
    STRUCTURE = 3
    """Building, wall, fence, furniture: rigid upright things without a usual size."""
    VEGETATION = 4
    """Trees, bushes, poles and signs: upright, thin or ragged."""
    VEHICLE = 5
    PERSON = 6
    """Pedestrians and riders."""
    SKY = 7


VOID: Final = 255
"""Label of a pixel whose class is unknown; training and scoring ignore it."""

OUTSIDE: Final = 254
"""Label of a pixel of a class map that lies beyond the borders of what the camera saw."""


class SceneGroup(IntEnum):
    """The four groups that embodied depth tells apart and in which segmentation is scored."""

    ROAD = 0
    OTHER_GROUND = 1
    VERTICAL = 2
    SKY = 3


GROUP_OF_CLASS: Final[npt.NDArray[np.uint8]] = np.full(256, VOID, np.uint8)
"""Lookup table [256]: ``SceneClass`` (or ``VOID``) to ``SceneGroup`` (or ``VOID``)."""
GROUP_OF_CLASS[SceneClass.ROAD] = SceneGroup.ROAD
GROUP_OF_CLASS[[SceneClass.PAVEMENT, SceneClass.TERRAIN]] = SceneGroup.OTHER_GROUND
GROUP_OF_CLASS[
    [SceneClass.STRUCTURE, SceneClass.VEGETATION, SceneClass.VEHICLE, SceneClass.PERSON]
] = SceneGroup.VERTICAL
GROUP_OF_CLASS[SceneClass.SKY] = SceneGroup.SKY
GROUP_OF_CLASS.setflags(write=False)
