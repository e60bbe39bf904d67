"""What the demonstration asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deepsight_ros.language.places import Place


@dataclass(frozen=True)
class DemoQuestion:
    """
    A question about a moment of a bag.

    ``moment`` is 0 for its first picture with true depth and 1 for the last one. ``text`` has
    ``{0}``, ``{1}`` where ``places`` (u, v; shares of width and height) belong.
    """

    moment: float
    text: str
    places: tuple[tuple[float, float], ...] = ()

    def words(self, width: int, height: int) -> str:
        """Return the question about a picture of this size; places are pixels."""
        pixels = (Place(*place).pixel(width, height) for place in self.places)
        return self.text.format(*(f'({column}, {row})' for column, row in pixels))


QUESTIONS: Final[Mapping[str, tuple[DemoQuestion, ...]]] = {
    'street': (
        DemoQuestion(5 / 24, 'How far is the nearest obstacle?'),
        DemoQuestion(9 / 24, 'Which is nearer, A {0} or B {1}?', ((0.79, 0.60), (0.51, 0.54))),
        DemoQuestion(13 / 24, 'What colour is the bus?'),
        DemoQuestion(21 / 24, 'Is it safe to move 8 m forward?')),
    'room': (
        DemoQuestion(1 / 24, 'How far is {0}?', ((0.65, 0.65),)),
        DemoQuestion(17 / 24, 'Which way is free?'),
        DemoQuestion(22 / 24, 'How high above the ground is {0}?', ((0.70, 0.30),)),
        DemoQuestion(1.0, 'Is it safe to move 3 m forward?')),
}
"""Four questions about each sample bag."""
