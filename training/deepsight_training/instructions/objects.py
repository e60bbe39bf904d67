"""The objects of a frame that are large enough to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

OTHER: Final = 0
"""Class index of what has no name."""
VISIBLE: Final = 0.003
"""Share of the picture that an object must cover to be asked for."""
GONE: Final = 0.0005
"""Share below which an object counts as not in view; between the two, nothing is asked."""


@dataclass(frozen=True)
class Things:
    """Masks [H, W] and class indices of objects by their id."""

    masks: Mapping[int, npt.NDArray[np.bool_]]
    class_of: Mapping[int, int]
    unclear: frozenset[int]
    """Classes of which something is in view that is too small to be sure of."""

    def of_class(self, index: int) -> list[int]:
        """Ids of the objects of a class."""
        return [thing for thing, name in self.class_of.items() if name == index]

    def classes(self) -> list[int]:
        """Classes that have objects, each once."""
        return sorted(set(self.class_of.values()))


def middle_of(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Column and row of the middle of an object: the medians of its pixels'."""
    rows, columns = np.nonzero(mask)
    return int(np.median(columns)), int(np.median(rows))


def find_things(instances: npt.NDArray[np.int32], classes: npt.NDArray[np.uint8]) -> Things:
    """List the objects of instance ids and class indices, both [H, W]."""
    masks, class_of, unclear = {}, {}, set()
    ids, first, counts = np.unique(instances, return_index=True, return_counts=True)
    for thing, index, pixels in zip(ids.tolist(), first.tolist(), counts.tolist(), strict=True):
        name = int(classes.ravel()[index])
        if thing == 0 or name == OTHER:
            continue
        if pixels >= VISIBLE * instances.size:
            masks[thing], class_of[thing] = instances == thing, name
        elif pixels > GONE * instances.size:
            unclear.add(name)
    return Things(masks, class_of, frozenset(unclear))
