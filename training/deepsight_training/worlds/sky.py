"""The sky as a function of direction: gradient, glow around the sun, clouds on one layer."""

import numpy as np
import numpy.typing as npt

from deepsight_training.worlds.scene import Atmosphere
from deepsight_training.worlds.textures import fractal_noise

CLOUD_TILE = 6.0
"""The cloud layer repeats after this many multiples of its height."""


def sky_colours(air: Atmosphere, rays: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Colours [n, 3] in 0..1 along world directions ``rays`` [n, 3] of any length."""
    unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    up = np.clip(unit[:, 2:3], 0.0, 1.0)
    zenith, horizon = np.asarray(air.zenith), np.asarray(air.horizon)
    colour = horizon + (zenith - horizon) * (1.0 - np.exp(-3.5 * up))
    toward_sun = np.clip(-(unit @ np.asarray(air.sun_direction)), 0.0, 1.0)[:, None]
    glow = 0.25 * toward_sun ** 8 + 0.8 * toward_sun ** 200
    colour = colour + glow * (1.0 - air.cloud_cover) * np.array([1.0, 0.93, 0.8])
    rng = np.random.default_rng(air.seed)
    noise = fractal_noise(rng, 512, 1.55)
    threshold = np.quantile(noise, 1.0 - air.cloud_cover)
    layer = unit[:, :2] / (up + 0.06) / CLOUD_TILE * 512 + rng.uniform(0, 512, 2)
    cloud = _sample(noise, layer)[:, None]
    density = np.clip((cloud - threshold) * 9.0, 0.0, 1.0) * np.clip(up * 12.0, 0.0, 1.0) * 0.9
    shade = 0.97 - 0.3 * np.clip((cloud - threshold) * 3.0, 0.0, 1.0)
    white = shade * (0.5 * horizon + 0.5) * (0.6 + 0.4 * horizon.max())
    return np.asarray(np.clip(colour + density * (white - colour), 0.0, 1.0), np.float32)


def _sample(image: npt.NDArray[np.float32],
            at: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Bilinear values [n] of a periodic square image at positions [n, 2]."""
    size = len(image)
    corner = np.floor(at).astype(np.int64)
    (fx, fy), (x, y) = (at - corner).astype(np.float32).T, (corner % size).T
    x1, y1 = (x + 1) % size, (y + 1) % size
    low = image[y, x] * (1 - fx) + image[y, x1] * fx
    high = image[y1, x] * (1 - fx) + image[y1, x1] * fx
    return np.asarray(low * (1 - fy) + high * fy)
