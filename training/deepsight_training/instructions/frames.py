"""Frames of finished shards by number, wherever they lie in them."""

from collections.abc import Sequence
from pathlib import Path
import tarfile

from deepsight_training.instructions.sample import FrameSample
from deepsight_training.instructions.shards import decode
from deepsight_training.instructions.shards import shard_paths


class Frames(Sequence[FrameSample]):
    """Frames of a split; only an index is kept in memory, so that a run can resume anywhere."""

    def __init__(self, folder: Path, split: str) -> None:
        self._records: list[tuple[Path, str, dict[str, tuple[int, int]]]] = []
        for path in shard_paths(folder, split):
            self._records += _index(path)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index):  # type: ignore[no-untyped-def,override]
        path, key, parts = self._records[index]
        record: dict[str, object] = {'__key__': key}
        with path.open('rb') as file:
            for name, (offset, size) in parts.items():
                file.seek(offset)
                record[name] = file.read(size)
        return decode(record)


def _index(path: Path) -> list[tuple[Path, str, dict[str, tuple[int, int]]]]:
    """Path, key and where the fields lie (offset, size) of every record in a shard."""
    parts: dict[str, dict[str, tuple[int, int]]] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            key, _, name = member.name.partition('.')
            parts.setdefault(key, {})[name] = (member.offset_data, member.size)
    return [(path, key, fields) for key, fields in parts.items()]
