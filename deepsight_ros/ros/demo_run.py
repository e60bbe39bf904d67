"""One bag from a player process through the node's process to this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tqdm import tqdm

from deepsight_ros.evaluation.bag_reader import BagReader
from deepsight_ros.evaluation.bag_reader import COMPRESSED_IMAGE
from deepsight_ros.evaluation.bag_reader import stamp_of
from deepsight_ros.evaluation.bag_topics import choose_topics
from deepsight_ros.evaluation.bag_truth import BagTruth
from deepsight_ros.evaluation.demo_scores import AnsweredPicture
from deepsight_ros.evaluation.demo_scores import PlayedBag
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.evaluation.replay_run import read_transforms
from deepsight_ros.evaluation.replay_settings import ReplaySettings
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.perception.pictures import decode
from deepsight_ros.perception.pictures import decode_compressed
from deepsight_ros.perception.pictures import to_rgb
from deepsight_ros.ros.audience import Audience
from deepsight_ros.ros.child_process import ChildError
from deepsight_ros.ros.child_process import ChildProcess

NODE, PLAYER = 'deepsight_ros.ros.embodied_depth', 'deepsight_ros.ros.bag_player'
PATIENCE = 30.0
"""Seconds within which a process must be ready."""
LAST_ANSWER = 3.0
"""Seconds after the last picture within which the last answers and a report must come."""
BASE = 'base_footprint'


class DemoRun:
    """
    A bag with pictures, transforms and true depth, and what the node is told about its camera.

    The node gets no transforms, since not every installation has tf2: how the camera is mounted
    is read from the bag's transforms at the first picture, and given as parameters.
    """

    def __init__(self, path: Path, bundle: Path, folder: Path) -> None:
        """Look into the bag; raises ``BagError``. Logs go to ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._bundle, self._folder = path, bundle, folder
        with BagReader(path) as bag:
            self._topics = choose_topics(bag, ReplaySettings())
            transforms = read_transforms(bag)
            if transforms is None or not self._topics.depth:
                raise BagError(f'bag {path} has no true depth or no transforms; the demonstration '
                               'needs both, `deepsight replay` does not')
            self._transforms = transforms
            first = bag.first(self._topics.image)
            mount = transforms.lookup(BASE, first.header.frame_id, stamp_of(first))
            self._stamps = frozenset(stamp_of(message.content)
                                     for message in bag.messages([self._topics.depth]))
            self.pictures = bag.count(self._topics.image)
            self._compressed = self._topics.image in bag.topics(COMPRESSED_IMAGE)
        ground = GroundPlane.from_transform(mount)
        self.given = {'camera_height': ground.height, 'camera_pitch': ground.pitch,
                      'camera_roll': ground.roll}
        """Parameters of the node: metres and radians."""

    def play(self) -> PlayedBag:
        """Run both processes; raises ``ChildError``."""
        with closing(Audience(keep=self._stamps)) as audience:
            with ChildProcess(NODE, self._node_arguments(), self._folder / 'node.log') as node:
                node.wait_for('active:', PATIENCE)
                self._listen(audience, node)
            return PlayedBag(
                name=self._path.name, given=self.given, sent=self.pictures,
                answered=len(audience.answered), rate_hz=audience.rate_hz(),
                stages=audience.milliseconds(), pictures=tuple(self._answered(audience)))

    def _node_arguments(self) -> list[str]:
        values = {'segmentation_bundle': self._bundle, 'ground_frame': "''",
                  'compressed': str(self._compressed).lower(), 'use_sim_time': 'true',
                  **self.given}
        topics = {'image': self._topics.image, 'camera_info': self._topics.camera_info}
        return ['--ros-args',
                *(word for name, value in values.items() for word in ('-p', f'{name}:={value}')),
                *(word for name, topic in topics.items() for word in ('-r', f'{name}:={topic}'))]

    def _listen(self, audience: Audience, node: ChildProcess) -> None:
        """Let the player play as fast as the bag was recorded, until the last answer is there."""
        if not audience.listen_until(audience.hears_all, PATIENCE):
            raise ChildError(f'the topics of {NODE} cannot be found; is the network interface '
                             '`lo` up?')

        def complete() -> bool:
            bar.update(len(audience.answered) - bar.n)
            return bar.n == self.pictures and bool(audience.milliseconds())

        with ChildProcess(PLAYER, [str(self._path)], self._folder / 'player.log') as player, \
                tqdm(total=self.pictures, unit='picture', desc=self._path.name,
                     mininterval=0.5) as bar:
            while not (complete() or player.has_ended() or node.has_ended()):
                audience.listen(0.1)
            audience.listen_until(complete, LAST_ANSWER)
            if not (audience.answered and audience.milliseconds()):
                raise ChildError(f'no depth came back.\n{PLAYER} says:\n{player.last_words()}\n'
                                 f'{NODE} says:\n{node.last_words()}')

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


def _picture(message: Any, answer: dict[str, Any], camera: Camera, points: Any) -> AnsweredPicture:
    image = to_rgb(message) if hasattr(message, 'encoding') else decode_compressed(message)
    return AnsweredPicture(
        stamp_of(message), image, camera, truth=points,
        **{name: decode(answer[f'embodied_depth/{topic}']) for name, topic in (
            ('depth', 'image'), ('uncertainty', 'uncertainty'), ('label', 'label'),
            ('preview', 'preview'))})
