"""What a plan of a segmentation bundle is built for, and the pictures that it is checked with."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.engines.manifest import Profile
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import Tolerance
from deepsight_ros.engines.recorded_inputs import write_recorded
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_reader import IMAGE
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import to_rgb
from deepsight_ros.perception.segmentation import network_size
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import SAMPLE_BAGS

RECORDED: Final = 'recorded_inputs.npz'
CLASS_PARITY: Final = {'uint8': Tolerance(max_relative=1.0, mean_relative=0.01, cosine=0.99)}
"""Of class ids: where two classes are equally likely, a pixel may go either way."""
_WIDEST: Final = (2560, 640)
_USUAL: Final = (640, 480)
_TALLEST: Final = (540, 1080)


def picture_profile(pixels: int, multiple: int) -> Profile:
    """Return the shapes of the input ``image`` for cameras from portrait to panorama."""
    sizes = [network_size(*size, pixels, multiple) for size in (_WIDEST, _USUAL, _TALLEST)]
    columns, rows = zip(*sizes, strict=True)
    return {'image': ShapeRange(
        (1, min(rows), min(columns), 3), (1, rows[1], columns[1], 3),
        (1, max(rows), max(columns), 3))}


def record_pictures(folder: Path, pixels: int, multiple: int) -> None:
    """Write a picture of each sample bag, as the network sees it, into a bundle's folder."""
    pictures = [_first_picture(find_sample_bag(name)) for name in SAMPLE_BAGS]
    sizes = [network_size(picture.shape[1], picture.shape[0], pixels, multiple)
             for picture in pictures]
    write_recorded(folder / RECORDED, [
        {'image': cv2.resize(picture, size, interpolation=cv2.INTER_AREA)[None]}
        for picture, size in zip(pictures, sizes, strict=True)])


def _first_picture(bag: Path) -> npt.NDArray[np.uint8]:
    with BagReader(bag) as reader:
        for topic in reader.topics(COMPRESSED_IMAGE):
            return decode_compressed(reader.first(topic))
        colour = (message for message in map(reader.first, reader.topics(IMAGE))
                  if '8' in message.encoding)
        return to_rgb(next(colour))
