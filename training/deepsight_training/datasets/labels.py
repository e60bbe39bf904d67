"""Label ids of training pictures: classes, void, and sets of classes.

A label of 0..7 is a ``SceneClass``. LiDAR and depth cameras know that a point lies on the ground
or stands above it, but not whether the ground is road or grass; such pixels carry the id of a set
of classes, and the loss asks only that the probabilities of the set's members add up to one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup

ANY_GROUND: Final = 100
"""Road, pavement or terrain."""
ANY_VERTICAL: Final = 101
"""Anything that stands up."""
ANY_VERTICAL_OR_SKY: Final = 102
"""No ground: above the horizon."""
ANY_BACKGROUND: Final = 103
"""Anything that stands up, but neither a vehicle nor a person."""

LOW_VEGETATION: Final = 104
"""Grass or bushes: ``TERRAIN`` or ``VEGETATION``."""
SIDE_GROUND: Final = 105
"""Ground beside the road: ``PAVEMENT`` or ``TERRAIN``."""
ROADSIDE: Final = 106
"""Walls, fences, poles, signs and kerbs: neither road, vehicle, person nor sky."""
DRIVABLE: Final = 107
"""Road and the soil beside it."""
BACKGROUND_OR_GRASS: Final = 108
"""``ANY_BACKGROUND`` or ``TERRAIN``."""


def _members() -> npt.NDArray[np.bool_]:
    table = np.zeros((256, len(SceneClass)), bool)
    table[np.arange(len(SceneClass)), np.arange(len(SceneClass))] = True
    group = GROUP_OF_CLASS[: len(SceneClass)]
    table[ANY_GROUND] = (group == SceneGroup.ROAD) | (group == SceneGroup.OTHER_GROUND)
    table[ANY_VERTICAL] = group == SceneGroup.VERTICAL
    table[ANY_VERTICAL_OR_SKY] = ~table[ANY_GROUND]
    table[ANY_BACKGROUND] = table[ANY_VERTICAL]
    table[ANY_BACKGROUND, [SceneClass.VEHICLE, SceneClass.PERSON]] = False
    table[LOW_VEGETATION, [SceneClass.TERRAIN, SceneClass.VEGETATION]] = True
    table[SIDE_GROUND, [SceneClass.PAVEMENT, SceneClass.TERRAIN]] = True
    table[ROADSIDE] = table[ANY_BACKGROUND] | table[SIDE_GROUND]
    table[DRIVABLE, [SceneClass.ROAD, SceneClass.TERRAIN]] = True
    table[BACKGROUND_OR_GRASS] = table[ANY_BACKGROUND]
    table[BACKGROUND_OR_GRASS, SceneClass.TERRAIN] = True
    table.setflags(write=False)
    return table


MEMBERS: Final = _members()
"""Lookup table [256, classes]: the classes that a label id allows; none for ``VOID``."""
