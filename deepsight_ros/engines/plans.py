"""Plans in the cache: what they were built for, whether they passed, which one runs here.

A plan is a file ``plans/<bundle>/<key>.plan`` of the cache folder beside its manifest
``<key>.json``. Plans that failed the parity gate are below ``failed/`` and are never looked at.
Plans are programs: nothing is loaded but what a manifest's hash covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import shlex
from typing import Any
from typing import Final

from deepsight_ros.engines.cache import replacing
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Profile
from deepsight_ros.engines.manifest import TensorSpec

FORMAT: Final = 1
_HOW_BUILT: Final = {'flags', 'level'}
"""Fields of a key that do not matter for where and with which graph a plan runs."""


@dataclass(frozen=True)
class PlanKey:
    """What a plan is built from and for; two plans with one key are interchangeable."""

    bundle: str
    """Name of the bundle."""
    onnx_sha256: str
    tensorrt: str
    """Version, such as ``10.3.0``."""
    gpu: str
    """Name of the device, and what tells it from others of that name."""
    compute_capability: str
    """Such as ``8.7``."""
    profiles: str
    """The manifest's optimisation profiles as JSON; see ``profiles_text``."""
    attention: str
    """The variant's: ``fused``, ``plain`` or empty."""
    flags: tuple[str, ...] = ()
    """Names of the builder's flags and of other settings that are not the default, sorted."""
    level: int = 3
    """Builder optimisation level."""

    @property
    def name(self) -> str:
        """Return the stem of the plan's file name."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, other: PlanKey) -> dict[str, tuple[Any, Any]]:
        """Return field name to own and other value, where they differ."""
        mine, others = asdict(self), asdict(other)
        return {name: (mine[name], others[name]) for name in mine if mine[name] != others[name]}


def profiles_text(profiles: tuple[Profile, ...]) -> str:
    """Return a manifest's optimisation profiles as they are in a key."""
    return json.dumps([{name: asdict(shapes) for name, shapes in sorted(profile.items())}
                       for profile in profiles])


@dataclass(frozen=True)
class PlanManifest:
    """Contents of ``<key>.json``: where a plan comes from and what was measured."""

    key: PlanKey
    sha256: str
    """Of the plan."""
    cuda: str
    """Version of the CUDA runtime that built it."""
    driver: str
    """Newest CUDA version of the driver at that time."""
    precision: str
    """Of the variant that was asked for."""
    tensors: tuple[TensorSpec, ...]
    """Inputs and outputs as read back from the plan, shapes with -1 for free sizes."""
    layer_dtypes: dict[str, int]
    """Dtype to the number of layers that compute in it, as read back; empty if unknown."""
    parity: dict[str, Any]
    """Report of module ``parity``."""
    passed: bool
    """Whether the parity gate let it through."""
    build_seconds: float
    built: str
    """Date and time, ISO 8601, UTC."""

    @classmethod
    def read(cls, path: Path) -> PlanManifest:
        """Read a manifest file; ``EngineError`` says what is wrong with it."""
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
            if content.pop('format', None) != FORMAT:
                raise ValueError(f'format is not {FORMAT}')
            content['key']['flags'] = tuple(content['key']['flags'])
            content['key'] = PlanKey(**content['key'])
            content['tensors'] = tuple(TensorSpec(**{**item, 'shape': tuple(item['shape'])})
                                       for item in content['tensors'])
            return cls(**content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f'{path} cannot be read ({error})') from error

    def to_json(self) -> str:
        """Return the text of the manifest file."""
        return json.dumps({'format': FORMAT, **asdict(self)}, indent=1) + '\n'


@dataclass(frozen=True)
class Plan:
    """A plan whose bytes match its manifest."""

    path: Path
    manifest: PlanManifest
    content: bytes


def plan_path(key: PlanKey, cache: Path, *, failed: bool = False) -> Path:
    """Return where the plan with this key is kept; its manifest has the suffix ``.json``."""
    folder = cache / 'plans' / key.bundle
    return (folder / 'failed' if failed else folder) / f'{key.name}.plan'


def build_command(bundle: Path, cache: Path) -> str:
    """Return the command that builds the plan of the bundle in folder ``bundle``."""
    return shlex.join(['deepsight', 'engine', 'build', str(bundle), '--cache', str(cache)])


def find_plan(key: PlanKey, cache: Path, bundle: Path) -> Plan:
    """
    Return the verified plan for ``key``, else the newest that differs only in how it was built.

    ``EngineError`` says what is missing, different or damaged, and the command that builds the
    plan of the bundle in folder ``bundle``.
    """
    try:
        return read_plan(*_choose(key, cache))
    except (EngineError, OSError) as error:
        raise EngineError(f'{error}; build it: {build_command(bundle, cache)}') from error


def save_plan(content: bytes, manifest: PlanManifest, cache: Path) -> Path:
    """
    Write a plan and its manifest, aside if it did not pass; return the plan's path.

    Hold ``locked(plan_path(key, cache))`` from before ``find_plan`` until after this, so that a
    second builder finds the plan of the first. Raises ``EngineError``. The manifest comes last,
    and without one there is no plan.
    """
    path = plan_path(manifest.key, cache, failed=not manifest.passed)
    old = plan_path(manifest.key, cache, failed=manifest.passed)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        # The old manifest would say that the new plan is damaged.
        for stale in (path.with_suffix('.json'), old.with_suffix('.json'), old):
            stale.unlink(missing_ok=True)
    with replacing(path.with_suffix('.json')) as temporary:
        temporary.write_text(manifest.to_json(), encoding='utf-8')
    return path


def _choose(key: PlanKey, cache: Path) -> tuple[Path, PlanManifest]:
    """Return the path and manifest of the plan to use; raises ``EngineError``."""
    path = plan_path(key, cache)
    if path.with_suffix('.json').is_file():
        manifest = PlanManifest.read(path.with_suffix('.json'))
        if manifest.key == key:
            return path, manifest
    others = list(_readable(path.parent))
    same = [(item, manifest) for item, manifest in others
            if key.differences(manifest.key).keys() <= _HOW_BUILT]
    if same:
        return max(same, key=lambda pair: pair[1].built)
    if others:
        nearest = min((key.differences(manifest.key) for _, manifest in others), key=len)
        text = ', '.join(f'{name} is {mine}, the plan was built for {other}'
                         for name, (mine, other) in nearest.items())
        raise EngineError(f'no plan in {path.parent} fits: {text}')
    failed = plan_path(key, cache, failed=True).with_suffix('.json')
    if failed.is_file():
        raise EngineError(f'the plan of {key.bundle!r} failed its parity check, see {failed}')
    raise EngineError(f'{path.parent} has no plan of {key.bundle!r}')


def _readable(folder: Path) -> Iterator[tuple[Path, PlanManifest]]:
    """Yield the plans of a folder whose manifests can be read."""
    for item in sorted(folder.glob('*.json')):
        with suppress(EngineError):
            yield item.with_suffix('.plan'), PlanManifest.read(item)


def read_plan(path: Path, manifest: PlanManifest) -> Plan:
    """Return the plan in file ``path`` after checking it; raises ``EngineError``."""
    if manifest.passed is not True:
        raise EngineError(f'{path} failed its parity check')
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(f'{path} cannot be read ({error.strerror})') from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise EngineError(f'{path} does not match the hash in its manifest; it was changed, cut '
                          'off or damaged')
    return Plan(path, manifest, content)
