"""Questions about what there is: scenes, names, numbers of things, and what depth cannot tell."""

from typing import Final

import numpy as np

from deepsight_ros.language.answers import CANNOT_TELL
from deepsight_ros.language.answers import NONE_IN_VIEW
from deepsight_training.instructions.draft import Draft
from deepsight_training.instructions.draft import place_at
from deepsight_training.instructions.draft import plural
from deepsight_training.instructions.draft import singular
from deepsight_training.instructions.draft import STRUCTURE
from deepsight_training.instructions.objects import GONE
from deepsight_training.instructions.objects import middle_of
from deepsight_training.instructions.objects import OTHER
from deepsight_training.instructions.objects import VISIBLE
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample

MOST: Final = 7
"""Largest number asked for."""
KEPT: Final = {0: 0.25, 1: 0.3, 2: 0.7}
"""Share of the questions with a small answer that are asked: frames have far more of them."""
_INDOORS: Final = ('table', 'chair', 'sofa', 'shelf', 'cabinet', 'bed', 'boxes', 'counter', 'bin',
                   'plant', 'person', 'car')
_OUTDOORS: Final = ('car', 'truck', 'bus', 'person', 'bicycle', 'tree', 'bush', 'fence',
                    'pole', 'bench', 'chair')
_UNCOUNTABLE: Final = frozenset(
    CLASS_NAMES.index(name) for name in ('counter', 'plant', 'fence', 'bush', 'tree'))
"""Things that run into each other, so that their number is a matter of taste."""
_SEEN_AS: Final = {'bicycle': ('person',), 'plant': ('bush', 'tree'), 'bush': ('plant', 'tree'),
                   'tree': ('plant', 'bush')}
"""As what else one may be labelled: cyclists are persons, plants in pots were plant and bush."""


def scene(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Kind of place, among those that models know."""
    if not sample.scene:
        return None
    return Draft({}, sample.scene, options=('room', 'corridor', 'street'))


def indoors(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Inside or outside."""
    if sample.indoors is None:
        return None
    return Draft({}, 'indoors' if sample.indoors else 'outdoors', options=('indoors', 'outdoors'))


def recognition(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Class at a place: two of three times a thing, the nine pixels around are of one class."""
    classes = sample.classes
    inner = classes[1:-1, 1:-1]
    alike = inner != OTHER
    for i in (0, 1, 2):
        for j in (0, 1, 2):
            alike &= classes[i:i + inner.shape[0], j:j + inner.shape[1]] == inner
    counts = np.bincount(inner[alike], minlength=len(sample.class_names))
    present = np.flatnonzero(counts > VISIBLE * inner.size)
    things = [index for index in present if index not in STRUCTURE]
    if len(present) == 0:
        return None
    pool = things if things and rng.random() < 2 / 3 else present.tolist()
    chosen = int(rng.choice(pool))
    rows, columns = np.nonzero(alike & (inner == chosen))
    index = int(rng.integers(len(rows)))
    pixel = (int(columns[index]) + 1, int(rows[index]) + 1)
    place = place_at(sample, pixel, bool(rng.random() < 0.5))
    return Draft({'place': place}, sample.class_names[chosen], (place,))


def count(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Number of things of a class, none to seven; small numbers are asked for less often.

    The answer points at each from left to right before it says how many there are.
    """
    things = sample.things
    present = [index for index in things.classes()
               if index not in STRUCTURE | _UNCOUNTABLE | things.unclear
               and len(things.of_class(index)) <= MOST]
    if present and rng.random() > 1 / 6:
        # Draw a number first, then a class that has it.
        numbers = sorted({len(things.of_class(index)) for index in present})
        number = int(rng.choice(numbers, p=np.array(numbers) / sum(numbers)))
        pool = [index for index in present if len(things.of_class(index)) == number]
    else:
        number, pool = 0, [i for i in _absent(sample) if i not in _UNCOUNTABLE]
    if not pool or rng.random() > KEPT.get(number, 1.0):
        return None
    chosen = int(rng.choice(pool))
    middles = sorted(middle_of(things.masks[thing]) for thing in things.of_class(chosen))
    places = tuple(place_at(sample, middle) for middle in middles[:number])
    answer = ': '.join([' '.join(map(str, places)), str(number)]) if places else '0'
    return Draft({'things': plural(sample, chosen)}, answer, places, value=float(number))


def exists(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Whether there is a thing of some class, yes and no alike often."""
    things = sample.things
    is_there = bool(rng.random() < 0.5)
    absent = _absent(sample)
    pool = ([index for index in things.classes() if index not in STRUCTURE] if is_there
            else absent)
    # Where nothing is surely absent, "yes" alone would be learned.
    if not pool or not absent:
        return None
    chosen = int(rng.choice(pool))
    name = singular(sample, chosen)
    article = 'an' if name[0] in 'aeiou' else 'a'
    slots = {'thing': name, 'a_thing': f'{article} {name}', 'things': plural(sample, chosen)}
    return Draft(slots, 'yes' if is_there else 'no', options=('yes', 'no'))


def _absent(sample: FrameSample) -> list[int]:
    """Classes that would fit the scene but of which nothing is in view; needs known classes."""
    seen = np.bincount(sample.classes.ravel(), minlength=len(CLASS_NAMES))
    if sample.indoors is None or seen[OTHER] > 0.5 * sample.classes.size:
        return []
    names = _INDOORS if sample.indoors else _OUTDOORS
    return [CLASS_NAMES.index(name) for name in names
            if all(seen[CLASS_NAMES.index(other)] <= GONE * sample.classes.size
                   for other in (name, *_SEEN_AS.get(name, ())))]


def absent_thing(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """Distance to a thing that is not there."""
    pool = _absent(sample)
    if not pool:
        return None
    return Draft({'thing': singular(sample, int(rng.choice(pool)))}, NONE_IN_VIEW)


def out_of_scope(sample: FrameSample, rng: np.random.Generator) -> Draft | None:
    """What a depth image cannot tell: colour, writing, material, names, the weather."""
    names = _INDOORS if sample.indoors in (None, True) else _OUTDOORS
    index = CLASS_NAMES.index(str(rng.choice(names)))
    return Draft({'thing': singular(sample, index)}, CANNOT_TELL)
