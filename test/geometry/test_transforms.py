"""Transform buffer: chains, interpolation, and what it says when something is missing."""

import math

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.geometry import TransformBuffer
from deepsight_ros.geometry import TransformError
from deepsight_ros.geometry.transforms import matrix_from

NONE = np.array([0, 0, 0, 1.0])

vectors = st.tuples(*[st.floats(-5, 5)] * 3).map(np.array)
quaternions = st.tuples(*[st.floats(-1, 1)] * 4).map(np.array).filter(
    lambda q: np.linalg.norm(q) > 0.1)


def about_z(angle):
    return np.array([0, 0, math.sin(angle / 2), math.cos(angle / 2)])


@given(vectors, quaternions)
def test_a_matrix_is_rigid_and_turns_as_its_quaternion(translation, quaternion):
    matrix = matrix_from(translation, quaternion)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    axis = quaternion[:3]
    assume(np.linalg.norm(axis) > 1e-3)
    np.testing.assert_allclose(matrix[:3, :3] @ axis, axis, atol=1e-12)
    angle = 2 * math.atan2(np.linalg.norm(axis), quaternion[3])
    assert np.trace(matrix[:3, :3]) == pytest.approx(1 + 2 * math.cos(angle))


@given(vectors, quaternions, vectors, quaternions)
def test_a_chain_is_the_product_and_its_way_back_the_inverse(t1, q1, t2, q2):
    buffer = TransformBuffer()
    buffer.set('map', 'base', t1, q1)
    buffer.set('base', 'camera', t2, q2)
    forth, back = buffer.lookup('map', 'camera', 0), buffer.lookup('camera', 'map', 0)
    np.testing.assert_allclose(forth, matrix_from(t1, q1) @ matrix_from(t2, q2), atol=1e-9)
    np.testing.assert_allclose(forth @ back, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(buffer.lookup('base', 'base', 5), np.eye(4), atol=1e-12)


@given(vectors, quaternions, vectors, quaternions)
def test_branches_meet_at_their_root(t1, q1, t2, q2):
    buffer = TransformBuffer()
    buffer.set('base', 'left', t1, q1)
    buffer.set('base', 'right', t2, q2)
    expected = np.linalg.inv(matrix_from(t1, q1)) @ matrix_from(t2, q2)
    np.testing.assert_allclose(buffer.lookup('left', 'right', 0), expected, atol=1e-9)


def moving():
    buffer = TransformBuffer(history=3)
    buffer.set('map', 'base', (4, 0, 0), -about_z(math.pi / 2), 200)
    buffer.set('map', 'base', (0, 0, 0), about_z(0), 100)
    return buffer


def test_poses_between_two_stamps_are_interpolated():
    expected = matrix_from((1, 0, 0), about_z(math.pi / 8))
    np.testing.assert_allclose(moving().lookup('map', 'base', 125), expected, atol=1e-12)


def test_poses_at_a_stamp_are_exact_and_a_later_message_replaces_them():
    buffer = moving()
    np.testing.assert_array_equal(buffer.lookup('map', 'base', 100), np.eye(4))
    buffer.set('map', 'base', (9, 0, 0), NONE, 100)
    assert buffer.lookup('map', 'base', 100)[0, 3] == 9


@pytest.mark.parametrize('stamp', [99, 201])
def test_poses_outside_the_known_interval_are_refused(stamp):
    with pytest.raises(TransformError, match="'map' -> 'base' is known from"):
        moving().lookup('map', 'base', stamp)


def test_the_oldest_stamps_are_forgotten():
    buffer = moving()
    for stamp in (300, 400):
        buffer.set('map', 'base', (0, 0, 0), NONE, stamp)
    buffer.lookup('map', 'base', 200)
    with pytest.raises(TransformError):
        buffer.lookup('map', 'base', 150)


def test_a_static_pose_becomes_moving_and_back():
    buffer = TransformBuffer()
    buffer.set('map', 'base', (1, 0, 0), NONE)
    buffer.set('map', 'base', (2, 0, 0), NONE, 100)
    assert buffer.lookup('map', 'base', 100)[0, 3] == 2
    buffer.set('map', 'base', (3, 0, 0), NONE)
    assert buffer.lookup('map', 'base', 7)[0, 3] == 3


def test_unconnected_frames_are_named():
    buffer = moving()
    buffer.set('robot', 'camera', (0, 0, 0), NONE)
    with pytest.raises(TransformError, match="no transform from 'camera' to 'base'.*'robot'"):
        buffer.lookup('base', 'camera', 150)


def test_loops_are_found():
    buffer = TransformBuffer()
    buffer.set('a', 'b', (0, 0, 0), NONE)
    buffer.set('b', 'a', (0, 0, 0), NONE)
    with pytest.raises(TransformError, match='loop'):
        buffer.lookup('a', 'b', 0)


@pytest.mark.parametrize('quaternion', [np.zeros(4), np.full(4, np.nan)])
def test_quaternions_must_be_rotations(quaternion):
    with pytest.raises(TransformError, match='not a rotation'):
        TransformBuffer().set('a', 'b', (0, 0, 0), quaternion)
