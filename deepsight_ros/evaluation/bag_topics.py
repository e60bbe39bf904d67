"""Which topics of a bag are the picture, its camera, and the depth to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import CAMERA_INFO
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_reader import IMAGE
from deepsight_ros.evaluation.bag_reader import IMU
from deepsight_ros.evaluation.bag_reader import POINT_CLOUD
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.output_bag import NAMESPACE
from deepsight_ros.evaluation.replay_settings import ReplaySettings

_DEPTH_ENCODINGS: Final = ('16UC1', '32FC1')
_NONE: Final = 'none'
"""What a parameter says for: the bag has such topics, but this is not to be used."""


@dataclass(frozen=True)
class BagTopics:
    """Names of topics; empty where the bag has none, or where it is not needed."""

    image: str
    camera_info: str
    imu: str = ''
    depth: str = ''
    depth_camera_info: str = ''
    points: str = ''


def choose_topics(bag: BagReader, settings: ReplaySettings) -> BagTopics:
    """
    Find the topics in an open bag; the settings decide where there are several.

    Depth is preferred to points unless ``points_topic`` is set. What ``embodied_depth`` published
    is neither picture nor truth, unless it is chosen. Raises ``BagError`` when there is no picture
    or no camera_info, or several of something, naming the parameter that chooses.
    """
    raw = bag.topics(IMAGE)
    depths = [topic for topic in raw if bag.first(topic).encoding in _DEPTH_ENCODINGS]
    pictures = [topic for topic in raw if topic not in depths]
    compressed = bag.topics(COMPRESSED_IMAGE)
    image = _only(bag, 'image_topic', settings.image_topic,
                  _of_others(pictures) or _of_others(compressed), [*raw, *compressed])
    if not image:
        raise BagError(f'bag {bag.path} has no pictures (topics of type {IMAGE} or '
                       f'{COMPRESSED_IMAGE}); record the camera')
    clouds = bag.topics(POINT_CLOUD)
    depth = '' if settings.points_topic not in ('', _NONE) else _only(
        bag, 'depth_topic', settings.depth_topic, _of_others(depths), [*depths, _NONE])
    points = '' if depth else _only(
        bag, 'points_topic', settings.points_topic, clouds, [*clouds, _NONE])
    # Gravity alone says nothing: without the height it is not used.
    imus = bag.topics(IMU) if settings.camera_height > 0 or settings.imu_topic else []
    return BagTopics(
        image, _camera_info_of(bag, settings.camera_info_topic, image),
        imu=_only(bag, 'imu_topic', settings.imu_topic, imus, [*imus, _NONE]),
        depth=depth, depth_camera_info=_beside(bag, depth), points=points)


def _of_others(topics: Sequence[str]) -> list[str]:
    """Topics without those that our node published: compared with itself, depth is perfect."""
    return [topic for topic in topics if not topic.rpartition('/')[0].endswith(NAMESPACE)]


def _only(
    bag: BagReader, parameter: str, chosen: str, candidates: Sequence[str],
    allowed: Sequence[str],
) -> str:
    """Return the chosen topic, empty for none, else the only candidate, else an empty string."""
    if chosen:
        if chosen not in allowed:
            raise BagError(f'bag {bag.path} has no such topic {chosen!r}; {parameter} can be '
                           f'{" or ".join(allowed) or "left empty only"}')
        return '' if chosen == _NONE else chosen
    if len(candidates) > 1:
        choices = [topic for topic in allowed if topic in (*candidates, _NONE)]
        raise BagError(f'bag {bag.path} has several topics for this; set {parameter} in the file '
                       f'given with --params to {" or ".join(choices)}')
    return candidates[0] if candidates else ''


def _camera_info_of(bag: BagReader, chosen: str, image: str) -> str:
    known = bag.topics(CAMERA_INFO)
    if chosen:
        return _only(bag, 'camera_info_topic', chosen, known, known)
    beside = _beside(bag, image)
    if beside:
        return beside
    if not known:
        raise BagError(f'bag {bag.path} has no camera_info; record the topic beside {image}, '
                       'depth cannot be metric without it')
    raise BagError(f'bag {bag.path} has no camera_info beside {image}; set camera_info_topic in '
                   f'the file given with --params to one of {", ".join(known)}')


def _beside(bag: BagReader, image: str) -> str:
    """Topic camera_info in the namespace of a picture, as image_transport has it; or empty."""
    namespace = image.removesuffix('/compressed').rpartition('/')[0]
    topic = f'{namespace}/camera_info'
    return topic if image and topic in bag.topics(CAMERA_INFO) else ''
