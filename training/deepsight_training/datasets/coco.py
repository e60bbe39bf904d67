"""COCO (Lin et al., ECCV 2014): pictures with object masks and captions, for the 118k recipe."""

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pycocotools.coco import COCO

from deepsight_training.datasets.sample import DatasetError


@dataclass(frozen=True)
class CocoObject:
    """One annotated object: its category's name and its mask [H, W]."""

    name: str
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CocoPicture:
    """A picture file with its objects and captions."""

    name: str
    path: Path
    objects: tuple[CocoObject, ...]
    captions: tuple[str, ...]


class Coco:
    """Pictures of ``images`` that ``instances_*.json`` lists, by index.

    ``captions_*.json`` is optional. Groups of objects (``iscrowd``) are left out.
    """

    def __init__(self, images: Path, instances: Path, captions: Path | None = None) -> None:
        self._images = images
        self._instances = _load(instances)
        self._captions = _load(captions) if captions else None
        self._ids = sorted(self._instances.getImgIds())
        if not self._ids:
            raise DatasetError(f'{instances} lists no pictures')
        names = self._instances.loadCats(self._instances.getCatIds())
        self._names = {category['id']: str(category['name']) for category in names}

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> CocoPicture:
        """Read the annotations of one picture; the file itself is only checked for."""
        record, = self._instances.loadImgs([self._ids[index]])
        path = self._images / record['file_name']
        if not path.is_file():
            raise DatasetError(f'{path} is missing; --images names the folder of the pictures')
        # Shards split names at the first dot.
        return CocoPicture(path.stem.replace('.', '_'), path, tuple(self._objects(record['id'])),
                           self._captions_of(record['id']))

    def _objects(self, picture: int) -> Iterator[CocoObject]:
        ids = self._instances.getAnnIds(imgIds=[picture], iscrowd=False)
        for annotation in self._instances.loadAnns(ids):
            mask = np.asarray(self._instances.annToMask(annotation), bool)
            yield CocoObject(self._names[annotation['category_id']], mask)

    def _captions_of(self, picture: int) -> tuple[str, ...]:
        if self._captions is None:
            return ()
        ids = self._captions.getAnnIds(imgIds=[picture])
        return tuple(str(entry['caption']).strip() for entry in self._captions.loadAnns(ids))


def _load(path: Path) -> COCO:
    try:
        # The API reports its progress on standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(path))
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DatasetError(f'{path} is no annotation file of COCO ({error})') from error
