"""Pictures of a report: the camera's view, its depth, and the error at the true points."""

from __future__ import annotations

import base64
import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.html_page import figures
from deepsight_ros.evaluation.replay_run import ShownFrame
from deepsight_ros.evaluation.scoring import sample
from deepsight_ros.perception.preview import depth_preview
from deepsight_ros.perception.preview import NEAREST

_WIDTH: Final = 640
_QUALITY: Final = 85
_DENSE: Final = 2.5
"""Points that are no farther apart, in pixels, make up a picture of their own."""
_TINT: Final = 0.6
ERROR_COLOURS: Final = ((0.05, (22, 163, 74)), (0.10, (245, 158, 11)), (np.inf, (220, 38, 38)))
"""Colours (RGB) of points by relative error."""
MISSED_COLOUR: Final = (30, 64, 175)
"""Colour of points without depth."""


def picture_row(frame: ShownFrame, time: float, max_range: float) -> str:
    """Camera, depth and, where truth is known, error of one picture side by side as HTML."""
    cells = [
        (inline(frame.image), f'camera, {time:.1f} s'),
        (inline(depth_preview(frame.depth, max_range)), 'depth')]
    if frame.truth is not None:
        cells.append((inline(error_picture(frame.image, frame.depth, frame.truth)),
                      'error at true points: green within 5 %, amber 10 %, red beyond, '
                      'blue no depth'))
    return figures(cells)


def error_picture(
    image: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32],
    truth: npt.NDArray[np.float32],
) -> npt.NDArray[np.uint8]:
    """Grey picture [H, W, 3] with a coloured dot at each true point [N, 3], tinted if dense."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    canvas = np.asarray(grey, np.uint8) // 2 + 96
    predicted = sample(depth, truth)
    with np.errstate(invalid='ignore'):
        relative = np.abs(predicted - truth[:, 2]) / truth[:, 2]
    colours = np.empty((len(truth), 3), np.uint8)
    for limit, colour in reversed(ERROR_COLOURS):
        colours[relative <= limit] = colour
    colours[~np.isfinite(predicted)] = MISSED_COLOUR
    layer = np.zeros_like(canvas)
    column, row = (np.rint(truth[:, axis]).astype(np.int64) for axis in (0, 1))
    layer[row, column] = colours
    spacing = math.sqrt(image.shape[0] * image.shape[1] / max(len(truth), 1))
    # Sparse points would vanish when the picture is made smaller; dense ones would hide it.
    size, opacity = (math.ceil(spacing), _TINT) if spacing < _DENSE else (3, 1.0)
    spread = cv2.dilate(layer, np.ones((size, size), np.uint8))
    marked = spread.any(axis=2)
    blended = cv2.addWeighted(canvas, 1 - opacity, np.asarray(spread, np.uint8), opacity, 0)
    canvas[marked] = blended[marked]
    return canvas


def colour_bar(max_range: float) -> str:
    """Legend of the depth colours as HTML."""
    depths = np.geomspace(NEAREST, max_range * 0.999, 256).astype(np.float32)
    strip = depth_preview(depths[None], max_range)
    middle = float(np.sqrt(NEAREST * max_range))
    return (f'<img class="bar" alt="depth colours" src="{inline(strip)}"><p class="scale">'
            f'<span>{NEAREST:g} m</span><span>{middle:.0f} m</span><span>{max_range:g} m</span>'
            '</p>')


def inline(picture: npt.NDArray[np.uint8]) -> str:
    """Data URL of an RGB picture [H, W, 3], at most ``_WIDTH`` wide."""
    height, width = picture.shape[:2]
    if width > _WIDTH:
        size = (_WIDTH, round(height * _WIDTH / width))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    encoded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                           [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return f'data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode("ascii")}'
