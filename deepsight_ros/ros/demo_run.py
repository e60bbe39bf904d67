"""One bag from this process over topics to the node's process, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
import time
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from tqdm import tqdm

from deepsight_ros.evaluation.answer_truth import judge
from deepsight_ros.evaluation.answer_truth import true_frame
from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.bag_truth import BagTruth
from deepsight_ros.evaluation.demo_questions import QUESTIONS
from deepsight_ros.evaluation.demo_scores import AnsweredPicture
from deepsight_ros.evaluation.demo_scores import AskedQuestion
from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.points import Robot
from deepsight_ros.perception.pictures import decode
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import to_rgb
from deepsight_ros.ros import demo_interview
from deepsight_ros.ros.audience import Audience
from deepsight_ros.ros.child_process import ChildError
from deepsight_ros.ros.child_process import ChildProcess
from deepsight_ros.ros.child_process import ros_arguments
from deepsight_ros.ros.demo_interview import Interview

NODE = 'deepsight_ros.ros.embodied_depth'
PATIENCE = 30.0
"""Seconds within which the node must be ready."""
LAST_ANSWER = 3.0
"""Seconds within which a picture must be answered; then it counts as lost."""
SETTLING = 0.3
"""Seconds that subscribers have to learn of publishers that already know them."""
BASE = 'base_footprint'


class DemoRun:
    """
    A bag with pictures, transforms and true depth, and what the node is told about its camera.

    The node gets no transforms, since not every installation has tf2: how the camera is mounted
    is read from the bag's transforms at the first picture, and given as parameters.
    """

    def __init__(self, path: Path, bundle: Path, folder: Path, language: Path | None) -> None:
        """
        Look into the bag; raises ``BagError``.

        ``bundle`` segments, ``language`` answers; None: nothing is asked. Logs go to ``folder``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._bundle, self._folder = path, bundle, folder
        self._language = language
        with BagReader(path) as bag:
            self._topics = choose_topics(bag, ReplaySettings())
            transforms = read_transforms(bag)
            if transforms is None or not self._topics.depth:
                raise BagError(f'bag {path} has no true depth or no transforms; the demonstration '
                               'needs both, `deepsight replay` does not')
            self._transforms = transforms
            first = next(bag.messages([self._topics.image]))
            self._first_ns = first.time_ns
            self._picture_at = {message.time_ns: stamp_of(message.content)
                                for message in bag.messages([self._topics.image])}
            self._camera = Camera.from_camera_info(bag.first(self._topics.camera_info))
            mount = transforms.lookup(
                BASE, first.content.header.frame_id, stamp_of(first.content))
            self._stamps = frozenset(stamp_of(message.content)
                                     for message in bag.messages([self._topics.depth]))
            self.pictures = bag.count(self._topics.image)
            self._compressed = self._topics.image in bag.topics(COMPRESSED_IMAGE)
        ground = GroundPlane.from_transform(mount)
        self.given = {'camera_height': ground.height, 'camera_pitch': ground.pitch,
                      'camera_roll': ground.roll}
        """Parameters of the node: metres and radians."""

    def play(self) -> PlayedBag:
        """Run the nodes, play to them and listen to them; raises ``ChildError``."""
        with closing(Audience(keep=self._stamps)) as audience:
            interview = Interview(audience, self._questions() if self._language else {})
            with ExitStack() as stack:
                nodes = [stack.enter_context(ChildProcess(
                    NODE, self._node_arguments(), self._folder / 'node.log'))]
                if self._language:
                    nodes.append(stack.enter_context(ChildProcess(
                        demo_interview.NODE,
                        demo_interview.node_arguments(self._language, self.given),
                        self._folder / 'language.log')))
                for node in nodes:
                    node.wait_for('active:', PATIENCE)
                self._perform(audience, interview, nodes)
            pictures = tuple(self._answered(audience))
            if not pictures:
                raise ChildError(f'none of the pictures with true depth got all topics of {NODE}; '
                                 'is this machine very busy?')
            return PlayedBag(
                name=self._path.name, given=self.given, sent=self.pictures,
                answered=len(audience.answered), rate_hz=audience.rate_hz(),
                stages=audience.milliseconds(), pictures=pictures,
                asked=tuple(self._asked(interview, pictures)))

    def _node_arguments(self) -> list[str]:
        values = {'segmentation_bundle': self._bundle, 'ground_frame': "''",
                  'compressed': str(self._compressed).lower(), **self.given}
        topics = {'image': self._topics.image, 'camera_info': self._topics.camera_info}
        return ros_arguments(values, topics)

    def _questions(self) -> dict[int, list[str]]:
        """Questions by the stamp of the picture that they are about."""
        stamps = sorted(self._stamps & set(self._picture_at.values()))
        questions = defaultdict(list)
        for question in QUESTIONS[self._path.name]:
            # While the first depth is on its way, the nodes may still be finding each other.
            stamp = stamps[max(1, round(question.moment * (len(stamps) - 1)))]
            questions[stamp].append(question.words(*self._camera.size))
        return questions

    def _perform(
        self, audience: Audience, interview: Interview, nodes: Sequence[ChildProcess],
    ) -> None:
        """Play as fast as the bag was recorded, but each picture after the last answer."""
        publishers, node = self._connect(audience, interview), nodes[0]
        lost, started = 0, time.monotonic() - self._first_ns * 1e-9
        with BagReader(self._path) as bag, \
                tqdm(total=self.pictures, unit='picture', desc=self._path.name) as bar:
            for message in bag.serialized(publishers):
                audience.listen(started + message.time_ns * 1e-9 - time.monotonic())
                publishers[message.topic].publish(bytes(message.data))
                if message.topic != self._topics.image:
                    continue
                bar.update()
                if not audience.hears_answers(bar.n - lost, LAST_ANSWER):
                    lost += 1
                    if node.has_ended() or not audience.answered:
                        raise ChildError(f'no depth came; {NODE} says:\n{node.last_words()}')
                interview.ask_about(self._picture_at[message.time_ns])
                audience.listen_until(interview.is_answered, LAST_ANSWER)
        if not audience.listen_until(lambda: bool(audience.milliseconds()), LAST_ANSWER):
            raise ChildError(f'no times on /diagnostics; {NODE} says:\n{node.last_words()}')
        if not audience.listen_until(interview.is_answered, demo_interview.DEADLINE):
            raise ChildError(f'a question was not answered; {demo_interview.NODE} says:\n'
                             f'{nodes[-1].last_words()}')

    def _connect(self, audience: Audience, interview: Interview) -> dict[str, Publisher]:
        """Return a publisher per topic of the bag, once nodes and audience hear each other."""
        kinds = {self._topics.image: CompressedImage if self._compressed else Image,
                 self._topics.camera_info: CameraInfo}
        publishers = {topic: audience.publisher(kind, topic) for topic, kind in kinds.items()}

        def connected() -> bool:
            return audience.hears_all() and all(
                publisher.get_subscription_count() for publisher in publishers.values()
            ) and (self._language is None or interview.is_heard())

        if not audience.listen_until(connected, PATIENCE):
            raise ChildError(f'the topics of {NODE} cannot be found; is the network interface '
                             '`lo` up?')
        audience.listen(SETTLING)
        return publishers

    def _answered(self, audience: Audience) -> Iterator[AnsweredPicture]:
        """Pictures with all topics that came back and with true depth."""
        with BagReader(self._path) as bag, BagReader(self._path) as truth_bag:
            truth = BagTruth(truth_bag, self._topics, self._transforms)
            answers = audience.answers()
            for message in bag.messages([self._topics.image]):
                answer = answers.get(stamp_of(message.content))
                if answer is None:
                    continue
                camera = Camera.from_camera_info(answer['embodied_depth/camera_info'])
                points = truth.points(
                    stamp_of(message.content), message.content.header.frame_id, camera)
                if points is not None:
                    yield _picture(message.content, answer, camera, points)

    def _asked(
        self, interview: Interview, pictures: Iterable[AnsweredPicture],
    ) -> Iterator[AskedQuestion]:
        """Answers with what the true depth of their pictures says."""
        shown = {picture.stamp_ns: picture for picture in pictures}
        for details in interview.answers():
            asked = AskedQuestion(details)
            picture = shown.get(asked.stamp_ns)
            if picture is None:
                yield asked
                continue
            ground = GroundPlane.from_transform(
                self._transforms.lookup(BASE, details['frame_id'], asked.stamp_ns))
            truth = true_frame(picture.truth, picture.camera, ground, Robot())
            yield replace(asked, picture=picture, truth=judge(
                truth, picture.camera.size, details['question'], details['text']))


def _picture(message: Any, answer: dict[str, Any], camera: Camera, points: Any) -> AnsweredPicture:
    image = to_rgb(message) if hasattr(message, 'encoding') else decode_compressed(message)
    return AnsweredPicture(
        stamp_of(message), image, camera, truth=points,
        **{name: decode(answer[f'embodied_depth/{topic}']) for name, topic in (
            ('depth', 'image'), ('uncertainty', 'uncertainty'), ('label', 'label'),
            ('preview', 'preview'))})
