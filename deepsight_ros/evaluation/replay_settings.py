"""Parameters of a replay: those of the nodes, and which topics of the bag to take."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields
import math
from pathlib import Path
from typing import Any
from typing import ClassVar
from typing import Final
from typing import TypeVar

import yaml

_LIVE_ONLY: Final = frozenset({
    'autostart', 'build_engine', 'camera_info_exact', 'compressed', 'deadline', 'language_threads',
    'max_frame_age', 'max_questions', 'segmentation_threads', 'tf_timeout', 'use_sim_time'})
"""Parameters of the nodes that mean nothing without a running system."""
_Settings = TypeVar('_Settings', bound='NodeSettings')


class SettingsError(ValueError):
    """A parameter file cannot be read, or sets something that does not exist."""


@dataclass(frozen=True)
class NodeSettings:
    """What a parameter file can set of every node; units and defaults are the node's."""

    node: ClassVar[str]
    """Name of the node."""
    elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Parameters that belong to what else is replayed."""

    backend: str = 'auto'
    providers: str = ''
    cache_dir: str = ''

    @classmethod
    def from_file(cls: type[_Settings], path: Path) -> _Settings:
        """
        Read a ROS parameter file, such as the node itself takes.

        Sections for other nodes are ignored. Raises ``SettingsError`` or ``OSError``.
        """
        try:
            content = yaml.safe_load(path.read_text('utf8'))
        except (ValueError, yaml.YAMLError) as error:
            raise SettingsError(f'{path} is no YAML in UTF-8: {error}') from error
        return cls.from_values(_parameters(content, path, cls.node), str(path))

    @classmethod
    def from_values(cls: type[_Settings], values: dict[str, Any], source: str) -> _Settings:
        """Check names and types of parameters that come from ``source``."""
        types = {item.name: type(item.default) for item in fields(cls)}
        chosen: dict[str, Any] = {}
        for name, value in values.items():
            if name in _LIVE_ONLY | cls.elsewhere:
                continue
            if name not in types:
                raise SettingsError(f'{source}: there is no parameter {name!r}; there are '
                                    f'{", ".join(types)}')
            if types[name] is float and type(value) is int:
                value = float(value)
            if type(value) is not types[name]:
                raise SettingsError(f'{source}: {name} is {value!r}, must be of type '
                                    f'{types[name].__name__}')
            chosen[name] = value
        return cls(**chosen)


@dataclass(frozen=True)
class ReplaySettings(NodeSettings):
    """
    What can be set of the depth that is computed.

    The topics choose where a bag has several; empty: the only one there is. Those of depth,
    points and imu may be ``none``: what the bag has is not to be used.
    """

    node: ClassVar[str] = 'embodied_depth'
    elsewhere: ClassVar[frozenset[str]] = frozenset({
        'language_bundle', 'robot_width', 'robot_height', 'min_obstacle_height'})

    segmentation_bundle: str = 'scene_segmentation_nano'
    rectified: bool = True
    camera_height: float = 0.0
    camera_pitch: float = 0.0
    camera_roll: float = 0.0
    ground_frame: str = 'base_footprint'
    refine_ground: bool = True
    max_range: float = 80.0
    image_topic: str = ''
    camera_info_topic: str = ''
    depth_topic: str = ''
    points_topic: str = ''
    imu_topic: str = ''

    def __post_init__(self) -> None:
        """Refuse degrees, as the node does."""
        for name, limit in (('camera_pitch', math.pi / 2), ('camera_roll', math.pi)):
            angle = getattr(self, name)
            if not abs(angle) <= limit:
                raise SettingsError(f'{name} is {angle:g}; angles are in radians, {angle:g} '
                                    f'degrees are {math.radians(angle):.3g}')


@dataclass(frozen=True)
class LanguageSettings(NodeSettings):
    """What can be set of the answers; where the ground is, they take from the depth."""

    node: ClassVar[str] = 'spatial_language'
    elsewhere: ClassVar[frozenset[str]] = frozenset(
        item.name for item in fields(ReplaySettings)) - frozenset(
        item.name for item in fields(NodeSettings))

    language_bundle: str = 'deepsight_nano'
    robot_width: float = 0.6
    robot_height: float = 1.2
    min_obstacle_height: float = 0.1


def _parameters(content: Any, path: Path, node: str) -> dict[str, Any]:
    """Parameters of the sections that name the node, or all nodes; the later one wins."""
    sections = content.items() if isinstance(content, dict) else ()
    values: dict[str, Any] = {}
    found = False
    for name, section in sections:
        if not (isinstance(section, dict) and isinstance(section.get('ros__parameters'), dict)):
            break
        found = True
        if str(name).rpartition('/')[2] in (node, '*', '**'):
            values.update(section['ros__parameters'])
    if not found:
        raise SettingsError(f'{path} is no ROS parameter file; expected '
                            f'{node}: {{ros__parameters: {{camera_height: 1.2}}}}')
    return values
