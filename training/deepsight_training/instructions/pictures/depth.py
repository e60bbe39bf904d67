"""Frames from plain pictures: depth by a network, names by annotations."""

from typing import Final

import cv2
import numpy as np
from PIL import Image
import torch
from transformers import AutoImageProcessor
from transformers import AutoModelForDepthEstimation

from deepsight_ros.geometry import Camera
from deepsight_training.datasets.coco import CocoPicture
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FloatImage
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.sample import SIZE

ASSUMED_FOV: Final = 60.0
"""Horizontal field of view in degrees of pictures that do not tell theirs."""
_OURS: Final = {'couch': 'sofa', 'potted plant': 'plant', 'dining table': 'table'}
"""COCO's words for classes of ours."""


class DepthEstimator:
    """Metric depth of a picture by any depth model of transformers, GLPN in the paper."""

    def __init__(self, name: str) -> None:
        """Load a local folder or a model of the hub; it must give metres, not relative depth."""
        self._processor = AutoImageProcessor.from_pretrained(name)
        self._model = AutoModelForDepthEstimation.from_pretrained(name).eval().to(
            'cuda' if torch.cuda.is_available() else 'cpu')

    @torch.inference_mode()
    def __call__(self, picture: Image.Image) -> FloatImage:
        """Return depth [H, W] in metres, of the picture's size."""
        inputs = self._processor(images=picture, return_tensors='pt').to(
            self._model.device, self._model.dtype)
        found, = self._processor.post_process_depth_estimation(
            self._model(**inputs), target_sizes=[(picture.height, picture.width)])
        depth: FloatImage = found['predicted_depth'].float().cpu().numpy()
        return depth


def picture_sample(picture: CocoPicture, depth: FloatImage) -> FrameSample:
    """Frame of SIZE from a picture's depth [H, W] and annotations; its ground is unknown.

    Categories that are no class of ours are added behind ``CLASS_NAMES``.
    """
    height, width = depth.shape
    names = [_OURS.get(thing.name, thing.name) for thing in picture.objects]
    class_names = (*CLASS_NAMES, *sorted({*names} - {*CLASS_NAMES}))
    classes, instances = np.zeros((2, SIZE[1], SIZE[0]), np.int32)
    # Larger objects first: what lies on another one is smaller.
    order = sorted(range(len(names)), key=lambda i: -int(picture.objects[i].mask.sum()))
    for identity, index in enumerate(order, 1):
        mask = _resized(picture.objects[index].mask.astype(np.uint8)) > 0
        classes[mask], instances[mask] = class_names.index(names[index]), identity
    focal = width / 2 / np.tan(np.radians(ASSUMED_FOV) / 2)
    camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2).scaled(*SIZE)
    return FrameSample(picture.name, _resized(depth), camera.matrix, np.array([0.0, -1.0, 0.0]),
                       np.nan, instances, classes.astype(np.uint8), class_names)


def _resized(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_NEAREST))
