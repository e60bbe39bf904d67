"""Quality of service of the topics; each can be overridden with ``qos_overrides.*`` parameters."""

from __future__ import annotations

from rclpy.qos import HistoryPolicy
from rclpy.qos import QoSPolicyKind
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions


def newest_picture() -> QoSProfile:
    """Best effort, depth 1: a picture that was missed is worth less than the next one."""
    return _best_effort(1)


def sensor() -> QoSProfile:
    """Best effort, so that it matches every publisher of camera_info and imu."""
    return _best_effort(10)


def output() -> QoSProfile:
    """Reliable, so that it matches every subscriber (REP-2003)."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                      reliability=ReliabilityPolicy.RELIABLE)


def questions() -> QoSProfile:
    """Reliable, with room for a burst: every question and every answer counts."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1000,
                      reliability=ReliabilityPolicy.RELIABLE)


def overridable() -> QoSOverridingOptions:
    """Allow history, depth, reliability and durability of a topic to be set by parameter."""
    return QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH,
                                 QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY))


def _best_effort(depth: int) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth,
                      reliability=ReliabilityPolicy.BEST_EFFORT)
