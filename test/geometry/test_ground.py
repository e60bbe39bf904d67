"""Ground plane: three independent forms of its depth, constructors, uncertainty, fit."""

from dataclasses import replace
import math

from hypothesis import assume
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundError
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.geometry.ground import MAX_RELATIVE_SIGMA

CAMERA = Camera(160, 120, 140.0, 150.0, 78.0, 61.0)
UP_FROM_OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
"""Axes of a vehicle (x forward, y left, z up) from those of a level optical frame."""

heights = st.floats(0.2, 3.0)
pitches = st.floats(-0.3, 0.8)
rolls = st.floats(-0.3, 0.3)
yaws = st.floats(-3.0, 3.0)
shifts = st.tuples(*[st.floats(-0.2, 0.2)] * 3)
pixels = st.tuples(st.floats(0, 159), st.floats(0, 119))


def about_x(angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_y(angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def about_z(angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def camera_from_world(pitch, roll, yaw):
    """Rotation to the optical frame from a world with y down; the camera yaws, pitches, rolls."""
    return about_z(-roll) @ about_x(pitch) @ about_y(yaw)


def exact_depth(ground, pixel, camera=CAMERA):
    """Form (a) in double precision: z = height / (normal . ray); negative above the horizon."""
    ray = np.linalg.solve(camera.matrix, np.array([*pixel, 1.0]))
    return ground.height / (ray @ np.array(ground.normal))


def matrix_form(projection, height, pixel):
    """Form (b): two equations linear in x and z of the point on the plane y = height."""
    a, (u, v) = projection, pixel
    left = np.array([[a[0, 0] - u * a[2, 0], a[0, 2] - u * a[2, 2]],
                     [a[1, 0] - v * a[2, 0], a[1, 2] - v * a[2, 2]]])
    right = -np.array([(a[0, 1] - u * a[2, 1]) * height + a[0, 3] - u * a[2, 3],
                       (a[1, 1] - v * a[2, 1]) * height + a[1, 3] - v * a[2, 3]])
    x, z = np.linalg.solve(left, right)
    return a[2] @ (x, height, z, 1)


def vehicle_form(projection, up, pixel):
    """Form (c): vehicle coordinates with z up and the plane at z = ``up``."""
    inverse = np.linalg.inv(projection[:, :3])
    origin, ray = inverse @ projection[:, 3], inverse @ (*pixel, 1)
    return (origin[2] + up) / ray[2]


@given(heights, pitches, rolls, yaws, shifts, pixels)
def test_three_forms_agree(height, pitch, roll, yaw, shift, pixel):
    rotation = camera_from_world(pitch, roll, yaw)
    shift = np.array(shift)
    world = CAMERA.matrix @ np.column_stack([rotation, shift])
    vehicle_rotation = rotation @ UP_FROM_OPTICAL.T
    vehicle = CAMERA.matrix @ np.column_stack([vehicle_rotation, shift])
    ground_from_camera = np.eye(4)
    ground_from_camera[:3, :3] = vehicle_rotation.T
    ground_from_camera[:3, 3] = -vehicle_rotation.T @ shift + (0, 0, height)
    assume(ground_from_camera[2, 3] > 0.01)

    ground = GroundPlane.from_transform(ground_from_camera)
    depth = exact_depth(ground, pixel)
    assume(0 < depth < 200)
    assert matrix_form(world, height, pixel) == pytest.approx(depth, abs=1e-9)
    assert vehicle_form(vehicle, -height, pixel) == pytest.approx(depth, abs=1e-9)
    by_numbers = GroundPlane.from_height(height, pitch, roll).seen_from(tuple(shift))
    assert exact_depth(by_numbers, pixel) == pytest.approx(depth, abs=1e-9)
    by_gravity = GroundPlane.from_gravity(9.81 * rotation[:, 1], height).seen_from(tuple(shift))
    assert exact_depth(by_gravity, pixel) == pytest.approx(depth, abs=1e-9)


@given(heights, pitches, rolls)
@example(0.203125, -0.22265625, -0.224609375)
def test_depth_of_the_picture_is_that_of_each_pixel(height, pitch, roll):
    ground = GroundPlane.from_height(height, pitch, roll)
    depth = ground.depth(CAMERA)
    horizon = height / ground.smallest_slant(CAMERA, MAX_RELATIVE_SIGMA)
    assert (horizon > 40 * height).all()
    for u, v in ((0, 119), (80, 100), (159, 119), (40, 60), (120, 0)):
        exact = exact_depth(ground, (u, v))
        if np.isfinite(depth[v, u]):
            assert depth[v, u] == pytest.approx(exact, rel=2e-4)
        else:
            assert exact < 0 or exact > 0.999 * horizon[u]


@given(heights, pitches, rolls)
def test_scaling_the_picture_leaves_depth_unchanged(height, pitch, roll):
    ground = GroundPlane.from_height(height, pitch, roll)
    third = CAMERA.scaled(CAMERA.width // 3 * 3 // 3, CAMERA.height // 3)
    wide = third.scaled(third.width * 3, third.height * 3)
    np.testing.assert_allclose(
        ground.depth(third), ground.depth(wide)[1::3, 1::3], rtol=1e-3)
    np.testing.assert_allclose(third.matrix[:2] * 3 + [[0, 0, 1]] * 2, wide.matrix[:2])


def test_level_camera_has_the_textbook_depth():
    depth = GroundPlane.from_height(1.65).depth(CAMERA)
    rows = np.arange(70, 120)
    expected = 1.65 * CAMERA.fy / (rows - CAMERA.cy)
    np.testing.assert_allclose(depth[70:], np.repeat(expected[:, None], 160, 1), rtol=1e-5)


def test_looking_down_and_leaning_right_bring_the_ground_nearer():
    level = GroundPlane.from_height(1.0)
    down, right = level.tilted(pitch=0.1), level.tilted(roll=0.1)
    assert exact_depth(down, (80, 100)) < exact_depth(level, (80, 100))
    assert exact_depth(right, (150, 100)) < exact_depth(level, (150, 100))
    assert exact_depth(right, (10, 100)) > exact_depth(level, (10, 100))


@given(heights, pitches, rolls, st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_angles_come_back(height, pitch, roll, more_pitch, more_roll):
    ground = GroundPlane.from_height(height, pitch, roll)
    assert (ground.pitch, ground.roll) == pytest.approx((pitch, roll), abs=1e-9)
    tilted = ground.tilted(more_pitch, more_roll)
    assert tilted.pitch == pytest.approx(pitch + more_pitch, abs=1e-9)
    assert tilted.roll == pytest.approx(roll + more_roll, abs=1e-9)
    assert tilted.height == height


@given(heights, st.floats(0, 0.6), st.floats(-3.0, 3.0))
def test_uncertainty_is_that_of_finite_differences(height, pitch, roll):
    ground = GroundPlane.from_height(height, pitch, roll)
    sigma = ground.uncertainty(CAMERA)
    step = 1e-6
    for u, v in ((3, 119), (80, 100), (150, 110)):
        z = exact_depth(ground, (u, v))
        if not 0 < z < 30:
            continue
        derivatives = [
            exact_depth(replace(ground, height=height + step), (u, v)) - z,
            exact_depth(ground.tilted(pitch=step), (u, v)) - z,
            exact_depth(ground.tilted(roll=step), (u, v)) - z]
        sigmas = (ground.height_sigma, math.hypot(ground.pitch_sigma, ground.mount_sigma),
                  math.hypot(ground.roll_sigma, ground.mount_sigma))
        expected = math.sqrt(sum((d / step * s)**2 for d, s in zip(
            derivatives, sigmas, strict=True)))
        assert sigma[v, u] == pytest.approx(expected, rel=1e-3)


def test_depth_ends_where_its_uncertainty_exceeds_the_limit():
    ground = replace(GroundPlane.from_height(0.5), mount_sigma=0.0)
    depth, sigma = ground.depth(CAMERA, max_relative_sigma=0.1), ground.uncertainty(CAMERA)
    known = np.isfinite(depth)
    assert not known[:61].any()
    assert (sigma[known] <= 0.101 * depth[known]).all()
    unlimited = ground.depth(CAMERA, max_relative_sigma=1e6)
    beyond = ~known & (unlimited > 0)
    assert (sigma[beyond] >= 0.099 * unlimited[beyond]).all()
    assert np.isnan(sigma[:61]).all()


def test_a_height_that_is_not_known_well_enough_gives_no_depth():
    ground = GroundPlane((0, 1, 0), 0.05, height_sigma=0.02)
    assert np.isnan(ground.depth(CAMERA, max_relative_sigma=0.1)).all()


@pytest.mark.parametrize(('height', 'sigma'), [(0.05, 0.0025), (0.4, 0.02), (2.0, 0.02)])
def test_low_cameras_are_measured_with_more_care(height, sigma):
    ground = GroundPlane.from_height(height)
    assert ground.height_sigma == pytest.approx(sigma)
    assert np.isfinite(ground.depth(CAMERA)[70:]).all()


def test_the_error_of_a_mount_is_uncertain_but_cuts_nothing_off():
    known = replace(GroundPlane.from_height(1.5), mount_sigma=0.0)
    by_hand = replace(known, mount_sigma=math.radians(2.0))
    np.testing.assert_array_equal(by_hand.depth(CAMERA), known.depth(CAMERA))
    assert (by_hand.uncertainty(CAMERA)[62:80] > 5 * known.uncertainty(CAMERA)[62:80]).all()


@pytest.mark.parametrize('ground', [
    GroundPlane.from_height(1.5, 0.1), GroundPlane.from_height(0.1, 0.3, 0.5)])
def test_two_thirds_of_depths_lie_within_one_sigma(ground):
    """The mount, the moment and the tape measure are as wrong as their sigmas say."""
    random, count = np.random.default_rng(0), 3000
    pitch, roll = random.normal(0, np.hypot(
        [ground.pitch_sigma, ground.roll_sigma], ground.mount_sigma), (count, 2)).T
    height = random.normal(ground.height, ground.height_sigma, count)
    sigma = ground.uncertainty(CAMERA)
    for u, v in ((10, 119), (80, 110), (150, 100)):
        truth = np.array([
            exact_depth(replace(ground.tilted(*angles), height=up), (u, v))
            for *angles, up in zip(pitch, roll, height, strict=True)])
        share = np.mean(np.abs(truth - exact_depth(ground, (u, v))) < sigma[v, u])
        assert share == pytest.approx(0.683, abs=0.03)


def test_fit_finds_the_plane_among_obstacles():
    random = np.random.default_rng(3)
    true = GroundPlane.from_height(1.4, 0.05, -0.02)
    points = random.uniform((-5, 0, 3), (5, 0, 25), (400, 3))
    nx, ny, nz = true.normal
    points[:, 1] = (true.height - nx * points[:, 0] - nz * points[:, 2]) / ny
    points[:, 1] += random.normal(0, 0.01, 400)
    points[:120, 1] -= random.uniform(0.3, 2, 120)
    points[0] = np.nan
    for initial in (None, GroundPlane.from_height(1.4)):
        found = GroundPlane.fit(points, initial=initial, tolerance=0.3)
        assert found.height == pytest.approx(true.height, abs=0.02)
        assert found.pitch == pytest.approx(true.pitch, abs=0.005)
        assert found.roll == pytest.approx(true.roll, abs=0.005)
    assert np.abs(found.height_of(points[120:])).max() < 0.1


@pytest.mark.parametrize('points', [
    np.zeros((2, 3)), np.full((9, 3), np.nan), np.outer(np.arange(9.0), (1, 2, 3))])
def test_points_that_define_no_plane_are_refused(points):
    with pytest.raises(GroundError):
        GroundPlane.fit(points)


@pytest.mark.parametrize('height', [0.0, -1.0, float('nan'), float('inf')])
def test_a_camera_must_be_above_the_ground(height):
    with pytest.raises(GroundError, match='set camera_height'):
        GroundPlane.from_height(height)


@pytest.mark.parametrize(('gravity', 'words'), [
    (np.zeros(3), 'no direction'), (np.full(3, np.nan), 'no direction'), (np.ones(2), 'shape')])
def test_gravity_must_be_a_direction(gravity, words):
    with pytest.raises(GroundError, match=words):
        GroundPlane.from_gravity(gravity, 1.0)


@pytest.mark.parametrize('transform', [
    np.eye(3), np.full((4, 4), np.nan), np.diag([2.0, 1, 1, 1]), np.diag([1.0, 1, -1, 1])])
def test_transforms_must_be_rigid(transform):
    with pytest.raises(GroundError, match='transform to the ground frame'):
        GroundPlane.from_transform(transform)


def test_a_camera_below_the_ground_frame_is_refused():
    transform = np.eye(4)
    transform[:3, :3] = UP_FROM_OPTICAL
    transform[2, 3] = -0.3
    with pytest.raises(GroundError, match='must be above the ground'):
        GroundPlane.from_transform(transform)
