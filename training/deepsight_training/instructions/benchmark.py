"""Builds ``depthqa`` benchmarks: questions with balanced answers, and the frames they are about.

How questions are drawn: places lie on one surface (``draft.FLAT``); compared places differ by 4 to
50 % in distance, evenly in its logarithm, and in half of the pairs the lower one is farther; X of
"safe to move X" is 4 to 50 % off the clearance, and each safe move has its twin of the same length
(within 5 %) that is not; a thing that is asked for is as often there as not; letters, directions,
counts and classes are as balanced as the frames allow; lengths are spread over their range's
logarithm.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from deepsight_ros.evaluation.qa_items import describe_frame
from deepsight_ros.evaluation.qa_items import QaItem
from deepsight_ros.language.answers import parse_answer
from deepsight_ros.perception.evidence import DepthFrame
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.measured import Measured
from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.questions import QuestionItem
from deepsight_training.instructions.questions import Wordings
from deepsight_training.instructions.questions import write_question
from deepsight_training.instructions.sample import FrameSample

DRAWS: Final = {
    'scene': 1, 'indoors': 1, 'nearest_obstacle': 1, 'nearest_surface': 1, 'free_direction': 1,
    'out_of_scope': 1, 'safe': 12}
"""Questions of a family that are drawn per frame, to choose from: one where the frame decides all,
many where the choice is narrow, three otherwise."""
ALIKE: Final = 1.05
"""Lengths that differ by less than this factor make a pair of a safe and an unsafe move."""
_BINS: Final = 8
_SMALLEST: Final = 1e-3


@dataclass(frozen=True)
class Candidate:
    """A question about frame number ``frame``."""

    frame: int
    item: QuestionItem


def as_measured(samples: Iterable[FrameSample]) -> Iterable[Measured]:
    """Cast frames: the model sees what the questions are about."""
    for sample in samples:
        seen = DepthFrame(sample.depth, sample.camera, sample.ground, sample.robot)
        yield Measured(sample, seen)


def build(frames: Iterable[Measured], name: str, out: Path, number: int,
          wordings: Wordings = 'seen', seed: int = 0) -> int:
    """Write ``out/name.jsonl`` with up to ``number`` questions of each type; return how many."""
    rng = np.random.default_rng(seed)
    kept: list[Measured] = []
    candidates: dict[str, list[Candidate]] = defaultdict(list)
    for frame in tqdm(frames, unit='frame', desc=name):
        kept.append(frame)
        for family in FAMILIES:
            for _ in range(DRAWS.get(family, 3)):
                item = write_question(frame.sample, rng, family, wordings)
                if item is not None and _has_truth(item):
                    candidates[family].append(Candidate(len(kept) - 1, item))
    if not kept:
        raise DatasetError(f'{name} has no frames to ask about')
    chosen = [candidate for family in FAMILIES
              for candidate in balanced(candidates[family], number, rng)]
    return _write(chosen, kept, name, out)


def _has_truth(item: QuestionItem) -> bool:
    """Whether an answer can be scored: "nothing ahead" is no length."""
    return item.kind != 'distance' or (item.value is not None and item.value > _SMALLEST)


def balanced(candidates: Sequence[Candidate], number: int,
             rng: np.random.Generator) -> list[Candidate]:
    """Choose ``number`` questions, one answer after the other in turn."""
    if not candidates:
        return []
    shuffled = [candidates[i] for i in rng.permutation(len(candidates))]
    groups: dict[object, list[Candidate]] = defaultdict(list)
    if shuffled[0].item.kind == 'distance':
        edges = _edges([candidate.item.value or 0.0 for candidate in shuffled])
        for candidate in shuffled:
            groups[int(np.searchsorted(edges, candidate.item.value or 0.0))].append(candidate)
    elif shuffled[0].item.family == 'safe':
        groups.update(_by_length(shuffled, rng))
    elif shuffled[0].item.family == 'exists':
        groups.update(_by_thing(shuffled))
    else:
        for candidate in shuffled:
            groups[parse_answer(candidate.item.answer).value].append(candidate)
    if len(groups) < 2 and shuffled[0].item.kind not in ('distance', 'unknown'):
        # A type with a single answer tests nothing.
        return []
    chosen: list[Candidate] = []
    while groups and len(chosen) < number:
        for key in list(groups):
            chosen.append(groups[key].pop())
            if not groups[key]:
                del groups[key]
    return chosen[:number]


def _edges(values: Sequence[float]) -> np.ndarray:
    low, high = np.quantile(values, (0.02, 0.98))
    edges = np.geomspace(max(low, _SMALLEST), max(high, 2 * _SMALLEST), _BINS + 1)
    return np.asarray(edges[1:-1])


def _by_thing(candidates: Sequence[Candidate]) -> dict[object, list[Candidate]]:
    """Group yes and no by what is asked for, as many of the one as of the other."""
    groups: dict[object, list[Candidate]] = {}
    for thing in dict.fromkeys(candidate.item.about for candidate in candidates):
        halves = {answer: [candidate for candidate in candidates
                           if (candidate.item.about, candidate.item.answer) == (thing, answer)]
                  for answer in ('yes', 'no')}
        size = min(map(len, halves.values()))
        groups.update({(thing, answer): half[:size] for answer, half in halves.items() if size})
    return groups


def _by_length(candidates: Sequence[Candidate],
               rng: np.random.Generator) -> dict[object, list[Candidate]]:
    """Group into pairs of yes and no about nearly the same X, so that X alone tells nothing."""
    waiting: dict[str, list[tuple[float, Candidate]]] = {'yes': [], 'no': []}
    pairs: list[tuple[Candidate, Candidate]] = []
    for candidate in sorted(candidates, key=_length):
        x, answer = _length(candidate), candidate.item.answer[:3].rstrip(',')
        others = waiting['no' if answer == 'yes' else 'yes']
        if others and x < ALIKE * others[-1][0]:
            pairs.append((candidate, others.pop()[1]))
        else:
            waiting[answer].append((x, candidate))
    order = rng.permutation(len(pairs))
    return {(rank, half): [pairs[index][half]] for rank, index in enumerate(order)
            for half in (0, 1)}


def _length(candidate: Candidate) -> float:
    return parse_answer(candidate.item.about).distance or _SMALLEST


def _write(chosen: Sequence[Candidate], frames: Sequence[Measured], name: str, out: Path) -> int:
    folder = out / 'frames' / name
    folder.mkdir(parents=True, exist_ok=True)
    described = {}
    for index in sorted({candidate.frame for candidate in chosen}):
        path = folder / f'{frames[index].sample.name}.npz'
        np.savez_compressed(path, depth=frames[index].seen.depth)
        described[index] = describe_frame(
            frames[index].seen, str(path.relative_to(out)))
    lines = [_line(number, name, frames[candidate.frame].sample.name, candidate,
                   described[candidate.frame]) for number, candidate in enumerate(chosen)]
    (out / f'{name}.jsonl').write_text('\n'.join(line.to_json() for line in lines) + '\n', 'utf8')
    return len(lines)


def _line(number: int, name: str, scene: str, candidate: Candidate,
          described: dict[str, object]) -> QaItem:
    item = candidate.item
    answer = parse_answer(item.answer)
    truth = f'{item.value:.4g}' if item.kind == 'distance' else str(answer.value or 'unknown')
    if item.kind == 'count':
        truth = str(answer.value)
    places = tuple((round(place.u, 4), round(place.v, 4)) for place in item.places)
    return QaItem(number, name, scene, item.family, item.category, item.kind, item.text, truth,
                  item.unit, item.options, places, described)
