"""Questions whose answer is a length."""

import cv2
import numpy as np

from deepsight_ros.geometry.points import first_obstacle
from deepsight_ros.language.answers import metres
from deepsight_ros.language.answers import NOTHING_AHEAD
from deepsight_training.instructions.draft import Draft
from deepsight_training.instructions.draft import draw_flat_pixels
from deepsight_training.instructions.draft import nearest_of
from deepsight_training.instructions.draft import Pixel
from deepsight_training.instructions.draft import place_at
from deepsight_training.instructions.draft import singular
from deepsight_training.instructions.draft import STRUCTURE
from deepsight_training.instructions.sample import FrameSample

MIN_GAP = 0.3
"""Metres: places nearer to each other are not asked for the distance between them."""


def nearest_obstacle(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """First thing that the robot hits when it moves straight on, along the ground."""
    found = first_obstacle(sample.ground_points, sample.robot)
    if found is None:
        return Draft({}, NOTHING_AHEAD)
    place = place_at(sample, found.pixel)
    return Draft({}, f'{metres(found.distance)} ahead at {place}', (place,),
                 value=found.distance)


def nearest_surface(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Nearest of all that is in view, the ground included."""
    found = nearest_of(sample, np.isfinite(sample.ranges))
    if found is None:
        return None
    place = place_at(sample, found[1])
    return Draft({}, f'{metres(found[0])} at {place}', (place,), value=found[0])


def thing_distance(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Nearest point of the nearest thing of a class."""
    things = sample.things
    classes = [index for index in things.classes()
               if index not in STRUCTURE and index not in things.unclear]
    if not classes:
        return None
    chosen = int(rng.choice(classes))
    found = nearest_of(
        sample, np.any([things.masks[thing] for thing in things.of_class(chosen)], 0))
    if found is None:
        return None
    place = place_at(sample, found[1])
    # First where it is: there, how far it is can be read.
    return Draft({'thing': singular(sample, chosen)}, f'{place}: {metres(found[0])}', (place,),
                 value=found[0])


def place_distance(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Straight distance from the camera to a place."""
    pixels = draw_flat_pixels(sample, rng, 8)
    if not pixels:
        return None
    column, row = pixels[0]
    place = place_at(sample, pixels[0], bool(rng.random() < 0.5))
    distance = float(sample.ranges[row, column])
    return Draft({'place': place}, metres(distance), (place,), value=distance)


def place_height(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Height of a place above the ground, from 0.15 m up."""
    for column, row in draw_flat_pixels(sample, rng, 8):
        height = float(sample.ground_points[row, column, 2])
        if height > 0.15:
            place = place_at(sample, (column, row), bool(rng.random() < 0.5))
            return Draft({'place': place}, metres(height), (place,), value=height)
    return None


def distance_between(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Straight distance between two places, or between the nearest points of two things."""
    if rng.random() < 0.5:
        return _between_places(sample, rng)
    return _between_things(sample, rng) or _between_places(sample, rng)


def _between_places(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    pixels = draw_flat_pixels(sample, rng, 2)
    if len(pixels) < 2:
        return None
    a, b = (sample.points[row, column] for column, row in pixels)
    distance = float(np.linalg.norm(a - b))
    if distance < MIN_GAP:
        return None
    regions = bool(rng.random() < 0.5)
    first, second = (place_at(sample, pixel, regions) for pixel in pixels)
    return Draft({'a': first, 'b': second}, metres(distance), (first, second), value=distance)


def _between_things(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Between two things of classes that are there once, so that their names suffice."""
    things = sample.things
    single = [index for index in things.classes()
              if index not in STRUCTURE | things.unclear and len(things.of_class(index)) == 1]
    if len(single) < 2:
        return None
    pair = rng.choice(single, 2, replace=False).tolist()
    pixels = [np.argwhere(things.masks[things.of_class(index)[0]] & np.isfinite(sample.ranges))
              for index in pair]
    clouds = [sample.points[tuple(where.T)] for where in pixels]
    nearest = min(cv2.BFMatcher().match(*clouds), key=lambda match: match.distance)
    if nearest.distance < MIN_GAP:
        return None
    ends: tuple[Pixel, Pixel] = (tuple(pixels[0][nearest.queryIdx, ::-1].tolist()),
                                 tuple(pixels[1][nearest.trainIdx, ::-1].tolist()))
    slots = {key: f'the {singular(sample, index)}' for key, index in zip('ab', pair, strict=True)}
    first, second = (place_at(sample, end) for end in ends)
    return Draft(slots, f'{first} {second}: {metres(nearest.distance)}', (first, second),
                 value=nearest.distance)


def size(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Height or width of a thing that is alone of its class and wholly in view.

    Height counts from the ground to its top, width across the line of sight.
    """
    things = sample.things
    whole = [thing for thing, index in things.class_of.items()
             if index not in STRUCTURE | things.unclear and len(things.of_class(index)) == 1
             and thing not in sample.cut and _is_whole(sample, things.masks[thing])]
    if not whole:
        return None
    thing = int(rng.choice(whole))
    points = sample.ground_points[things.masks[thing]]
    # What the lower border cuts may be wider below it.
    if rng.random() < 0.5 or things.masks[thing][-1].any():
        words = {'tall': 'tall', 'height': 'height'}
        measure = float(np.nanmax(points[:, 2]))
    else:
        words = {'tall': 'wide', 'height': 'width'}
        bearing = np.arctan2(np.nanmean(points[:, 1]), np.nanmean(points[:, 0]))
        across = np.cos(bearing) * points[:, 1] - np.sin(bearing) * points[:, 0]
        measure = float(np.nanmax(across) - np.nanmin(across))
    if measure < 0.1:
        return None
    rows, columns = np.nonzero(things.masks[thing])
    middle = int(np.argmin((rows - rows.mean())**2 + (columns - columns.mean())**2))
    place = place_at(sample, (int(columns[middle]), int(rows[middle])))
    name = singular(sample, things.class_of[thing])
    return Draft({**words, 'thing': name}, metres(measure), (place,), value=measure)


def _is_whole(sample: FrameSample, mask: np.ndarray) -> bool:
    """Whether nothing nearer and no border of the picture cuts a thing at top, left or right."""
    if mask[0].any() or mask[:, 0].any() or mask[:, -1].any():
        return False
    depth = np.where(np.isnan(sample.depth), np.inf, sample.depth)
    for beyond, edge in (((slice(0, -1), slice(None)), (slice(1, None), slice(None))),
                         ((slice(None), slice(0, -1)), (slice(None), slice(1, None))),
                         ((slice(None), slice(1, None)), (slice(None), slice(0, -1)))):
        border = mask[edge] & ~mask[beyond]
        hidden = depth[beyond][border] < depth[edge][border]
        if hidden.mean() > 0.1:
            return False
    return True


def extent(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Height or width of a room or corridor whose ceiling or side walls are in view."""
    if not sample.extents or not sample.scene:
        return None
    name = str(rng.choice(sorted(sample.extents)))
    words = {'high': 'high' if name == 'height' else 'wide', 'height': name, 'room': sample.scene}
    return Draft(words, metres(sample.extents[name]), value=sample.extents[name])
