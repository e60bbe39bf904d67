"""People: standing, walking, sitting and riding, from capsules and ellipsoids."""

import numpy as np

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_training.worlds.scene import Material
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import Thing
from deepsight_training.worlds.textures import cloth
from deepsight_training.worlds.textures import Colour
from deepsight_training.worlds.textures import vary
from deepsight_training.worlds.vehicles import bicycle

SKIN: tuple[Colour, ...] = ((0.87, 0.68, 0.57), (0.76, 0.56, 0.43), (0.55, 0.38, 0.28),
                            (0.36, 0.24, 0.18))
CLOTHES: tuple[Colour, ...] = (
    (0.1, 0.1, 0.12), (0.15, 0.18, 0.28), (0.35, 0.34, 0.33), (0.75, 0.73, 0.7),
    (0.5, 0.1, 0.12), (0.2, 0.35, 0.55), (0.55, 0.45, 0.3), (0.2, 0.3, 0.2), (0.8, 0.6, 0.15))


def _garment(build: SceneBuilder, rng: np.random.Generator) -> Material:
    colour = vary(rng, CLOTHES[int(rng.integers(len(CLOTHES)))], 0.2)
    if rng.random() < 0.3:
        return build.texture(cloth(rng, colour, 64), 0.6)
    return build.paint(colour)


def _leg(thing: Thing, hip: np.ndarray, knee: np.ndarray, foot: np.ndarray, trousers: Material,
         shoe: Material) -> None:
    thing.capsule(hip, knee, 0.078, trousers)
    thing.capsule(knee, foot, 0.058, trousers)
    thing.ellipsoid(foot + (0.06, 0, -0.03), (0.27, 0.1, 0.1), shoe)


def _upper_body(thing: Thing, rng: np.random.Generator, hip: np.ndarray, lean: float,
                reach: float) -> None:
    """Torso, arms and head above ``hip``; ``lean`` [m] moves the shoulders to the front."""
    build = thing.builder
    jacket = _garment(build, rng)
    skin = build.paint(vary(rng, SKIN[int(rng.integers(4))], 0.05))
    chest = hip + (lean, 0, 0.5)
    belly = float(rng.uniform(0.26, 0.36))
    thing.ellipsoid((hip + chest) / 2 + (0, 0, 0.02), (belly, 0.4, 0.72), jacket)
    thing.capsule(chest + (0, -0.15, -0.02), chest + (0, 0.15, -0.02), 0.085, jacket)
    if rng.random() < 0.35:
        thing.ellipsoid(hip + (0, 0, -0.05), (0.34, 0.42, 0.6), jacket)
    for side in (-1.0, 1.0):
        swing = reach if reach > 0.3 else side * reach
        shoulder = chest + (0, 0.2 * side, 0)
        elbow = shoulder + (0.5 * swing, 0.06 * side, -0.27)
        hand = elbow + (0.12 + 0.7 * swing, -0.02 * side, -0.2 + 0.2 * min(reach, 0.5))
        thing.capsule(shoulder, elbow, 0.055, jacket)
        thing.capsule(elbow, hand, 0.042, jacket)
        thing.ellipsoid(hand, (0.09, 0.08, 0.1), skin)
    head = chest + (0.03 + 0.3 * lean, 0, 0.25)
    thing.capsule(chest, head, 0.055, skin)
    thing.ellipsoid(head, (0.2, 0.165, 0.25), skin)
    hair = build.paint(vary(rng, ((.08, .06, .05), (.3, .2, .12), (.6, .5, .35), (.5, .5, .5))[
        int(rng.integers(4))], 0.2))
    thing.ellipsoid(head + (-0.025, 0, 0.045), (0.2, 0.185, 0.2), hair)
    if rng.random() < 0.25:
        thing.ellipsoid(chest + (-0.2, 0, -0.18), (0.2, 0.3, 0.45), _garment(build, rng))


def pedestrian(build: SceneBuilder, rng: np.random.Generator, position: np.ndarray, yaw: float,
               velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
    """Standing or walking person on the ground at ``position``."""
    thing = build.thing('person', SceneClass.PERSON, position, yaw, velocity)
    tall = float(rng.normal(1.0, 0.06))
    if rng.random() < 0.1:
        tall *= 0.75
    stride = float(rng.uniform(0.0, 0.32)) if not any(velocity) else 0.28
    trousers, shoe = _garment(build, rng), build.paint(vary(rng, (0.15, 0.13, 0.12), 0.5))
    hip = np.array([0.0, 0.0, 0.9 * tall])
    for side in (-1.0, 1.0):
        start = hip + (0, 0.09 * side, 0)
        knee = start + (0.5 * side * stride + 0.04, 0, -0.43 * tall)
        foot = np.array([side * stride, 0.09 * side, 0.08])
        _leg(thing, start, knee, foot, trousers, shoe)
    _upper_body(thing, rng, hip, 0.03, float(rng.uniform(0.0, 0.25)))


def seated(build: SceneBuilder, rng: np.random.Generator, position: np.ndarray, yaw: float,
           seat: float = 0.45) -> None:
    """Person on a seat of height ``seat`` [m] above ``position``."""
    thing = build.thing('person', SceneClass.PERSON, position, yaw)
    trousers, shoe = _garment(build, rng), build.paint(vary(rng, (0.15, 0.13, 0.12), 0.5))
    hip = np.array([0.0, 0.0, seat + 0.1])
    for side in (-1.0, 1.0):
        start = hip + (0, 0.1 * side, 0)
        knee = start + (0.42, 0.03 * side, 0.02)
        _leg(thing, start, knee, np.array([0.45, 0.12 * side, 0.08]), trousers, shoe)
    _upper_body(thing, rng, hip, 0.05, 0.15)


def cyclist(build: SceneBuilder, rng: np.random.Generator, position: np.ndarray, yaw: float,
            velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
    """Rider with bicycle, one object of class person as in CamVid and Cityscapes' riders."""
    thing = build.thing('cyclist', SceneClass.PERSON, position, yaw, velocity)
    bicycle(thing, rng)
    trousers, shoe = _garment(build, rng), build.paint((0.1, 0.1, 0.1))
    hip = np.array([-0.2, 0.0, 1.0])
    for side in (-1.0, 1.0):
        foot = np.array([-0.15 + 0.12 * side, 0.12 * side, 0.3 + 0.14 * side])
        knee = np.array([0.2, 0.12 * side, 0.62 + 0.1 * side])
        _leg(thing, hip + (0, 0.09 * side, 0), knee, foot, trousers, shoe)
    _upper_body(thing, rng, hip, 0.28, 0.45)
