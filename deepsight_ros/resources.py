"""Where bundles, configuration and sample bags are, however the package was installed.

An explicit path wins; a name is looked up in the environment variable of its kind, then in the
ament index (colcon, apt), then in the data folders of this Python (pip), then in the checkout.
pip leaves AMENT_PREFIX_PATH unset and ``pip install -e`` installs no share folder, hence all four.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import sys
import sysconfig

PACKAGE = 'deepsight_ros'
SAMPLE_BAGS = ('street', 'room')
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
"""Name the transport profile for Fast DDS 2 (Humble, Jazzy) and Fast DDS 3 (Kilted)."""


class ResourceError(LookupError):
    """A bundle, configuration file or sample bag is nowhere; the message says where we looked."""


@dataclass(frozen=True)
class _Kind:
    title: str
    folder: str  # the same below share/deepsight_ros and in the checkout
    variable: str
    marker: str | None  # the file that proves a folder to be one; None for plain files


_BUNDLE = _Kind('model bundle', 'models', 'DEEPSIGHT_MODELS', 'manifest.json')
_CONFIG = _Kind('configuration file', 'config', 'DEEPSIGHT_CONFIG', None)
_SAMPLE_BAG = _Kind('sample bag', 'resource/sample_bags', 'DEEPSIGHT_SAMPLE_BAGS', 'metadata.yaml')


def find_bundle(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the folder of a model bundle, given its name or its path.

    Raises :class:`ResourceError` if there is none with a ``manifest.json``.
    """
    return _find(_BUNDLE, name_or_path)


def find_config(name_or_path: str | os.PathLike[str]) -> Path:
    """Return a configuration file, such as ``fastdds_shm.xml``, given its name or its path.

    Raises :class:`ResourceError` if it does not exist.
    """
    return _find(_CONFIG, name_or_path)


def find_sample_bag(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the folder of a sample bag (``street`` or ``room``), given its name or its path.

    Raises :class:`ResourceError` if there is none with a ``metadata.yaml``.
    """
    return _find(_SAMPLE_BAG, name_or_path)


def profile_environment() -> dict[str, str]:
    """
    Return the variables that give a process the shared-memory profile for pictures.

    A profile that the user chose stays. Raises :class:`ResourceError` if ours is missing.
    """
    chosen = next((os.environ[name] for name in PROFILE_VARIABLES if os.environ.get(name)), None)
    profile = chosen or str(find_config('fastdds_shm.xml'))
    return dict.fromkeys(PROFILE_VARIABLES, profile)


def list_bundles() -> list[Path]:
    """Return the folders of all bundles found by name; of two with one name, the one in use."""
    found: dict[str, Path] = {}
    for folder in _folders(_BUNDLE):
        for manifest in sorted(folder.glob(f'*/{_BUNDLE.marker}')):
            found.setdefault(manifest.parent.name, manifest.parent)
    return [found[name] for name in sorted(found)]


def share_folders() -> list[Path]:
    """Return the folders that hold ``models/``, ``config/``... in order of preference."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    ament = [Path(prefix) / 'share' / PACKAGE for prefix in prefixes if prefix]
    # A workspace has a prefix per package; those without ours would only fill error messages.
    folders = [folder for folder in ament if folder.is_dir()]
    data = [sys.prefix, sysconfig.get_path('data'), sysconfig.get_path('data', f'{os.name}_user')]
    folders += [Path(prefix) / 'share' / PACKAGE for prefix in dict.fromkeys(data)]
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / 'package.xml').is_file():
        folders.append(checkout)
    return folders


def _find(kind: _Kind, name_or_path: str | os.PathLike[str]) -> Path:
    text = os.fspath(name_or_path)
    if not text:
        raise ResourceError(f'{kind.title}: the name is empty; give a name or a path')
    path = Path(text).expanduser()
    if path.is_absolute() or len(path.parts) > 1 or text.startswith('.'):
        if _is(kind, path):
            return path
        lacks = f'has no {kind.marker}' if path.is_dir() and kind.marker else 'does not exist'
        raise ResourceError(f'{kind.title} {path} {lacks}; give the path of one, or a name alone')
    looked = list(_folders(kind))
    for folder in looked:
        if _is(kind, folder / text):
            return folder / text
    raise ResourceError(
        f'{kind.title} {text!r} is in none of {", ".join(map(str, looked))}; set '
        f'{kind.variable} to the folder that holds it, or give its path'
    )


def _is(kind: _Kind, path: Path) -> bool:
    return path.is_file() if kind.marker is None else (path / kind.marker).is_file()


def _folders(kind: _Kind) -> Iterator[Path]:
    for folder in os.environ.get(kind.variable, '').split(os.pathsep):
        if folder:
            yield Path(folder).expanduser()
    for share in share_folders():
        yield share / kind.folder
