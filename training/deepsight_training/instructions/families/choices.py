"""Questions that compare places, and those answered by yes, no, or a direction."""

from itertools import pairwise
from itertools import permutations
import math
from typing import Final

import numpy as np

from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.geometry.points import free_ways
from deepsight_ros.language.answers import metres
from deepsight_ros.language.answers import NOTHING_AHEAD
from deepsight_training.instructions.draft import Draft
from deepsight_training.instructions.draft import draw_flat_pixels
from deepsight_training.instructions.draft import Pixel
from deepsight_training.instructions.draft import place_at
from deepsight_training.instructions.draft import singular
from deepsight_training.instructions.draft import STRUCTURE
from deepsight_training.instructions.sample import FrameSample

NEARER_RATIO: Final = (1.04, 1.5)
"""How many times farther the farther of two places is: the logarithm is drawn evenly."""
ORDER_RATIO: Final = 1.08
"""Least factor between neighbours of three places that are ordered."""
SAFE_RATIO: Final = (1.04, 1.5)
"""How far X is from the clearance, as a factor above or below."""
FREE_RATIO: Final = 1.15
"""Least factor by which the freest way is longer than the second."""
HIGHER: Final = (0.15, 1.5)
"""Difference in height between two places, in metres."""


def nearer(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Which of two places is nearer; as often as not the lower one in the picture."""
    pixels = draw_flat_pixels(sample, rng, 48)
    if len(pixels) < 2:
        return None
    ranges = np.log([sample.ranges[row, column] for column, row in pixels])
    rows = np.array([row for _, row in pixels])
    gap = ranges[None, :] - ranges[:, None]
    low, high = np.log(NEARER_RATIO)
    # Entry [i, j]: i is nearer than j. Half of the pairs must contradict "lower is nearer".
    below = (rows[:, None] > rows[None, :]) == (rng.random() < 0.5)
    fitting = np.argwhere((gap > low) & (gap < high) & below & (rows[:, None] != rows[None, :]))
    if len(fitting) == 0:
        return None
    wanted = rng.uniform(low, high)
    i, j = fitting[int(np.argmin(np.abs(gap[tuple(fitting.T)] - wanted)))]
    return _compared(sample, rng, [pixels[i], pixels[j]])


def order(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Order of three places by distance."""
    pixels = draw_flat_pixels(sample, rng, 24)
    for _ in range(20):
        if len(pixels) < 3:
            return None
        chosen = [pixels[i] for i in rng.choice(len(pixels), 3, replace=False)]
        chosen.sort(key=lambda pixel: float(sample.ranges[pixel[1], pixel[0]]))
        ranges = [float(sample.ranges[row, column]) for column, row in chosen]
        if all(b > ORDER_RATIO * a for a, b in pairwise(ranges)):
            return _compared(sample, rng, chosen)
    return None


def _compared(sample: FrameSample, rng: np.random.Generator, chosen: list[Pixel]) -> Draft:
    """Letter the places, which come nearest first, at random."""
    letters = 'ABC'[:len(chosen)]
    shuffled = rng.permutation(len(chosen))
    regions = bool(rng.random() < 0.5)
    slots = {letters[k].lower(): place_at(sample, chosen[rank], regions)
             for k, rank in enumerate(shuffled)}
    inverse = ''.join(letters[int(np.flatnonzero(shuffled == rank)[0])]
                      for rank in range(len(chosen)))
    if len(chosen) == 2:
        answer, options = inverse[0], tuple(letters)
    else:
        answer, options = inverse, tuple(''.join(p) for p in permutations(letters))
    return Draft(slots, answer, tuple(slots.values()), options)


def safe(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Whether the robot may move X ahead; X is drawn near the clearance."""
    found = first_obstacle(sample.ground_points, sample.robot)
    if found is None:
        x = float(np.exp(rng.uniform(np.log(0.5), np.log(8.0))))
        return Draft({'x': length_words(rng, x)}, f'yes, {NOTHING_AHEAD}', options=('yes', 'no'))
    factor = math.exp(rng.uniform(*np.log(SAFE_RATIO)))
    is_safe = bool(rng.random() < 0.5)
    x = found.distance / factor if is_safe else found.distance * factor
    place = place_at(sample, found.pixel)
    answer = f'{"yes" if is_safe else "no"}, {metres(found.distance)} ahead at {place}'
    return Draft({'x': length_words(rng, x)}, answer, (place,), ('yes', 'no'), found.distance)


def length_words(rng: np.random.Generator, x: float) -> str:
    """Return a length as people write it."""
    form = int(rng.integers(4))
    if form == 0 and x < 3:
        return f'{100 * x:.0f} cm'
    return f'{x:.2f} {("metres", "m", "m", "meters")[form]}'


def free_direction(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Which of three ways is free the farthest: left, ahead or right."""
    ways = free_ways(sample.ground_points, sample.camera, sample.robot)
    first, second, _ = sorted(ways, key=lambda name: -ways[name])
    if ways[first] < FREE_RATIO * ways[second]:
        return None
    return Draft({}, first, options=tuple(ways))


def above_below(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Whether one place is higher above the ground than another."""
    pixels = draw_flat_pixels(sample, rng, 24)
    heights = np.array([sample.ground_points[row, column, 2] for column, row in pixels])
    if len(heights) < 2:
        return None
    gaps = heights[:, None] - heights[None, :]
    fitting = np.argwhere((np.abs(gaps) > HIGHER[0]) & (np.abs(gaps) < HIGHER[1]))
    if len(fitting) == 0:
        return None
    i, j = rng.choice(fitting)
    regions = bool(rng.random() < 0.5)
    a, b = (place_at(sample, pixels[k], regions) for k in (i, j))
    return Draft({'a': a, 'b': b}, 'higher' if gaps[i, j] > 0 else 'lower', (a, b),
                 ('higher', 'lower'))


def left_right(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Whether a thing is left or right of another in the picture, both alone of their class."""
    things = sample.things
    single = [index for index in things.classes()
              if index not in STRUCTURE | things.unclear and len(things.of_class(index)) == 1]
    if len(single) < 2:
        return None
    pair = rng.choice(single, 2, replace=False).tolist()
    middles = []
    for index in pair:
        rows, columns = np.nonzero(things.masks[things.of_class(index)[0]])
        middles.append((int(columns.mean()), int(rows.mean())))
    gap = middles[0][0] - middles[1][0]
    if abs(gap) < 0.04 * sample.camera.width:
        return None
    slots = {key: singular(sample, index) for key, index in zip('ab', pair, strict=True)}
    # First where they are: from there, which side it is can be told.
    places = tuple(place_at(sample, middle) for middle in middles)
    side = 'left' if gap < 0 else 'right'
    return Draft(slots, f'{places[0]} is {side} of {places[1]}', places, ('left', 'right'))
