"""Answers against the true depth: what was said of an estimate is judged by what is there."""

from __future__ import annotations

from dataclasses import replace
import math
from typing import Final

import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import with_places
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_ros.perception.evidence import Evidence
from deepsight_ros.perception.evidence import find_evidence
from deepsight_ros.perception.evidence import move_agrees

WIDTH: Final = 320
"""Columns of a true depth image at most: about as many as a scanner has beams for."""


def true_frame(
    points: npt.NDArray[np.float32], camera: Camera, ground: GroundPlane, robot: Robot,
) -> DepthFrame:
    """
    Frame of true points [N, 3] (column, row, depth in metres) in the picture of ``camera``.

    ``ground`` is the true one; the size is that of ``depth_image``.
    """
    depth = depth_image(points, camera)
    return DepthFrame(depth, camera.scaled(*depth.shape[::-1]), ground, robot)


def depth_image(points: npt.NDArray[np.float32], camera: Camera) -> npt.NDArray[np.float32]:
    """
    Image [h, w] (m) of points [N, 3] (column, row, depth in metres), of up to ``WIDTH`` columns.

    The nearest point of a pixel counts, as a camera would see it; pixels without one are NaN.
    """
    width = min(WIDTH, camera.width)
    height = round(camera.height * width / camera.width)
    columns = ((points[:, 0] + 0.5) * width / camera.width).astype(int)
    rows = ((points[:, 1] + 0.5) * height / camera.height).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    depth = np.full((height, width), np.inf, np.float32)
    np.minimum.at(depth, (rows[inside], columns[inside]), points[inside, 2])
    depth[np.isinf(depth)] = np.nan
    return depth


def judge(truth: DepthFrame, size: tuple[int, int], question: str, text: str) -> Evidence:
    """
    Look at the true depth where an answer points at, and tell whether it is right.

    ``size`` (width, height) is that of the picture whose pixels question and answer name. Yes and
    no are right or wrong by themselves, whatever length explains them.
    """
    said = parse_answer(with_places(text, size) if text else '')
    found = find_evidence(truth, with_places(question, size), said)
    if said.kind == 'yes_no' and said.ahead and truth.ground is not None:
        free = math.inf if found.measured is None else found.measured
        return replace(found, agrees=move_agrees(question, said, free))
    return found
