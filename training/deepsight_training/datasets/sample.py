"""The one sample type that every reader yields."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class DatasetError(ValueError):
    """A folder does not hold the data set that was asked for, or a file in it is broken."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture with labels.

    Attributes:
        image: RGB uint8 [H, W, 3].
        labels: uint8 [H, W], ids of ``datasets.labels``.
        name: unique within its source.
        source: name of the data set.
    """

    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    name: str
    source: str
