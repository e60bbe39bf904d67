"""What a model bundle is: a folder with a manifest that names and hashes its files."""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import hashlib
import json
from pathlib import Path
from typing import Any
from typing import Final

from deepsight_ros.engines.errors import EngineError

FORMAT: Final = 1
MANIFEST: Final = 'manifest.json'


@dataclass(frozen=True)
class TensorSpec:
    """Name, NumPy dtype name and symbolic shape of a graph's input or output."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str = ''
    unit: str = ''


@dataclass(frozen=True)
class Variant:
    """One graph of the bundle: its precision and the backends that can run it."""

    file: str
    precision: str
    backends: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """Contents of ``manifest.json``."""

    name: str
    task: str
    version: str
    licence: str
    variants: tuple[Variant, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: dict[str, str]
    """File name to sha256, for every file of the bundle but the manifest."""
    preprocessing: dict[str, Any] = field(default_factory=dict)
    tokenizer: str = ''
    training_data: str = ''
    metrics: tuple[dict[str, Any], ...] = ()
    """Measured quality: ``{'name', 'value', 'dataset', 'date'}`` each."""

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read ``folder/manifest.json``; ``EngineError`` says what is wrong with it."""
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except FileNotFoundError:
            raise EngineError(f'{folder} is no model bundle: {MANIFEST} is missing; give the '
                              'folder of a bundle, or reinstall the package') from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise EngineError(f'{path} cannot be read ({error}); reinstall the bundle') from error
        return cls._from_json(content, path)

    @classmethod
    def _from_json(cls, content: Any, path: Path) -> Manifest:
        if not isinstance(content, dict) or content.pop('format', None) != FORMAT:
            raise EngineError(f'{path}: format is not {FORMAT}; the bundle was made for another '
                              'version of deepsight_ros: update one of the two')
        names = {item.name for item in fields(cls)}
        extra = sorted(content.keys() - names)
        optional = {'preprocessing', 'tokenizer', 'training_data', 'metrics'}
        missing = sorted(names - optional - content.keys())
        if extra or missing:
            raise EngineError(f'{path}: unknown keys {extra}, missing keys {missing}; export the '
                              'bundle again')
        try:
            content['variants'] = tuple(
                Variant(item['file'], item['precision'], tuple(item['backends']))
                for item in content['variants'])
            for key in ('inputs', 'outputs'):
                content[key] = tuple(
                    TensorSpec(**{**item, 'shape': tuple(item['shape'])}) for item in content[key])
            content['metrics'] = tuple(content.get('metrics', ()))
            manifest = cls(**content)
            listed = {*manifest.files.keys(), *(variant.file for variant in manifest.variants)}
        except (KeyError, TypeError, AttributeError) as error:
            raise EngineError(f'{path}: malformed entry ({error}); export it again') from error
        for name in sorted(listed):
            if Path(name).name != name or name in ('.', '..', MANIFEST):
                raise EngineError(f'{path}: file name {name!r} leaves the bundle; export it again')
        for name in sorted(listed - manifest.files.keys()):
            raise EngineError(f'{path}: {name} has no hash; export the bundle again')
        return manifest

    def write(self, folder: Path) -> None:
        """Write ``folder/manifest.json``."""
        content = {'format': FORMAT, **asdict(self)}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + '\n', encoding='utf-8')

    def verify(self, folder: Path) -> None:
        """Check every file's sha256; ``EngineError`` on the first that differs."""
        for name, expected in sorted(self.files.items()):
            path = folder / name
            if path.is_symlink() and path.resolve().parent != folder.resolve():
                raise EngineError(f'{path} links out of the bundle; copy the file into it')
            if not path.is_file():
                raise EngineError(f'{path} is missing; reinstall the bundle')
            if sha256(path) != expected:
                raise EngineError(f'{path} does not match its hash in {MANIFEST}; the file was '
                                  'changed or damaged: reinstall the bundle')


def sha256(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
