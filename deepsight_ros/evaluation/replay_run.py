"""Every picture of a bag through the code of the node, in the order of recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from time import perf_counter
from typing import Any
from typing import Final
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from deepsight_ros.engines import engine_options
from deepsight_ros.engines import EngineError
from deepsight_ros.evaluation.bag_interview import BagInterview
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import SerializedMessage
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_reader import TF
from deepsight_ros.evaluation.bag_topics import BagTopics
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.bag_truth import BagTruth
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.errors import MessageError
from deepsight_ros.evaluation.output_bag import OutputBag
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.evaluation.scoring import FrameScore
from deepsight_ros.evaluation.scoring import FrameScorer
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.geometry import TransformError
from deepsight_ros.perception.extrinsics import Extrinsics
from deepsight_ros.perception.frames import EmbodiedDepthFrames
from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.pictures import PictureError
from deepsight_ros.perception.segmentation import Segmentation
from deepsight_ros.resources import find_bundle

_Result = TypeVar('_Result')
_BAD_PICTURE: Final = (CameraError, EngineError, GroundError, PictureError)
_BAD_TRUTH: Final = (BagError, CameraError, PictureError, TransformError)
_SHOWN: Final = 6
"""Pictures, spread over the bag, that a report shows."""


@dataclass(frozen=True)
class ReplayedFrame:
    """What is kept of each picture."""

    stamp_ns: int
    source: str
    """Where the ground is known from: transform, gravity or parameters."""
    ground: GroundPlane
    score: FrameScore | None
    """None where the bag holds no true depth for this picture."""
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """A picture [H, W, 3], its depth [H, W] (m) and true points [N, 3], for the report."""

    stamp_ns: int
    image: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32] | None


@dataclass
class Replay:
    """Result of a replay."""

    bag: str
    topics: BagTopics
    settings: ReplaySettings
    backend: str
    """What ran the model."""
    frames: list[ReplayedFrame] = field(default_factory=list)
    shown: list[ShownFrame] = field(default_factory=list)
    failures: dict[str, list[str]] = field(default_factory=dict)
    """Messages by the kind of error."""
    warnings: Counter[str] = field(default_factory=Counter)
    wall_seconds: float = 0.0
    interview: BagInterview | None = None
    """Questions and their answers; None if nothing was asked."""


def replay_bag(
    path: Path, settings: ReplaySettings, bag_out: Path | None = None,
    interview: BagInterview | None = None,
) -> Replay:
    """
    Replay a bag; ``bag_out`` is a new bag for the outputs, ``interview`` asks meanwhile.

    One bad picture or message does not end it: errors are counted in ``failures``. Raises
    ``BagError`` when the bag cannot be read or no picture gave depth.
    """
    with ExitStack() as stack:
        bag = stack.enter_context(BagReader(path))
        topics = choose_topics(bag, settings)
        transforms = read_transforms(bag)
        truth = None
        if topics.depth or topics.points:
            truth_bag = stack.enter_context(BagReader(path))
            truth = BagTruth(truth_bag, topics, transforms or TransformBuffer())
        segmentation = Segmentation.load(
            find_bundle(settings.segmentation_bundle),
            **engine_options(settings.backend, settings.providers, settings.cache_dir))
        stack.enter_context(segmentation.engine)
        output = stack.enter_context(OutputBag(bag_out, settings.max_range)) if bag_out else None
        result = Replay(path.name, topics, settings, segmentation.engine.backend,
                        interview=interview)
        started = perf_counter()
        _Player(result, segmentation, transforms, truth, output).play(bag)
        result.wall_seconds = perf_counter() - started
        # Within, so that no bag of outputs without any is left.
        if not result.frames:
            first = next((texts[0] for texts in result.failures.values()), 'it has none')
            raise BagError(f'no picture of bag {path} gave depth: {first}')
    return result


def read_transforms(bag: BagReader) -> TransformBuffer | None:
    """All transforms of a bag; None if it has none."""
    topics = bag.topics(TF)
    if not topics:
        return None
    transforms = TransformBuffer(history=sum(map(bag.count, topics)))
    for entry in bag.serialized(topics):
        static = entry.topic.endswith('tf_static')
        # Pictures that a damaged one leaves without transform are counted when they are taken.
        with suppress(MessageError):
            for item in bag.decode(entry).transforms:
                t, q = item.transform.translation, item.transform.rotation
                transforms.set(
                    item.header.frame_id, item.child_frame_id, np.array([t.x, t.y, t.z]),
                    np.array([q.x, q.y, q.z, q.w]), None if static else stamp_of(item))
    return transforms


class _Player:
    """The loop over the messages of a bag."""

    def __init__(
        self, result: Replay, segmentation: Segmentation, transforms: TransformBuffer | None,
        truth: BagTruth | None, output: OutputBag | None,
    ) -> None:
        settings = result.settings
        self._result = result
        self._extrinsics = Extrinsics(
            height=settings.camera_height, pitch=settings.camera_pitch,
            roll=settings.camera_roll, ground_frame=settings.ground_frame,
            transforms=transforms if settings.ground_frame else None)
        self._frames = EmbodiedDepthFrames(
            segmentation, self._extrinsics, rectified=settings.rectified,
            refine_ground=settings.refine_ground, max_range=settings.max_range,
            topic=result.topics.image)
        self._scorer = FrameScorer(settings.max_range)
        self._truth = truth
        self._output = output
        self._info: Any = None
        self._taken = 0
        self._to_show: list[int] = []

    def play(self, bag: BagReader) -> None:
        """Feed pictures, camera_info and IMU as the node would receive them."""
        topics = self._result.topics
        count = bag.count(topics.image)
        self._to_show = np.linspace(0, count - 1, min(count, _SHOWN)).astype(int).tolist()
        # As the node, the first picture waits for its camera_info.
        self._info = bag.first(topics.camera_info)
        for entry in _with_progress(bag, topics, count):
            self._guarded((MessageError,), self._receive, bag, entry)
            self._taken += entry.topic == topics.image

    def _receive(self, bag: BagReader, entry: SerializedMessage) -> None:
        message, topics = bag.decode(entry), self._result.topics
        if entry.topic == topics.camera_info:
            self._info = message
        elif entry.topic == topics.imu:
            self._guarded((GroundError,), self._extrinsics.add_imu, message)
        else:
            self._take(message)

    def _take(self, picture: Any) -> None:
        frame = self._guarded(_BAD_PICTURE, self._frames, picture, self._info)
        if frame is None:
            return
        stamp_ns = stamp_of(picture)
        self._result.warnings.update(frame.warnings.values())
        started = perf_counter()
        truth = self._guarded(_BAD_TRUTH, self._true_points, frame, picture)
        read = perf_counter()
        prior = frame.ground.plane.seen_from(frame.camera.offset)
        score = None if truth is None else self._scorer(frame.result, truth, prior)
        scored = perf_counter()
        if self._result.interview is not None:
            self._guarded(_BAD_PICTURE, self._result.interview.ask, self._taken, frame, stamp_ns,
                          picture.header.frame_id, truth)
        if self._output is not None:
            self._output.write(frame, stamp_ns, picture.header.frame_id)
        seconds = {**frame.seconds, 'truth': read - started, 'score': scored - read}
        self._result.frames.append(ReplayedFrame(
            stamp_ns, frame.ground.source, frame.result.ground, score, seconds))
        if self._is_shown(has_truth=truth is not None):
            self._result.shown.append(ShownFrame(
                stamp_ns, frame.image.copy(), frame.result.scene.depth, truth))

    def _is_shown(self, *, has_truth: bool) -> bool:
        """Whether the report shows this picture: one is due, and it has truth if the bag has."""
        if not self._to_show or self._taken < self._to_show[0]:
            return False
        if self._truth is not None and not has_truth:
            return False
        self._to_show = [index for index in self._to_show if index > self._taken]
        return True

    def _true_points(self, frame: Frame, picture: Any) -> npt.NDArray[np.float32] | None:
        if self._truth is None:
            return None
        return self._truth.points(stamp_of(picture), picture.header.frame_id, frame.camera)

    def _guarded(
        self, errors: tuple[type[Exception], ...], step: Callable[..., _Result], *arguments: Any,
    ) -> _Result | None:
        """Call ``step``; None, and the failure noted, after an expected error."""
        try:
            return step(*arguments)
        except errors as error:
            self._result.failures.setdefault(type(error).__name__, []).append(str(error))
            return None


def _with_progress(
    bag: BagReader, topics: BagTopics, pictures: int,
) -> Iterator[SerializedMessage]:
    wanted = {topics.image, topics.camera_info, topics.imu} - {''}
    with tqdm(total=pictures, unit='picture') as bar:
        for entry in bag.serialized(wanted):
            yield entry
            bar.update(entry.topic == topics.image)
