"""Transitions that say why they failed: rclpy swallows their exceptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
import traceback
from typing import Any

from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn

from deepsight_ros.engines import EngineError
from deepsight_ros.geometry import CameraError
from deepsight_ros.geometry import GroundError
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.resources import ResourceError
from deepsight_ros.ros.parameters import ParameterError

EXPLAINED = (CameraError, EngineError, GroundError, LanguageError, ParameterError, ResourceError)
"""Errors whose message names cause and remedy; others come with a traceback."""

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def reported(undo: Callable[[Any], None]) -> Callable[[Transition], Transition]:
    """
    Decorate a transition: log its exception, ``undo`` what it had begun, return FAILURE.

    The node stays in the state it came from, and up; its ``problem`` tells diagnostics why.
    """
    def decorate(transition: Transition) -> Transition:
        @wraps(transition)
        def guarded(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
            name = transition.__name__.removeprefix('on_')
            try:
                return transition(node, state)
            except EXPLAINED as error:
                node.problem = f'{name} failed: {error}'
            except Exception:
                node.problem = (f'{name} failed unexpectedly; unless the last line names a '
                                f'setting of yours, please report:\n{traceback.format_exc()}')
            if node.context.ok():  # else a signal came in between, which is no failure
                node.get_logger().error(node.problem)
            undo(node)
            return TransitionCallbackReturn.FAILURE
        return guarded
    return decorate
