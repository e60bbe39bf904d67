"""Frames and freshly drawn questions as training batches."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import math
from typing import Any
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from deepsight_ros.language.prompts import Prompter
from deepsight_ros.perception.depth_input import depth_input
from deepsight_ros.perception.regions import find_regions
from deepsight_training.datasets.sample import DatasetError
from deepsight_training.instructions.objects import middle_of
from deepsight_training.instructions.objects import OTHER
from deepsight_training.instructions.questions import FAMILIES
from deepsight_training.instructions.questions import write_questions
from deepsight_training.instructions.sample import CLASS_NAMES
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.sensors import draw_robot
from deepsight_training.instructions.sensors import sense
from deepsight_training.models.auxiliary_heads import UNKNOWN

IGNORED: Final = -100
"""Label of tokens that nothing is learned from."""
FAMILY_WEIGHTS: Final = {
    **dict.fromkeys(FAMILIES, 1.0), 'scene': 0.4, 'indoors': 0.3, 'absent_thing': 0.7,
    'count': 2.5, 'left_right': 3.0, 'size': 2.5, 'thing_distance': 1.7, 'free_direction': 2.0,
    'nearest_obstacle': 1.5, 'safe': 1.5}
"""Frames seldom allow some families, and some are harder: they are drawn more often."""
QUESTION_TOKENS: Final = 223
"""Tokens of a picture's questions and answers: what is longer makes the whole batch wait."""
UNKNOWN_GROUND: Final = 0.1
"""Share of frames that are shown without their ground."""


ASK_FOR_CAPTION: Final = (
    'Describe the scene.', 'What do you see?', 'Tell me what is in front of you.',
    'Give a caption for this depth image.', 'What does the picture show?')
CAPTIONS: Final = 0.5
"""Share of the questions that ask for a caption, where a frame has captions and instructions."""


@dataclass(frozen=True)
class PictureFormat:
    """What the encoder takes: size of the depth picture, grid of cells, and whether boxes."""

    size: tuple[int, int]
    """Width, height."""
    grid: tuple[int, int]
    """Rows, columns."""
    has_boxes: bool = False


class QuestionMixture(Dataset[dict[str, Any]]):
    """Frames drawn from several sources with fixed shares, with fresh questions each.

    Item i depends on the seed and i alone, so a run that resumes at step n sees what an
    uninterrupted run would have seen, with any number of loader processes.

    Args:
        sources: frames by name of the source.
        shares: how often each source is drawn, relative to the others.
        length: number of items.
        prompter: writes prompts.
        picture: form of the network's picture.
        families: weights of the question families.
        questions: questions per frame at most; they share the frame's visual tokens. None are
            asked where a model only learns to see.
        seed: first half of every item's random state.
    """

    def __init__(
        self,
        sources: Mapping[str, Sequence[FrameSample]],
        shares: Mapping[str, float],
        length: int,
        prompter: Prompter,
        picture: PictureFormat,
        families: Mapping[str, float] = FAMILY_WEIGHTS,
        questions: int = 13,
        seed: int = 1,
    ) -> None:
        for name in shares:
            if not sources.get(name):
                raise DatasetError(f'the mixture wants {name}, which has no frames')
        self.sources = {name: sources[name] for name in shares}
        weights = np.array([shares[name] for name in shares], np.float64)
        self.probabilities = weights / weights.sum()
        self.length = length
        self.prompter = prompter
        self.picture = picture
        self.families = families
        self.questions = questions
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def draw(self, rng: np.random.Generator) -> tuple[str, FrameSample]:
        """Draw a source by its share, and one of its frames."""
        name = str(rng.choice(list(self.sources), p=self.probabilities))
        frames = self.sources[name]
        return name, frames[int(rng.integers(len(frames)))]

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.seed, index))
        sample = self.draw(rng)[1]
        if sample.captions or sample.instructions:
            # Estimated depth as it is: places in what others wrote hold for this view alone.
            return self._item(sample, sample, written_pairs(sample, rng, self.questions))
        sample = replace(sample, robot=draw_robot(rng))
        seen, truth = sense(mirror(sample) if rng.random() < 0.5 else sample, rng)
        if rng.random() < UNKNOWN_GROUND:
            seen, truth = (replace(frame, camera_height=math.nan) for frame in (seen, truth))
        items = write_questions(truth, rng, self.families, count=self.questions)
        pairs = [(item.text, item.answer) for item in items]
        return self._item(self.shown(seen, rng), truth, pairs)

    def shown(self, seen: FrameSample, rng: np.random.Generator) -> FrameSample:
        """What a model sees of a frame; controls show something else."""
        return seen

    def _item(self, seen: FrameSample, truth: FrameSample, pairs: Sequence[tuple[str, str]],
              ) -> dict[str, Any]:
        most = len(self.prompter.picture) + QUESTION_TOKENS
        packed = pack(self.prompter, pairs, most)
        if pairs and len(packed['ids']) == len(self.prompter.picture):
            raise DatasetError(
                f'{truth.name}: the first question, {pairs[0][0]!r}, is with its answer longer '
                f'than QUESTION_TOKENS ({QUESTION_TOKENS}); shorten it or raise the limit')
        if not self.questions:
            # Told by the stage, not by the batch: all processes leave the language model out.
            del packed['labels']
        shown = depth_input(seen.depth, seen.camera, seen.ground, seen.robot, self.picture.size)
        boxes = find_regions(shown.depth) if self.picture.has_boxes else np.zeros((0, 4), 'f')
        return {
            'depth': torch.from_numpy(shown.depth), 'camera': torch.from_numpy(shown.camera),
            'ground': torch.from_numpy(shown.ground), 'boxes': torch.from_numpy(boxes),
            'classes': torch.from_numpy(class_places(truth, self.picture.size)),
            'instances': torch.from_numpy(instance_cells(truth, self.picture.grid)),
            **packed,
        }


