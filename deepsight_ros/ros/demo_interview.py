"""Questions about pictures of a bag, asked over topics while it is played."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import json
from pathlib import Path
from typing import Any
from typing import Final

from std_msgs.msg import String

from deepsight_ros.ros.audience import Audience
from deepsight_ros.ros.audience import DEPTH
from deepsight_ros.ros.child_process import ros_arguments

NODE: Final = 'deepsight_ros.ros.spatial_language'
DEADLINE: Final = 20.0
"""Seconds after which the node says that it has no answer."""
_REMAPPED: Final = {'depth/image': DEPTH, 'depth/camera_info': 'embodied_depth/camera_info'}


def node_arguments(bundle: Path, given: Mapping[str, float]) -> list[str]:
    """Arguments of the node that answers about embodied depth; ``given`` is the camera's mount."""
    # The stamps are those of the recording: any age will do.
    values = {'language_bundle': bundle, 'ground_frame': "''", 'max_frame_age': 0.0, **given}
    return ros_arguments(values, _REMAPPED)


class Interview:
    """Asks each question about the picture that it is meant for, and keeps the answers."""

    def __init__(self, audience: Audience, questions: Mapping[int, Sequence[str]]) -> None:
        """Take the questions by the stamp (ns) of their pictures."""
        self._audience = audience
        self._questions = questions
        self._publisher = audience.publisher(String, 'question')
        self._answers: dict[str, dict[str, Any]] = {}
        self._asked: list[str] = []
        audience.subscribe(String, 'answer/details', self._take)

    def is_heard(self) -> bool:
        """Whether question, answer and depth have found their other ends."""
        # The audience is one of the two that depth goes to.
        return bool(self._publisher.get_subscription_count()
                    and self._audience.count_publishers('answer/details')
                    and self._audience.count_subscribers(DEPTH) > 1)

    def ask_about(self, stamp_ns: int) -> None:
        """Ask what there is to ask about a picture; the node waits for its depth."""
        sec, nanosec = divmod(stamp_ns, 1_000_000_000)
        for number, text in enumerate(self._questions.get(stamp_ns, ())):
            self._asked.append(f'{stamp_ns}-{number}')
            self._publisher.publish(String(data=json.dumps({
                'id': self._asked[-1], 'text': text, 'deadline_s': DEADLINE,
                'after': {'sec': sec, 'nanosec': nanosec}})))

    def is_answered(self) -> bool:
        """Whether everything that was asked has been answered."""
        return len(self._answers) == len(self._asked)

    def answers(self) -> Iterable[dict[str, Any]]:
        """Return the ``answer/details`` in the order of the questions."""
        return [self._answers[name] for name in self._asked if name in self._answers]

    def _take(self, message: String) -> None:
        details = json.loads(message.data)
        self._answers[details['id']] = details
