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

FORMAT: Final = 2
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
class Tolerance:
    """How far an engine's output may be from the same output of its ONNX graph."""

    max_relative: float
    """Largest error of an element over the largest magnitude of the expected output."""
    mean_relative: float
    """Mean error of all elements over the mean magnitude of the expected output."""
    cosine: float
    """Least cosine between the two outputs as vectors."""


@dataclass(frozen=True)
class Variant:
    """One graph of the bundle: its precision and the backends that can run it."""

    file: str
    precision: str
    backends: tuple[str, ...]
    attention: str = ''
    """How attention was exported: ``fused``, ``plain`` (matmul-softmax), empty without any."""
    parity: dict[str, Tolerance] = field(default_factory=dict)
    """Tolerance per NumPy dtype of an output; for the others that of module ``parity``."""


@dataclass(frozen=True)
class ShapeRange:
    """Shapes that an input can have: the least, the usual and the largest of each size."""

    min: tuple[int, ...]
    opt: tuple[int, ...]
    max: tuple[int, ...]


Profile = dict[str, ShapeRange]
"""Input name to the shapes that one TensorRT optimisation profile covers."""


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
    profiles: tuple[Profile, ...] = ()
    """Optimisation profiles of a plan; none where all shapes are fixed."""
    recorded_inputs: str = ''
    """File (.npz) of inputs for parity and warm-up, see module ``recorded_inputs``."""
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
        optional = {'preprocessing', 'tokenizer', 'training_data', 'profiles', 'recorded_inputs',
                    'metrics'}
        missing = sorted(names - optional - content.keys())
        if extra or missing:
            raise EngineError(f'{path}: unknown keys {extra}, missing keys {missing}; export the '
                              'bundle again')
        try:
            _check_texts(content)
            content['variants'] = tuple(_variant(**item) for item in content['variants'])
            content['profiles'] = tuple(
                {name: _shape_range(**item) for name, item in profile.items()}
                for profile in content.get('profiles', ()))
            for key in ('inputs', 'outputs'):
                content[key] = tuple(
                    TensorSpec(**{**item, 'shape': tuple(item['shape'])}) for item in content[key])
            content['metrics'] = tuple(content.get('metrics', ()))
            manifest = cls(**content)
            for profile in manifest.profiles:
                _check_profile(profile, manifest.inputs)
            listed = manifest._listed()
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise EngineError(f'{path}: malformed entry ({error}); export it again') from error
        for name in sorted({*listed, manifest.name}):
            # The name is that of a folder in the cache.
            if Path(name).name != name or name in ('', '.', '..', MANIFEST):
                raise EngineError(f'{path}: file name {name!r} leaves the bundle; export it again')
        for name in sorted(listed - manifest.files.keys()):
            raise EngineError(f'{path}: {name} has no hash; export the bundle again')
        return manifest

    def _listed(self) -> set[str]:
        """Return the names of all files that the manifest mentions."""
        mentioned = {*(variant.file for variant in self.variants), self.recorded_inputs,
                     self.tokenizer}
        return {*self.files.keys(), *(mentioned - {''})}

    def variant(self, backend: str, *, quantised: bool = True) -> Variant:
        """
        Return the first variant that ``backend`` can run; ``EngineError`` if none.

        Without ``quantised`` one of 8 bits is taken only if there is no other.
        """
        fitting = [variant for variant in self.variants if backend in variant.backends]
        for variant in fitting:
            if quantised or variant.precision != 'int8':
                return variant
        if fitting:
            return fitting[0]
        raise EngineError(f'no variant of {self.name!r} runs on {backend}; choose another backend '
                          'or export one that does')

    def write(self, folder: Path) -> None:
        """Write ``folder/manifest.json``."""
        content = {'format': FORMAT, **asdict(self)}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + '\n', encoding='utf-8')

    def verify(self, folder: Path) -> None:
        """Check every file's sha256; ``EngineError`` on the first that differs."""
        # `colcon build --symlink-install` links each file, manifest included, to its source.
        homes = (folder.resolve(), (folder / MANIFEST).resolve().parent)
        for name, expected in sorted(self.files.items()):
            path = folder / name
            if path.is_symlink() and path.resolve().parent not in homes:
                raise EngineError(f'{path} links out of the bundle; copy the file into it')
            if not path.is_file():
                raise EngineError(f'{path} is missing; reinstall the bundle')
            try:
                found = sha256(path)
            except OSError as error:
                raise EngineError(f'{path} cannot be read ({error.strerror}); make it readable '
                                  'for this user') from error
            if found != expected:
                raise EngineError(f'{path} does not match its hash in {MANIFEST}; the file was '
                                  'changed or damaged: reinstall the bundle')


def _check_texts(content: dict[str, Any]) -> None:
    """Raise ``ValueError`` unless what names something is text."""
    named = {key: content.get(key, '') for key in (
        'name', 'task', 'version', 'licence', 'tokenizer', 'recorded_inputs')}
    for kind in ('variants', 'inputs', 'outputs'):
        for item in content[kind]:
            named |= {f'{key} of {kind}': item[key] for key in ('file', 'name') if key in item}
    for key, value in named.items():
        if not isinstance(value, str):
            raise ValueError(f'{key} is {value!r}, must be text')


def _variant(
    file: str, precision: str, backends: list[str], attention: str = '',
    parity: dict[str, dict[str, float]] | None = None,
) -> Variant:
    tolerances = {dtype: Tolerance(**item) for dtype, item in (parity or {}).items()}
    return Variant(file, precision, tuple(backends), attention, tolerances)


def _shape_range(min: list[int], opt: list[int], max: list[int]) -> ShapeRange:
    return ShapeRange(tuple(min), tuple(opt), tuple(max))


def _check_profile(profile: Profile, inputs: tuple[TensorSpec, ...]) -> None:
    """Raise ``ValueError`` unless the profile has a shape for all that the graph leaves free."""
    shapes = {spec.name: spec.shape for spec in inputs}
    free = {name for name, shape in shapes.items() if any(isinstance(n, str) for n in shape)}
    if not free <= profile.keys() <= shapes.keys():
        raise ValueError(f'a profile is for {sorted(profile)}, free are {sorted(free)}')
    for name, item in profile.items():
        lengths = {len(item.min), len(item.opt), len(item.max), len(shapes[name])}
        if len(lengths) > 1 or not all(
                low <= usual <= high
                for low, usual, high in zip(item.min, item.opt, item.max, strict=True)):
            raise ValueError(f'profile of {name!r}: {item} does not fit {list(shapes[name])}')


def sha256(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
