"""The ``spatial_language`` node: questions about the newest depth image in, answers out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Thread
import time
from typing import Any

from rclpy.service import Service
from rclpy.subscription import Subscription
from std_msgs.msg import String
from std_srvs.srv import Trigger

from deepsight_ros.geometry.points import Robot
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.questions import Cancel
from deepsight_ros.language.questions import Question
from deepsight_ros.language.questions import QuestionError
from deepsight_ros.language.questions import read_message
from deepsight_ros.perception.answer_details import answer_details
from deepsight_ros.perception.answer_details import Source
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.perception.answering import SpatialAnswer
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.answering import unanswered
from deepsight_ros.perception.depth_frames import DepthFrames
from deepsight_ros.resources import find_bundle
from deepsight_ros.ros import qos
from deepsight_ros.ros.answer_outputs import AnswerOutputs
from deepsight_ros.ros.diagnostics import Status
from deepsight_ros.ros.engine_upgrade import EngineUpgrade
from deepsight_ros.ros.language_status import LanguageStatus
from deepsight_ros.ros.managed_node import ManagedNode
from deepsight_ros.ros.managed_node import run_node
from deepsight_ros.ros.parameters import SpatialLanguageParameters
from deepsight_ros.ros.picture_stream import Job
from deepsight_ros.ros.picture_stream import PictureTopics
from deepsight_ros.ros.question_queue import Asked
from deepsight_ros.ros.question_queue import QuestionQueue

_JUMP_NS = 1_000_000_000
"""A picture that is older than the last by less came late; by more, time starts again."""


class SpatialLanguageNode(ManagedNode):
    """One question after the other in the worker's thread, each about the newest picture."""

    def __init__(self, **node_arguments: Any) -> None:
        """Declare the parameters; nothing is loaded before configure."""
        super().__init__('spatial_language', SpatialLanguageParameters, **node_arguments)
        self._answering: SpatialAnswering | None = None
        self._encoder_upgrade: EngineUpgrade | None = None
        self._decoder_upgrade: EngineUpgrade | None = None
        self._outputs: AnswerOutputs | None = None
        self._topics: PictureTopics | None = None
        self._subscription: Subscription | None = None
        self._service: Service | None = None
        self._worker: Thread | None = None
        self._queue = QuestionQueue(0)
        self._newest: Job | None = None
        self._numbers = count(1)
        self._status = LanguageStatus()

    def _load(self) -> None:
        settings = self._settings
        no_ground = ''
        if settings.camera_height == 0 and self._transforms is None:
            no_ground = 'camera_height is 0 and transforms are not available; set camera_height'
        else:
            self._extrinsics = self._create_extrinsics()
        robot = Robot(settings.robot_width, settings.robot_height, settings.min_obstacle_height)
        self._frames = DepthFrames(self._extrinsics, robot, no_ground)
        bundle = find_bundle(settings.language_bundle)
        self._answering = SpatialAnswering.load(
            bundle, threads=settings.language_threads, **settings.engine_options())
        self._answering.warm_up()
        engine = self._answering.model.decoder.engine
        self._encoder_upgrade = self._upgrade_if_wanted(self._answering.encoder, bundle / ENCODER)
        self._decoder_upgrade = self._upgrade_if_wanted(engine, bundle)
        self._outputs = AnswerOutputs(self)
        self.get_logger().info(
            f'configured: {engine.manifest.name} {engine.manifest.version} on {engine.backend} '
            f'({engine.reason}), licence: {engine.manifest.licence}')
        if no_ground:
            self.get_logger().warning(f'no questions about obstacles and heights: {no_ground}')

    def _begin(self) -> None:
        self._queue = QuestionQueue(self._settings.max_questions)
        self._newest = None
        self._topics = PictureTopics(self, self._on_picture, self._imu_callback(),
                                     exact=self._settings.camera_info_exact, namespace='depth/')
        self._subscription = self.create_subscription(
            String, 'question', self._on_question, qos.questions(),
            qos_overriding_options=qos.overridable())
        self._service = self.create_service(Trigger, 'cancel', self._on_cancel)
        self._worker = Thread(target=self._work, name='spatial_language', daemon=True)
        self._worker.start()
        self.get_logger().info(f'active: questions on {self._subscription.topic_name} about '
                               f'pictures on {self._topics.topic}')

    def _stop(self) -> None:
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
        if self._service is not None:
            self.destroy_service(self._service)
        if self._topics is not None:
            self._topics.close()
        left = self._queue.close()
        if self._worker is not None:
            self._worker.join()
        for asked in left:
            self._give_up(asked, 'the node was deactivated')
        self._subscription = self._service = self._topics = self._worker = self._newest = None

    def _release(self) -> None:
        for upgrade in (self._encoder_upgrade, self._decoder_upgrade):
            if upgrade is not None:
                upgrade.stop()
        if self._outputs is not None:
            self._outputs.destroy()
        if self._answering is not None:
            self._answering.close()
        self._outputs = self._answering = None
        self._encoder_upgrade = self._decoder_upgrade = None

    def _on_picture(self, job: Job) -> None:
        if self._newest is not None and 0 < _stamp_ns(self._newest) - _stamp_ns(job) < _JUMP_NS:
            return
        self._newest = job
        self._queue.see(_stamp_ns(job))

    def _on_question(self, message: String) -> None:
        received = time.monotonic()
        number = f'question-{next(self._numbers)}'
        try:
            read = read_message(message.data)
        except QuestionError as error:
            refused = Asked(Question(error.question), _or(error.id, number), received, received)
            self._publish(refused, unanswered(error.question, 'rejected', str(error)), None)
            return
        if isinstance(read, Cancel):
            if not self._cancel(lambda asked: asked.id == read.id):
                asked = Asked(Question(''), read.id, received, received)
                self._publish(asked, unanswered('', 'rejected', 'nothing to cancel: no question '
                                                'with this id waits or is in work'), None)
            return
        patience = self._settings.deadline if read.deadline_s is None else read.deadline_s
        asked = Asked(read, _or(read.id, number), received, received + patience)
        if not self._queue.put(asked):
            self._publish(asked, unanswered(
                read.text, 'rejected', f'{self._settings.max_questions} questions wait already; '
                'ask fewer at a time or raise max_questions'), None)

    def _on_cancel(self, request: Trigger.Request, response: Trigger.Response,
                   ) -> Trigger.Response:
        cancelled = self._cancel(lambda asked: True)
        response.success = True
        response.message = (f'{cancelled} questions cancelled' if cancelled
                            else 'nothing to cancel: no question waits or is in work')
        return response

    def _cancel(self, matches: Callable[[Asked], bool]) -> int:
        """Cancel questions; the worker answers the one in work itself, within one token."""
        removed, in_work = self._queue.cancel(matches)
        for asked in removed:
            self._give_up(asked, 'cancelled while it waited')
        return len(removed) + in_work

    def _give_up(self, asked: Asked, reason: str) -> None:
        self._publish(asked, unanswered(asked.question.text, 'cancelled', reason), None)

    def _work(self) -> None:
        """Answer one question after the other; the worker's thread."""
        while (asked := self._queue.take()) is not None:
            job = self._newest
            try:
                self._change_engines()
                refusal = self._refusal(asked, job)
                if refusal is not None:
                    job = job if refusal.status == 'stale' else None
                answer = refusal or self._answer(asked, job)
            except Exception as error:
                self._complain(error)
                answer = unanswered(asked.question.text, 'error', str(error) or repr(error))
            try:
                self._publish(asked, answer, job)
            except Exception as error:
                self._complain(error)

    def _change_engines(self) -> None:
        """Take the engines that were built meanwhile; no call is in progress."""
        assert self._answering is not None
        encoder, decoder = (None if upgrade is None else upgrade.take()
                            for upgrade in (self._encoder_upgrade, self._decoder_upgrade))
        if encoder is None and decoder is None:
            return
        try:
            self._answering.change_engines(encoder, decoder)
        except Exception as error:
            for upgrade, engine in ((self._encoder_upgrade, encoder),
                                    (self._decoder_upgrade, decoder)):
                if upgrade is not None and engine is not None:
                    upgrade.fail(error)
            return
        for engine in filter(None, (encoder, decoder)):
            self.get_logger().info(f'{engine.manifest.name} now runs on {engine.backend}')

    def _refusal(self, asked: Asked, job: Job | None) -> SpatialAnswer | None:
        """Return why a question is not answered about the newest picture, None if it is."""
        text = asked.question.text
        if time.monotonic() >= asked.deadline:
            return unanswered(text, 'deadline', self._why_late(asked, job))
        if job is None or job.info is None:
            return unanswered(text, 'no_frame', self._why_no_frame())
        age, limit = self._age(job.picture.header), self._settings.max_frame_age
        if age is not None and 0 < limit < abs(age):
            old = f'{age:.2f} s old' if age > 0 else f'{-age:.2f} s in the future'
            return unanswered(
                text, 'stale', f'the newest depth image is {old} by its stamp, max_frame_age is '
                f'{limit:g} s; check its source, its clock and use_sim_time')
        return None

    def _answer(self, asked: Asked, job: Job) -> SpatialAnswer:
        assert self._answering is not None and self._outputs is not None
        frame = self._frames(job.picture, job.info)
        self.problem = ''
        return self._answering.ask(
            frame, asked.question.text,
            Limits(deadline=asked.deadline, is_cancelled=asked.cancelled.is_set),
            on_text=self._outputs.partial_publisher(asked.id))

    def _why_late(self, asked: Asked, job: Job | None) -> str:
        after = asked.question.after_ns
        if after is not None and (job is None or _stamp_ns(job) < after):
            return f'no depth image of {after * 1e-9:.3f} s or later came before the deadline'
        return 'the deadline passed before the question was next'

    def _why_no_frame(self) -> str:
        topics = self._topics
        if topics is None or not topics.statistics.received:
            where = 'depth/image' if topics is None else topics.topic
            return f'no depth image on {where} yet; start its source or remap depth/image'
        return (f'depth images arrive on {topics.topic}, but no camera_info beside them; '
                f'{topics.info_remedy}')

    def _publish(self, asked: Asked, answer: SpatialAnswer, job: Job | None) -> None:
        """Publish an answer, stamped as the picture that was used."""
        if not self.context.ok():
            return  # a signal came while the question was in work
        assert self._answering is not None and self._outputs is not None
        total = time.monotonic() - asked.received
        engine = self._answering.model.decoder.engine
        header = source = None
        if job is not None:
            header = job.picture.header
            source = Source(_stamp_ns(job), header.frame_id, self._age(header))
        self._status.note(answer, total)
        self._outputs.publish(answer, answer_details(
            answer, asked.id, source, model=f'{engine.manifest.name} {engine.manifest.version}',
            backend=engine.backend, total_s=total), header)

    def _describe(self) -> Status:
        job = self._newest
        return self._status.describe(
            self.problem, self._answering, self._topics, len(self._queue),
            None if job is None else self._age(job.picture.header),
            {'encoder': self._encoder_upgrade, 'decoder': self._decoder_upgrade})


def _stamp_ns(job: Job) -> int:
    stamp = job.picture.header.stamp
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)


def _or(identity: Any, number: str) -> Any:
    """Return the id that was given, or else the number; 0 is an id, too."""
    return number if identity is None else identity


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(SpatialLanguageNode, args)


if __name__ == '__main__':
    main()
