"""Procedural, tileable textures: uint8 RGB images made from filtered noise.

Every function takes a NumPy generator first, so that a scene's seed fixes its textures. Noise is
shaped in the Fourier domain, which makes it periodic: textures repeat without seams.
"""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Noise = npt.NDArray[np.float32]
Colour = tuple[float, float, float]
"""Red, green, blue in 0..1."""


def fractal_noise(rng: np.random.Generator, size: int, roughness: float = 1.0) -> Noise:
    """Periodic noise [size, size] in 0..1 whose amplitude falls as ``frequency ** -roughness``."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * frequency ** -roughness
    noise = np.fft.irfft2(spectrum, (size, size))
    return np.asarray(np.clip(0.5 + noise / (6.0 * noise.std()), 0.0, 1.0), np.float32)


def tint(value: npt.ArrayLike, colour: Colour, contrast: float) -> npt.NDArray[np.float32]:
    """Colour image [H, W, 3] in 0..1: ``colour`` with brightness varied by ``value`` (0..1)."""
    brightness = 1.0 + contrast * (2.0 * np.asarray(value, np.float32) - 1.0)
    return np.asarray(brightness[..., None] * np.asarray(colour, np.float32), np.float32)


def to_image(values: npt.NDArray[np.float32]) -> Image:
    """Round colours in 0..1 to uint8."""
    return np.asarray(np.clip(values * 255.0 + 0.5, 0, 255), np.uint8)


def vary(rng: np.random.Generator, colour: Colour, spread: float = 0.06) -> Colour:
    """Return ``colour`` with brightness and hue jittered by about ``spread``."""
    jitter = rng.normal(0.0, spread) + rng.normal(0.0, spread / 4, 3)
    red, green, blue = np.clip(np.asarray(colour) * (1.0 + jitter), 0.02, 1.0)
    return float(red), float(green), float(blue)


def asphalt(rng: np.random.Generator, size: int = 1024) -> Image:
    """Return worn asphalt: grains, stains and a few cracks."""
    grey = float(rng.uniform(0.27, 0.5))
    colour = vary(rng, (grey, grey, grey * float(rng.uniform(0.96, 1.06))), 0.02)
    image = tint(fractal_noise(rng, size, 1.4), colour, 0.25)
    image *= 1.0 + 0.35 * (fractal_noise(rng, size, 0.1)[..., None] - 0.5)
    for _ in range(int(rng.integers(0, 5))):
        steps = np.cumsum(rng.normal(0.0, 6.0, (60, 2)) + rng.normal(0.0, 4.0, 2), axis=0)
        path = np.asarray(rng.uniform(0, size, 2) + steps, np.int32)
        cv2.polylines(image, [path], False, tuple(0.55 * c for c in colour), 2, cv2.LINE_AA)
    return to_image(image)


def concrete(rng: np.random.Generator, colour: Colour, size: int = 512,
             blotches: float = 0.18) -> Image:
    """Concrete, plaster or soil: soft blotches of the given contrast with fine grain."""
    image = tint(fractal_noise(rng, size, 1.5), colour, blotches)
    return to_image(image * (1.0 + 0.12 * (fractal_noise(rng, size, 0.3)[..., None] - 0.5)))


def grass(rng: np.random.Generator, size: int = 512) -> Image:
    """Grass from lush to dry, with bare patches."""
    lush = np.asarray(vary(rng, (0.3, 0.41, 0.17), 0.15), np.float32)
    dry = np.asarray(vary(rng, (0.53, 0.49, 0.28), 0.1), np.float32)
    share = np.clip(fractal_noise(rng, size, 1.3) * 2.0 - rng.uniform(0.3, 1.1), 0.0, 1.0)
    image = lush + share[..., None] * (dry - lush)
    return to_image(image * (1.0 + 1.0 * (fractal_noise(rng, size, 0.35)[..., None] - 0.5)))


def tiles(rng: np.random.Generator, colour: Colour, rows: int, columns: int,
          bond: float = 0.0, joint: float = 0.05, contrast: float = 0.15,
          size: int = 512) -> Image:
    """Rectangular tiles, bricks or slabs with joints.

    ``bond`` shifts every second row by that share of a tile (0.5: running bond); ``joint`` is the
    joint's width as a share of a tile's height; ``contrast`` is the variation between tiles.
    """
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    row = np.floor(y * rows).astype(int)
    across = (x * columns + bond * (row % 2)) % columns
    column = np.floor(across).astype(int)
    shade = rng.uniform(0.0, 1.0, (rows, columns)).astype(np.float32)[row, column]
    image = tint(shade, colour, contrast) * (
        1.0 + 0.3 * (fractal_noise(rng, size, 0.8)[..., None] - 0.5))
    edge_y = np.abs((y * rows) % 1.0 - 0.5) > 0.5 - joint / 2
    edge_x = np.abs(across % 1.0 - 0.5) > 0.5 - joint / 2 * columns / rows
    image[edge_y | edge_x] *= float(rng.uniform(0.55, 0.8))
    return to_image(image)


def brick(rng: np.random.Generator, size: int = 512) -> Image:
    """Running-bond brickwork, red to yellow to grey."""
    base = ((0.55, 0.28, 0.2), (0.62, 0.47, 0.33), (0.5, 0.47, 0.44), (0.42, 0.24, 0.19))
    colour = vary(rng, base[int(rng.integers(len(base)))], 0.08)
    return tiles(rng, colour, 24, 8, bond=0.5, joint=0.14, contrast=0.22, size=size)


def paving(rng: np.random.Generator, size: int = 512) -> Image:
    """Pavement: slabs, small pavers or cast concrete."""
    grey = float(rng.uniform(0.42, 0.68))
    warm = float(rng.uniform(0.0, 0.06))
    colour = (grey + warm, grey, grey - warm)
    kind = int(rng.integers(4))
    if kind == 0:
        return concrete(rng, colour, size)
    rows, columns, bond = ((6, 6, 0.0), (10, 5, 0.5), (20, 10, 0.5))[kind - 1]
    return tiles(rng, colour, rows, columns, bond, joint=0.07, contrast=0.1, size=size)


def planks(rng: np.random.Generator, size: int = 512) -> Image:
    """Wooden boards along the texture's x axis."""
    colour = vary(rng, ((0.56, 0.4, 0.25), (0.42, 0.28, 0.17), (0.7, 0.57, 0.4),
                        (0.5, 0.45, 0.4))[int(rng.integers(4))], 0.08)
    grain = cv2.resize(fractal_noise(rng, size, 0.7)[:, :size // 16], (size, size))
    image = tint(grain, colour, 0.35)
    boards = tiles(rng, (0.9, 0.9, 0.9), 8, 2, bond=0.5, joint=0.05, contrast=0.12, size=size)
    return to_image(image * (boards.astype(np.float32) / 230.0))


def cloth(rng: np.random.Generator, colour: Colour, size: int = 256) -> Image:
    """Woven cloth or carpet: weave, folds, at times stripes or checks."""
    image = tint(fractal_noise(rng, size, 1.2), colour, 0.25)
    image *= 1.0 + 0.4 * (fractal_noise(rng, size, 0.1)[..., None] - 0.5)
    wave = np.sin(np.arange(size) * 2.0 * np.pi * int(rng.integers(2, 12)) / size) > 0
    kind = int(rng.integers(4))
    if kind == 1:
        image[wave] *= np.asarray(rng.uniform(0.5, 1.2, 3), np.float32)
    elif kind == 2:
        image[wave[:, None] ^ wave[None, :]] *= float(rng.uniform(0.55, 0.85))
    return to_image(image)


def foliage(rng: np.random.Generator, size: int = 256) -> Image:
    """Leaves: green to autumn, with dark gaps."""
    base = ((0.25, 0.36, 0.14), (0.33, 0.4, 0.17), (0.2, 0.29, 0.15), (0.45, 0.38, 0.14),
            (0.4, 0.27, 0.13))[int(rng.choice(5, p=(0.35, 0.3, 0.2, 0.08, 0.07)))]
    image = tint(fractal_noise(rng, size, 0.5), vary(rng, base, 0.12), 0.9)
    return to_image(image * (0.5 + fractal_noise(rng, size, 1.2)[..., None]))


def bark(rng: np.random.Generator, size: int = 128) -> Image:
    """Bark: vertical streaks."""
    streaks = cv2.resize(fractal_noise(rng, size, 0.6)[:size // 8], (size, size))
    return to_image(tint(streaks, vary(rng, (0.35, 0.29, 0.23), 0.12), 0.6))
