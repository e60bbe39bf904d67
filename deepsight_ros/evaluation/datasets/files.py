"""Reading the files of data sets, with errors that say which layout was expected."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.evaluation.errors import DatasetError


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """Colour picture [H, W, 3] RGB."""
    image = cv2.imread(str(_existing(path)), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f'{path} is no picture, or damaged; copy it again')
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def read_depth(path: Path, unit: float) -> npt.NDArray[np.float32]:
    """Depth [H, W] in metres of a 16-bit picture that stores metres / ``unit``; 0 becomes NaN."""
    depth = read_uint16(path).astype(np.float32) * np.float32(unit)
    depth[depth == 0] = np.nan
    return depth


def read_uint16(path: Path) -> npt.NDArray[np.uint16]:
    """Single-channel 16-bit picture [H, W]."""
    image = cv2.imread(str(_existing(path)), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 2 or image.dtype != np.uint16:
        raise DatasetError(f'{path} is no 16-bit single-channel picture; copy it again')
    return np.asarray(image, np.uint16)


def read_matrix(path: Path, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Matrix of this shape from a text file of numbers."""
    try:
        values = np.array(_existing(path).read_text('utf8').split(), np.float64)
        return values.reshape(shape)
    except ValueError as error:
        raise DatasetError(f'{path} should hold {shape[0]}x{shape[1]} numbers') from error


def sorted_files(folder: Path, pattern: str, layout: str) -> list[Path]:
    """Files below ``folder`` that match, sorted; ``DatasetError`` with the layout if none do."""
    found = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not found:
        raise DatasetError(f'no {pattern} in {folder}; expected {layout}')
    return found


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DatasetError(f'{path} is missing; the data set is incomplete')
    return path
