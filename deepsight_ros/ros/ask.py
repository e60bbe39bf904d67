"""Ask the running nodes; the ``ros2`` command is not in a pip installation."""

from __future__ import annotations

from collections.abc import Callable
import json
import time
from typing import Any
from uuid import uuid4

import rclpy
from rclpy.exceptions import InvalidNamespaceException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from deepsight_ros.ros import qos


class AskError(RuntimeError):
    """Nobody answers; the message says what to start."""


def ask_nodes(question: str, namespace: str, patience: float) -> dict[str, Any]:
    """
    Return the ``answer/details`` of a question to the nodes in ``namespace``.

    Waits ``patience`` seconds for the node, and as long for its answer. Raises ``AskError``.
    """
    # A context of its own leaves Ctrl-C to Python.
    context = rclpy.Context()
    context.init()
    try:
        node = Node('ask', context=context, namespace=namespace.rstrip('/'))
    except InvalidNamespaceException as error:
        context.shutdown()
        raise AskError(f'--namespace {namespace!r}: {error}') from error
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    identity = f'ask-{uuid4()}'
    answers: list[dict[str, Any]] = []

    def take(message: String) -> None:
        details = json.loads(message.data)
        if details['id'] == identity:
            answers.append(details)

    def wait(condition: Callable[[], Any], problem: str) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise AskError(f'after {patience:g} s {problem}')
            executor.spin_once(timeout_sec=0.05)

    try:
        publisher = node.create_publisher(String, 'question', qos.questions())
        node.create_subscription(String, 'answer/details', take, qos.questions())
        topic = publisher.topic_name
        wait(lambda: publisher.get_subscription_count()
             and node.count_publishers('answer/details'),
             f'no node listens to {topic}; start deepsight.launch.py, or give --depth and '
             '--camera-info')
        publisher.publish(String(data=json.dumps(
            {'id': identity, 'text': question, 'deadline_s': patience})))
        wait(lambda: answers, f'the node that listens to {topic} has not answered; see its log')
        return answers[0]
    finally:
        executor.shutdown()
        node.destroy_node()
        context.shutdown()
