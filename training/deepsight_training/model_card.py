"""Model cards, written from what was measured so that they cannot drift from the manifest."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

CARD: Final = 'MODEL_CARD.md'

_TEXT: Final = """# {name}

Scene segmentation for metric depth from the camera's own geometry: which pixels lie flat (road,
pavement, terrain or floor), which stand up (structure, vegetation and poles, vehicle, person) and
which are sky.

**Licence of the weights:** {licence}. CamVid, IDD
(Varma et al. 2019), NYU Depth V2 (Silberman et al. 2012), 7-Scenes and SUN RGB-D are for research;
KITTI is CC BY-NC-SA 3.0 (Geiger et al. 2013); TUM is CC BY 4.0. The code is Apache-2.0.

## Use

`deepsight_ros.perception.segmentation.Segmentation.load(<this folder>)` takes an RGB picture of
any size and returns class ids at half the network's resolution. The graph holds normalisation and
argmax: `image` uint8 [1, H, W, 3] with H and W multiples of 32, `classes` uint8 [1, H/2, W/2].

## Network

Plain residual stages at strides 4 to 32 and a top-down path with one globally pooled gate, FP32,
1.7 million weights, trained from scratch. Sources: `deepsight_training/models/`.

## Data

{data}

The stages are those of `deepsight_training/stages/segmentation.py`. The first two, `street` and
`base`, ran while class weights and colour augmentation were still being settled, so a rerun of
today's code gives slightly different weights.

LiDAR, depth cameras and the coarse classes of IDD Lite know ground from upright things but not
road from soil; such pixels are trained with the sum of the probabilities of the classes they
allow. CamVid val, IDD Lite val and the test split of NYU Depth V2 never train anything. Bundles
for scoring leave recordings out (`_no_drive`: all of KITTI, `_no_object`: the KITTI object frames;
both: the 7-Scenes kitchen).

## Measured

{metrics}

Reproduce: `python -m deepsight_training.evaluate_segmentation <this folder> --data <data>`. CamVid
has no terrain class, and its labels are scored at their own 480x360.

## Limits

- Trained from scratch on some two thousand street pictures of Cambridge, Karlsruhe and India by
  day, on eight hundred pictures of rooms and on rendered worlds. Night, rain, snow and lenses far
  from these are untested; vehicles very close to the camera and glass are often mistaken.
- Indoors it knows floor (terrain) from what stands on it, nothing finer.
- Not for safety functions: nothing here bounds the error on an unseen street.
"""


def _table(metrics: Iterable[Mapping[str, Any]]) -> str:
    rows = [f'| {m["name"]} | {m["value"]} | {m["dataset"]} | {m["date"]} |' for m in metrics]
    return '\n'.join(['| metric | value | on | date |', '|---|---|---|---|', *rows])


def segmentation_card(
    name: str, licence: str, trained: Iterable[str], metrics: Iterable[Mapping[str, Any]],
) -> str:
    """Text of a segmentation bundle's card; the arguments are those of its manifest."""
    data = '\n'.join(f'- {title}' for title in trained)
    return _TEXT.format(name=name, licence=licence, data=data, metrics=_table(metrics))
