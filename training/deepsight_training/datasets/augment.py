"""Random views of a sample: geometry, then colour, then what a camera does to a picture."""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_ros.geometry.scene_classes import VOID
from deepsight_training.datasets.sample import Sample

NETWORK_AREA: Final = 140_000
"""Pixels of a network input; a picture of any size is scaled to this area at run time."""

Rng = np.random.Generator


def random_view(
    sample: Sample, size: tuple[int, int], stride: int, rng: Rng
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Cut a random, randomly distorted view out of a sample.

    Args:
        sample: what to look at.
        size: height and width of the view.
        stride: labels are sampled at the centres of cells of this many pixels.
        rng: the only source of chance; the same state gives the same view.

    Returns:
        RGB uint8 [H, W, 3] and labels uint8 [H/stride, W/stride], VOID outside the picture.
    """
    to_sample = _random_geometry(sample.image.shape[:2], size, rng)
    image = cv2.warpAffine(
        sample.image, to_sample, (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(110, 110, 110),
    )
    centre = (stride - 1) / 2
    cells = np.array([[stride, 0, centre], [0, stride, centre], [0, 0, 1]])
    labels = cv2.warpAffine(
        sample.labels, to_sample @ cells, (size[1] // stride, size[0] // stride),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=VOID,
    )
    if rng.random() < 0.4:
        image = _cast_shadow(image, rng)
    image = _random_camera(_random_colour(image, rng), rng)
    return np.ascontiguousarray(image, np.uint8), np.ascontiguousarray(labels, np.uint8)


def _random_geometry(
    shape: tuple[int, int], size: tuple[int, int], rng: Rng
) -> npt.NDArray[np.float64]:
    """Affine map [2, 3] from view to sample pixels: scale, aspect, rotation, flip, place."""
    scale = math.sqrt(NETWORK_AREA / (shape[0] * shape[1])) * 2.0 ** rng.uniform(-0.6, 1.0)
    aspect = 2.0 ** rng.uniform(-0.15, 0.15)
    scales = np.array([scale * aspect, scale / aspect])  # along x, y; sample to view
    angle = rng.normal(0.0, math.radians(2.0))
    rotation = np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    linear = rotation / scales[:, None]
    if rng.random() < 0.5:
        linear[:, 0] = -linear[:, 0]
    view = np.array([size[1], size[0]], np.float64)
    picture = np.array([shape[1], shape[0]], np.float64)
    # The centre of the view moves as far as the view stays inside the picture, or the picture
    # inside the view when the picture is the smaller one.
    room = np.abs(picture - view / scales) / 2
    centre = picture / 2 + rng.uniform(-1.0, 1.0, 2) * room
    offset = centre - 0.5 - linear @ (view / 2 - 0.5)
    return np.column_stack([linear, offset])


def _cast_shadow(image: npt.NDArray[np.uint8], rng: Rng) -> npt.NDArray[np.uint8]:
    """Darken a random polygon.

    CamVid is overcast: a network that knows only its soft light takes the hard shadow beside a
    car for the car. What the sky alone lights gets a fifth to two thirds of the light, bluer.
    """
    height, width = image.shape[:2]
    centre = rng.uniform(0.0, 1.0, 2) * (width, height)
    angles = np.sort(rng.uniform(0.0, 2.0 * math.pi, int(rng.integers(3, 8))))
    radii = rng.uniform(0.05, 0.6, (len(angles), 1)) * (width, height)
    corners = centre + radii * np.column_stack([np.cos(angles), np.sin(angles)])
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 4.0))
    light = rng.uniform(0.2, 0.65) * np.array([0.95, 1.0, 1.1], np.float32)
    shade = 1.0 - mask[..., None] * (1.0 - light)
    return (image * shade.astype(np.float32)).astype(np.uint8)


def _random_colour(image: npt.NDArray[np.uint8], rng: Rng) -> npt.NDArray[np.uint8]:
    """Exposure, gamma, contrast, white balance as one lookup table; saturation; sometimes grey."""
    levels = np.linspace(0.0, 1.0, 256)[:, None] ** (2.0 ** rng.uniform(-0.8, 0.8, (1, 1)))
    contrast = 2.0 ** rng.uniform(-0.6, 0.4)
    balance = 2.0 ** (rng.uniform(-0.35, 0.35) + rng.normal(0.0, 0.12, (1, 3)))
    levels = ((levels - 0.45) * contrast + 0.45) * balance
    table = np.clip(levels * 255.0, 0, 255).astype(np.uint8)[None]
    image = cv2.LUT(image, table)
    if rng.random() < 0.15:
        # Wood is not always floor, and green not always grass.
        image = np.ascontiguousarray(image[..., rng.permutation(3)])
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.4, 1.5)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, saturation, grey, 1.0 - saturation, 0.0)


def _random_camera(image: npt.NDArray[np.uint8], rng: Rng) -> npt.NDArray[np.uint8]:
    """Blur, sensor noise, JPEG."""
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.2:
        noise = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(noise, 0, rng.uniform(2.0, 14.0))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.15:
        quality = int(rng.integers(15, 70))
        _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return image
