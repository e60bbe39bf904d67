"""The grammar: questions about a frame in words, drawn afresh as often as wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
import re
from typing import Final
from typing import Literal

import numpy as np
import yaml

from deepsight_ros.language.answers import Kind
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.language.places import Place
from deepsight_training.instructions.draft import Draft
from deepsight_training.instructions.draft import Writer
from deepsight_training.instructions.families import choices
from deepsight_training.instructions.families import distances
from deepsight_training.instructions.families import things
from deepsight_training.instructions.sample import FrameSample

Wordings = Literal['seen', 'unseen']
UNSEEN: Final = 4
"""The last wordings of each family, which are never trained on."""
_CHOICE: Final = re.compile(r'\[([^\]]*)\]')


@dataclass(frozen=True)
class Family:
    """A kind of question: the writer of its facts and the list of its wordings."""

    write: Writer
    category: str
    """The paper's categories (scene, recognition, distance, safety) and ours."""
    wordings: str = ''
    """Family whose wordings it shares; empty for its own."""
    needs_ground: bool = False
    """Whether there is no answer where the ground is unknown."""


FAMILIES: Final[dict[str, Family]] = {
    'scene': Family(things.scene, 'scene'),
    'indoors': Family(things.indoors, 'scene'),
    'recognition': Family(things.recognition, 'recognition'),
    'exists': Family(things.exists, 'recognition'),
    'count': Family(things.count, 'counting'),
    'nearest_obstacle': Family(distances.nearest_obstacle, 'distance', needs_ground=True),
    'nearest_surface': Family(distances.nearest_surface, 'distance'),
    'thing_distance': Family(distances.thing_distance, 'distance'),
    'place_distance': Family(distances.place_distance, 'distance'),
    'distance_between': Family(distances.distance_between, 'distance'),
    'nearer': Family(choices.nearer, 'distance'),
    'order': Family(choices.order, 'distance'),
    'safe': Family(choices.safe, 'safety', needs_ground=True),
    'free_direction': Family(choices.free_direction, 'safety', needs_ground=True),
    'size': Family(distances.size, 'size', needs_ground=True),
    'place_height': Family(distances.place_height, 'size', needs_ground=True),
    'extent': Family(distances.extent, 'size'),
    'left_right': Family(choices.left_right, 'relation'),
    'above_below': Family(choices.above_below, 'relation', needs_ground=True),
    'absent_thing': Family(things.absent_thing, 'out_of_scope', 'thing_distance'),
    'out_of_scope': Family(things.out_of_scope, 'out_of_scope')}


@dataclass(frozen=True)
class QuestionItem:
    """A question, its answer, and where to look for it."""

    family: str
    category: str
    kind: Kind
    text: str
    answer: str
    value: float | None
    """Exact number behind the answer (metres, pieces); the answer's text rounds it."""
    unit: str
    options: tuple[str, ...]
    """What a choice, yes/no, direction or class may be answered with; empty if open."""
    places: tuple[Place, ...]
    """Evidence in the picture."""
    wording: Wordings
    about: str
    """Thing or length in the question, by which a blind guess would go; empty if none."""


@cache
def wordings_of(family: str, wordings: Wordings) -> tuple[str, ...]:
    """Return the wordings of a family that may be trained on, or the held-out ones.

    ``[a|b]`` in one of them stands for either.
    """
    name = FAMILIES[family].wordings or family
    listed = tuple(_all_wordings()[name])
    return listed[-UNSEEN:] if wordings == 'unseen' else listed[:-UNSEEN]


@cache
def _all_wordings() -> dict[str, list[str]]:
    text = files('deepsight_training.instructions').joinpath('wordings.yaml').read_text('utf8')
    loaded: dict[str, list[str]] = yaml.safe_load(text)
    return loaded


def draw_wording(rng: np.random.Generator, family: str, wordings: Wordings) -> str:
    """Draw a wording and one of the alternatives at each of its choices."""
    wording = str(rng.choice(wordings_of(family, wordings)))
    text = _CHOICE.sub(lambda choice: str(rng.choice(choice[1].split('|'))), wording)
    return ' '.join(text.split())


def write_question(sample: FrameSample, rng: np.random.Generator, family: str,
                   wordings: Wordings = 'seen') -> QuestionItem | None:
    """Draw a question of a family; None where the frame does not allow one."""
    if FAMILIES[family].needs_ground and sample.ground is None:
        return None
    draft = FAMILIES[family].write(sample, rng)
    return None if draft is None else _put_into_words(draft, rng, family, wordings)


def _put_into_words(draft: Draft, rng: np.random.Generator, family: str,
                    wordings: Wordings) -> QuestionItem:
    text = draw_wording(rng, family, wordings).format(**draft.slots)
    form = rng.random()
    # People leave out capitals and question marks.
    if form < 0.25:
        text = text[0].lower() + text[1:]
    if form < 0.15 or form > 0.9:
        text = text.rstrip('?.')
    answer = parse_answer(draft.answer)
    about = str(draft.slots.get('x', draft.slots.get('thing', '')))
    return QuestionItem(family, FAMILIES[family].category, answer.kind, text, draft.answer,
                        draft.value, answer.unit, draft.options, draft.places, wordings, about)


def write_questions(sample: FrameSample, rng: np.random.Generator,
                    families: Mapping[str, float] | None = None, wordings: Wordings = 'seen',
                    count: int = 12) -> list[QuestionItem]:
    """Draw up to ``count`` questions; fewer where the frame allows none of some families.

    ``families`` are weights by name (none given: all alike). Each question draws its family
    first, so that a rare one can be asked for more often.
    """
    weights = dict.fromkeys(FAMILIES, 1.0) if families is None else dict(families)
    unknown = weights.keys() - FAMILIES.keys()
    if unknown:
        raise ValueError(f'unknown families {sorted(unknown)}; known are {", ".join(FAMILIES)}')
    names = list(weights)
    shares = np.array(list(weights.values()), float)
    drawn = rng.choice(names, 2 * count, p=shares / shares.sum())
    found: list[QuestionItem] = []
    for family in drawn:
        item = write_question(sample, rng, str(family), wordings)
        if item is not None and len(found) < count:
            found.append(item)
    return found
