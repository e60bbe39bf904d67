"""Textures of man-made pictures: facades with windows, shop fronts, posters, books, signs."""

import cv2
import numpy as np

from deepsight_training.worlds.textures import brick
from deepsight_training.worlds.textures import Colour
from deepsight_training.worlds.textures import concrete
from deepsight_training.worlds.textures import fractal_noise
from deepsight_training.worlds.textures import Image
from deepsight_training.worlds.textures import tiles
from deepsight_training.worlds.textures import to_image
from deepsight_training.worlds.textures import vary

CELL = 96
"""Pixels per bay (3 m) and per storey."""
BAYS, STOREYS = 4, 3
"""Bays and storeys in one facade tile; walls repeat the tile."""


def wall(rng: np.random.Generator, size: int) -> Image:
    """Bare outer wall: plaster, brick or panels."""
    kind = int(rng.integers(5))
    if kind <= 1:
        return brick(rng, size)
    if kind == 2:
        grey = float(rng.uniform(0.4, 0.75))
        return tiles(rng, (grey, grey, grey), 6, 4, joint=0.04, contrast=0.08, size=size)
    palette: tuple[Colour, ...] = (
        (0.82, 0.78, 0.68), (0.75, 0.66, 0.52), (0.7, 0.7, 0.68), (0.78, 0.6, 0.5),
        (0.62, 0.68, 0.7), (0.85, 0.84, 0.82), (0.66, 0.6, 0.45))
    return concrete(rng, vary(rng, palette[int(rng.integers(len(palette)))]), size)


def _glass(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """One pane: dark room, reflected sky towards the top, at times a curtain or a lamp."""
    sky = np.linspace(rng.uniform(0.25, 0.65), rng.uniform(0.08, 0.25), height)
    pane = np.repeat(sky[:, None, None], width, 1) * np.array([0.85, 0.95, 1.05])
    pane = pane * (0.8 + 0.4 * cv2.resize(fractal_noise(rng, 16, 1.0), (width, height))[..., None])
    if rng.random() < 0.35:
        cover = int(width * rng.uniform(0.15, 0.5))
        curtain = rng.uniform(0.5, 0.85) * np.array([1.0, 0.98, 0.92])
        pane[:, :cover] = pane[:, width - cover:] = curtain
    elif rng.random() < 0.12:
        pane += np.array([0.5, 0.4, 0.2]) * rng.uniform(0.3, 1.0)
    return np.asarray(pane)


def facade(rng: np.random.Generator) -> Image:
    """Facade tile of BAYS x STOREYS windows [STOREYS * CELL, BAYS * CELL, 3]."""
    height, width = STOREYS * CELL, BAYS * CELL
    image = cv2.resize(wall(rng, 384), (width, height)).astype(np.float32) / 255.0
    w = int(CELL * rng.uniform(0.3, 0.85))
    h = int(CELL * rng.uniform(0.4, 0.75))
    frame = int(rng.integers(2, 6))
    frame_colour = np.asarray(rng.choice([0.15, 0.5, 0.85, 0.9]) * np.ones(3), np.float32)
    bars = int(rng.integers(1, 4))
    sill = rng.random() < 0.6
    for row in range(STOREYS):
        for column in range(BAYS):
            top = row * CELL + (CELL - h) // 2
            left = column * CELL + (CELL - w) // 2
            image[top - frame:top + h + frame, left - frame:left + w + frame] = frame_colour
            image[top:top + h, left:left + w] = _glass(rng, h, w)
            for bar in range(1, bars):
                at = left + w * bar // bars
                image[top:top + h, at - 1:at + 1] = frame_colour
            image[top:top + 3, left:left + w] *= 0.5
            if sill:
                image[top + h + frame:top + h + frame + 4, left - 6:left + w + 6] *= 0.6
    return to_image(image)


def shop_front(rng: np.random.Generator, width: int = 768, height: int = 192) -> Image:
    """Ground floor with shop windows, doors and a sign band."""
    base = np.asarray(vary(rng, (0.35, 0.33, 0.31), 0.3), np.float32)
    image = np.ones((height, width, 3), np.float32) * base
    x = 0
    while x < width - 40:
        panel = int(rng.integers(60, 200))
        right = min(x + panel, width)
        if rng.random() < 0.75:
            image[50:height - 20, x + 6:right - 6] = _glass(rng, height - 70, right - x - 12)
            for _ in range(int(rng.integers(0, 8))):
                at = rng.integers([x + 6, 90], [max(right - 30, x + 7), height - 40])
                end = at + rng.integers(8, 30, 2)
                colour = tuple(float(c) for c in rng.uniform(0.1, 0.9, 3))
                cv2.rectangle(image, at.tolist(), end.tolist(), colour, -1)
        else:
            image[60:, x + 10:right - 10] = rng.uniform(0.1, 0.5, 3)
        x = right
    image[10:40] = np.asarray(rng.uniform(0.1, 0.8, 3))
    scrawl(rng, image[10:40], int(rng.integers(4, 10)))
    image[height - 20:] *= 0.6
    return to_image(image)


def scrawl(rng: np.random.Generator, image: np.ndarray, words: int) -> None:
    """Write ``words`` random capital words across ``image`` (float RGB, in place)."""
    height, width = image.shape[:2]
    ink = np.zeros((height, width), np.uint8)
    for _ in range(words):
        text = ''.join(chr(c) for c in rng.integers(65, 91, int(rng.integers(3, 9))))
        at = (int(rng.integers(0, max(width - 60, 1))), int(height * rng.uniform(0.5, 0.9)))
        cv2.putText(ink, text, at, cv2.FONT_HERSHEY_SIMPLEX, height / 45.0, (255,), 2, cv2.LINE_AA)
    share = ink[..., None].astype(np.float32) / 255.0
    image += share * (rng.choice([0.05, 0.95], 3) - image)


def poster(rng: np.random.Generator, size: int = 256) -> Image:
    """Poster, painting or screen: random shapes and words on a gradient."""
    start, end = rng.uniform(0.1, 0.9, (2, 3))
    image = np.asarray(start + np.linspace(0, 1, size)[:, None, None] * (end - start), np.float32)
    image = np.ascontiguousarray(np.repeat(image, size, 1))
    for _ in range(int(rng.integers(3, 12))):
        colour = tuple(float(c) for c in rng.uniform(0.0, 1.0, 3))
        centre = rng.integers(0, size, 2).tolist()
        if rng.random() < 0.5:
            cv2.circle(image, centre, int(rng.integers(8, size // 3)), colour, -1, cv2.LINE_AA)
        else:
            cv2.fillPoly(image, [rng.integers(0, size, (4, 2)).astype(np.int32)], colour)
    scrawl(rng, image[size // 2:size // 2 + 50], 2)
    return to_image(image)


def books(rng: np.random.Generator, width: int = 256, height: int = 64) -> Image:
    """One shelf of books and gaps."""
    image = np.full((height, width, 3), 0.12, np.float32)
    x = 0
    while x < width:
        thick = int(rng.integers(3, 14))
        top = int(rng.integers(2, height // 2))
        if rng.random() < 0.9:
            image[top:, x:x + thick] = vary(rng, (0.5, 0.45, 0.4), 0.5)
            image[top + 6:top + 10, x:x + thick] *= 1.5
        image[:, x:x + 1] *= 0.4
        x += thick
    return to_image(image)
