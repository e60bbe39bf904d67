"""Side by side: the camera's picture, its depth, where that comes from, and the error."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.demo_scores import AnsweredPicture
from deepsight_ros.evaluation.report_pictures import error_picture
from deepsight_ros.geometry.embodied_depth import Label

Picture = npt.NDArray[np.uint8]

LABEL_COLOURS: Final = {
    Label.ROAD: (124, 58, 237), Label.GROUND: (16, 185, 129), Label.VERTICAL: (245, 158, 11),
    Label.FILLED: (244, 114, 182), Label.SKY: (56, 189, 248), Label.NONE: (0, 0, 0)}
"""RGB of each label in pictures and legends."""
_TINT: Final = 0.6
_GAP: Final = 8
_TABLE: Final = np.zeros((256, 3), np.uint8)
for _label, _colour in LABEL_COLOURS.items():
    _TABLE[_label] = _colour


def panels(picture: AnsweredPicture) -> dict[str, Picture]:
    """Return the four pictures [H, W, 3] by name, in the order in which they are shown."""
    return {
        'camera': picture.image,
        'depth': picture.preview,
        'label': label_picture(picture.image, picture.label),
        'error': error_picture(picture.image, picture.depth, picture.truth),
    }


def side_by_side(picture: AnsweredPicture) -> Picture:
    """Return the four pictures in one [H, 4 W + gaps, 3], white between them."""
    shown = list(panels(picture).values())
    gap = np.full((shown[0].shape[0], _GAP, 3), 255, np.uint8)
    row = [part for panel in shown for part in (gap, panel)][1:]
    return np.hstack(row)


def label_picture(image: Picture, label: Picture) -> Picture:
    """Tint a picture [H, W, 3] by its labels [H, W]."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tinted = cv2.addWeighted(np.asarray(grey, np.uint8), 1 - _TINT, _TABLE[label], _TINT, 0)
    return np.asarray(tinted, np.uint8)