def written_pairs(sample: FrameSample, rng: np.random.Generator, count: int,
                  ) -> list[tuple[str, str]]:
    """Draw up to ``count`` of the captions and instructions that others wrote about a frame."""
    captions = [(str(rng.choice(ASK_FOR_CAPTION)), text) for text in sample.captions]
    captions = [captions[i] for i in rng.permutation(len(captions))]
    instructions = [sample.instructions[i] for i in rng.permutation(len(sample.instructions))]
    if instructions:
        captions = captions[:max(1, round(CAPTIONS * count))]
    return [*captions, *instructions][:count]


def mirror(sample: FrameSample) -> FrameSample:
    """Exchange left and right of a frame."""
    matrix = sample.camera_matrix.copy()
    matrix[0, 2] = sample.depth.shape[1] - 1 - matrix[0, 2]
    return replace(
        sample, depth=np.ascontiguousarray(sample.depth[:, ::-1]), camera_matrix=matrix,
        up=sample.up * (-1, 1, 1), instances=np.ascontiguousarray(sample.instances[:, ::-1]),
        classes=np.ascontiguousarray(sample.classes[:, ::-1]))


def class_places(sample: FrameSample, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Class of every fourth pixel of a picture of a size [H/4, W/4], UNKNOWN without one."""
    rows, columns = (
        (np.arange(pixels // 4) * 2 + 1) * stored // (2 * (pixels // 4))
        for pixels, stored in zip(size[::-1], sample.classes.shape, strict=True))
    found = sample.classes[np.ix_(rows, columns)].astype(np.int64)
    found[(found == OTHER) | (found >= len(CLASS_NAMES))] = UNKNOWN
    return found


def instance_cells(sample: FrameSample, grid: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Class of the thing whose middle a cell holds [rows * columns], UNKNOWN without labels."""
    if not sample.classes.any():
        return np.full(grid[0] * grid[1], UNKNOWN, np.int64)
    cells = np.zeros(grid, np.int64)
    height, width = sample.depth.shape
    for thing, mask in sample.things.masks.items():
        column, row = middle_of(mask)
        name = sample.things.class_of[thing]
        # Other data sets bring names of their own behind ours.
        cells[row * grid[0] // height, column * grid[1] // width] = (
            name if name < len(CLASS_NAMES) else UNKNOWN)
    return cells.ravel()


def pack(prompter: Prompter, pairs: Sequence[tuple[str, str]], most: int | None = None,
         ) -> dict[str, Any]:
    """Tokens of a picture and of its questions with answers behind it.

    Args:
        prompter: writes prompts.
        pairs: questions and answers; the last ones are left out where they exceed ``most``.
        most: tokens at most.

    Returns:
        ``ids``, ``labels``, ``positions`` and ``part`` [L] (0: the picture, n: question n), and
        ``regions`` [R, 4] as the model takes them.
    """
    picture = prompter.picture
    ids, labels = list(picture), [IGNORED] * len(picture)
    positions, part = list(range(len(picture))), [0] * len(picture)
    regions: list[tuple[float, ...]] = []
    for number, (text, reply) in enumerate(pairs, 1):
        question, answer = prompter.question(text), prompter.answer(reply)
        length = len(question.ids) + len(answer)
        if most is not None and len(ids) + length > most:
            break
        ids += [*question.ids, *answer]
        labels += [IGNORED] * len(question.ids) + list(answer)
        positions += range(len(picture), len(picture) + length)
        part += [number] * length
        places = [(place.u, place.v) for place in question.regions]
        before = places[:1] + places[:-1]
        regions += [here + there for here, there in zip(places, before, strict=True)]
    return {
        'ids': torch.tensor(ids), 'labels': torch.tensor(labels),
        'positions': torch.tensor(positions), 'part': torch.tensor(part),
        'regions': torch.tensor(regions, dtype=torch.float32).reshape(-1, 4),
    }


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    """
    Batch of items; every question sees the picture and itself, not the other questions.

    Items of a mixture without questions have no labels.
    """
    def pad(name: str, value: int) -> Tensor:
        return torch.nn.utils.rnn.pad_sequence(
            [item[name] for item in items], batch_first=True, padding_value=value)
    part = pad('part', -1)
    length = part.shape[1]
    same = (part[:, :, None] == part[:, None, :]) | (part == 0)[:, None, :]
    mask = same & torch.ones(length, length, dtype=torch.bool).tril()
    return {
        **{name: torch.stack([item[name] for item in items])
           for name in ('depth', 'camera', 'ground', 'boxes', 'classes', 'instances')},
        **({'labels': pad('labels', IGNORED)} if 'labels' in items[0] else {}),
        'input_ids': pad('ids', 0),
        'position_ids': pad('positions', 0), 'attention_mask': mask[:, None],
        'regions': pad('regions', 0),
    }
