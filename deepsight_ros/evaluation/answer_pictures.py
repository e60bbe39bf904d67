"""Pictures with the places that answers point at."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

COLOURS: Final = {True: (22, 163, 74), None: (245, 158, 11), False: (220, 38, 38)}
"""RGB of a mark, by whether what was said there is right."""
_RADIUS: Final = 0.03
"""Of a mark, as a share of the picture's height."""


def marked(image: Picture, pixels: Sequence[tuple[int, int]], right: bool | None,
           letters: Mapping[str, tuple[int, int]]) -> Picture:
    """
    Copy a picture [H, W, 3] and draw a ring around each pixel (column, row), white outside.

    ``letters`` are written beside the pixels that the question calls so.
    """
    canvas = image.copy()
    radius = max(3, round(_RADIUS * image.shape[0]))
    thickness = max(1, radius // 4)
    for pixel in pixels:
        for grown, width, colour in ((thickness, thickness, (255, 255, 255)),
                                     (0, thickness, COLOURS[right])):
            cv2.circle(canvas, pixel, radius + grown, colour, width, cv2.LINE_AA)
        cv2.circle(canvas, pixel, thickness, COLOURS[right], cv2.FILLED, cv2.LINE_AA)
    for letter, (column, row) in letters.items():
        beside = column + 2 * radius, row + radius
        for grown, colour in ((2 * thickness, (255, 255, 255)), (0, COLOURS[right])):
            cv2.putText(canvas, letter, beside, cv2.FONT_HERSHEY_SIMPLEX, radius / 10, colour,
                        thickness + grown, cv2.LINE_AA)
    return canvas
