"""Parts of the rendered data: which layouts and cameras may be trained on, which are held out."""

from dataclasses import dataclass
from typing import Final

from deepsight_training.worlds import HELD_OUT_SEED


@dataclass(frozen=True)
class Split:
    """Layouts and cameras of a part of the data."""

    layouts: tuple[str, ...]
    """Kinds, in turn; a kind that stands twice is drawn twice as often."""
    first_seed: int
    fov: tuple[tuple[float, float], ...]
    """Bands of the horizontal field of view, degrees."""
    height: tuple[tuple[float, float], ...]
    """Bands of the camera's height above the ground, metres."""


_FOV: Final = ((50.0, 62.0), (68.0, 84.0), (90.0, 100.0))
_FOV_GAPS: Final = ((62.0, 68.0), (84.0, 90.0))
_HEIGHT: Final = ((0.2, 0.55), (0.7, 1.0), (1.15, 2.0))
_HEIGHT_GAPS: Final = ((0.55, 0.7), (1.0, 1.15))
_SEEN: Final = ('room', 'scatter', 'corridor', 'crowd', 'room', 'street', 'scatter', 'crowd')
SPLITS: Final[dict[str, Split]] = {
    'train': Split(_SEEN, 0, _FOV, _HEIGHT),
    'halls': Split(('hall',), 0, _FOV, _HEIGHT),
    'held_out_seeds': Split(_SEEN, HELD_OUT_SEED, _FOV, _HEIGHT),
    'held_out_layouts': Split(('classroom', 'warehouse', 'car_park'), HELD_OUT_SEED, _FOV,
                              _HEIGHT),
    'held_out_new_layouts': Split(('ward', 'market'), HELD_OUT_SEED, _FOV, _HEIGHT),
    'held_out_views': Split(_SEEN, 2 * HELD_OUT_SEED, _FOV_GAPS, _HEIGHT),
    'held_out_heights': Split(_SEEN, 3 * HELD_OUT_SEED, _FOV, _HEIGHT_GAPS)}
"""Nothing but ``TRAINED`` may be trained on."""
TRAINED: Final = ('train', 'halls')
