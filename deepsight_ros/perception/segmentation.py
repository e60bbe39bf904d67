"""Semantic segmentation of a picture into the classes that geometry needs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.engines import Engine
from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine

_TASK: Final = 'scene_segmentation'


class Segmentation:
    """
    Network that maps a picture to ``SceneClass`` ids.

    The picture is resized to the pixel count that the bundle's manifest asks for
    (``preprocessing: {'pixels', 'multiple'}``), its aspect ratio kept up to rounding.
    """

    def __init__(self, engine: Engine) -> None:
        """Take a loaded engine; ``EngineError`` when it is no scene segmentation."""
        manifest = engine.manifest
        if manifest.task != _TASK:
            raise EngineError(f'bundle {manifest.name!r} does {manifest.task!r}, not {_TASK!r}; '
                              'set segmentation_bundle to a segmentation bundle')
        try:
            self._pixels = int(manifest.preprocessing['pixels'])
            self._multiple = int(manifest.preprocessing['multiple'])
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(f'bundle {manifest.name!r}: preprocessing lacks pixels or multiple; '
                              'export it again') from error
        self.engine = engine
        """May be replaced between two calls by another engine of the same bundle."""

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1, **options: Any) -> Segmentation:
        """Load a bundle folder; ``options`` are those of ``load_engine``, and its errors."""
        return cls(load_engine(bundle, threads=threads, **options))

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the network's input for pictures of this size."""
        return network_size(width, height, self._pixels, self._multiple)

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Classes [h, w] (``SceneClass``), at the network's resolution, of RGB [H, W, 3]."""
        size = self.input_size(image.shape[1], image.shape[0])
        resized: Any = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        classes: npt.NDArray[np.uint8] = self.engine({'image': resized[None]})['classes'][0]
        return classes


def network_size(width: int, height: int, pixels: int, multiple: int) -> tuple[int, int]:
    """Width and height with about ``pixels`` pixels and the picture's aspect ratio."""
    scale = math.sqrt(pixels / (width * height))
    columns = max(1, round(width * scale / multiple))
    rows = max(1, round(height * scale / multiple))
    return columns * multiple, rows * multiple
