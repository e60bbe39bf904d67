"""What air, lens and sensor do to a rendered picture."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from deepsight_training.worlds.scene import Atmosphere

Picture = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """One camera's rendering of light: all neutral by default."""

    automatic: bool = True
    """Whether the exposure follows each picture's brightness; ``exposure`` then corrects it."""
    exposure: float = 1.0
    gamma: float = 1.0
    contrast: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    vignette: float = 0.0
    """Loss of light in the corners, 0..1."""
    blur: float = 0.0
    """Standard deviation of the lens blur [px]."""
    noise: float = 0.0
    """Standard deviation of the noise at middle grey (full scale 1)."""


def random_sensor(rng: np.random.Generator) -> Sensor:
    """Draw an ordinary camera with automatic exposure that sometimes errs."""
    warm, green = rng.normal(0.0, (0.05, 0.015))
    return Sensor(
        exposure=float(np.exp(rng.normal(0.0, 0.15))),
        gamma=float(np.exp(rng.normal(0.0, 0.14))),
        contrast=float(rng.uniform(0.85, 1.25)),
        white_balance=(1.0 + float(warm), 1.0 + float(green), 1.0 - float(warm)),
        saturation=float(rng.uniform(0.45, 1.2)),
        vignette=float(rng.uniform(0.0, 0.35)),
        blur=float(rng.choice([0.0, 0.0, 0.5, 0.8, 1.2])),
        noise=float(rng.choice([0.004, 0.008, 0.015, 0.025])))


def haze(picture: Picture, depth: npt.NDArray[np.float32], air: Atmosphere) -> Picture:
    """Mix far things with the colour of the horizon (Koschmieder's law)."""
    clear = np.exp(-3.0 * np.where(np.isfinite(depth), depth, 0.0) / air.visibility)[..., None]
    return np.asarray(picture * clear + np.asarray(air.horizon) * (1.0 - clear), np.float32)


def photograph(picture: Picture, sensor: Sensor,
               rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Expose ``picture`` [H, W, 3] (0..1) and return uint8 RGB."""
    height, width = picture.shape[:2]
    exposure = sensor.exposure
    if sensor.automatic:
        # The middle of the picture's brightness goes to a little below middle grey.
        exposure *= float(np.clip(0.38 / max(float(np.median(picture)), 1e-3), 0.7, 2.2))
    image = picture * np.asarray(sensor.white_balance, np.float32) * exposure
    if sensor.vignette > 0:
        y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j]
        image = image * (1.0 - sensor.vignette * (x * x + y * y)[..., None] / 2.0)
    grey = image.mean(2, keepdims=True)
    image = np.clip(grey + sensor.saturation * (image - grey), 0.0, None)
    # A soft shoulder instead of hard clipping, as cameras have it.
    image = np.where(image > 0.75, 0.75 + 0.25 * np.tanh((image - 0.75) / 0.25), image)
    image = np.clip(0.5 + sensor.contrast * (image ** sensor.gamma - 0.5), 0.0, 1.0)
    if sensor.blur > 0:
        image = cv2.GaussianBlur(image, (0, 0), sensor.blur)
    if sensor.noise > 0:
        grain = rng.standard_normal(image.shape) + 0.7 * rng.standard_normal((height, width, 1))
        image = image + sensor.noise * grain * np.sqrt(0.15 + image)
    return np.asarray(np.clip(image * 255.0 + 0.5, 0, 255), np.uint8)
