"""The two drives of the sample bags: a car in a street, a robot in a room."""

from dataclasses import dataclass

import numpy as np

from deepsight_training.worlds.motion import Motion
from deepsight_training.worlds.motion import transform
from deepsight_training.worlds.people import cyclist
from deepsight_training.worlds.people import pedestrian
from deepsight_training.worlds.photograph import Sensor
from deepsight_training.worlds.road import CentreLine
from deepsight_training.worlds.road import StreetPlan
from deepsight_training.worlds.room import build_room
from deepsight_training.worlds.scene import Atmosphere
from deepsight_training.worlds.scene import SceneBuilder
from deepsight_training.worlds.scene import WorldError
from deepsight_training.worlds.street import place_all_that_stands
from deepsight_training.worlds.traffic import vehicle
from deepsight_training.worlds.traffic import walk
from deepsight_training.worlds.viewpoint import Floats
from deepsight_training.worlds.viewpoint import OPTICAL_TO_BODY
from deepsight_training.worlds.viewpoint import Pinhole
from deepsight_training.worlds.world import World

STREET_SEED, ROOM_SEED = 15, 135


@dataclass(frozen=True)
class Drive:
    """A world, the robot's motion through it, its camera with fixed exposure, and a name."""

    name: str
    world: World
    motion: Motion
    camera: Pinhole
    sensor: Sensor


def _mount(x: float, z: float, pitch: float) -> Floats:
    """Optical frame to base_link of a camera that looks ahead and ``pitch`` [rad] down."""
    mount = transform((x, 0.0, z), pitch=pitch)
    mount[:3, :3] = mount[:3, :3] @ OPTICAL_TO_BODY
    return mount


def street_drive() -> Drive:
    """Car on a city street at 5 to 9 m/s behind another one; camera 1.5 m above the road."""
    rng = np.random.default_rng(STREET_SEED)
    build = SceneBuilder()
    plan = StreetPlan('suburban', lanes=2, lane_width=3.3, parking=2.2, verge=1.2, pavement=2.6,
                      kerb=0.12, setback=3.5)
    line = CentreLine(0.0)
    sun = (0.55, 0.35, -0.76)
    build.daylight(sun, 0.62, 0.46, (1.0, 0.97, 0.9))
    air = Atmosphere(sun, (0.28, 0.47, 0.78), (0.78, 0.85, 0.92), 0.35, 1500.0, STREET_SEED)
    place_all_that_stands(build, rng, line, plan)
    walk(build, rng, line, plan, 10, crossing=0.0)
    _moving(build, rng, plan)
    motion = Motion(_street_plane, _street_suspension, _mount(0.9, 1.1, 0.03),
                    transform((0.2, 0.0, 0.1)))
    return Drive('street', World(build, air), motion, Pinhole.from_fov(640, 360, np.radians(75)),
                 Sensor(automatic=False, exposure=1.15, vignette=0.12, blur=0.45, noise=0.002))


def _moving(build: SceneBuilder, rng: np.random.Generator, plan: StreetPlan) -> None:
    """Car ahead, oncoming traffic, a cyclist, and people who walk."""
    lane = plan.lane_width / 2
    vehicle(build, rng, np.array([19.0, -lane, 0.0]), 0.0, 'car', 7.6)
    vehicle(build, rng, np.array([48.0, lane, 0.0]), np.pi, 'car', 8.5)
    vehicle(build, rng, np.array([95.0, lane, 0.0]), np.pi, 'bus', 7.0)
    vehicle(build, rng, np.array([150.0, lane, 0.0]), np.pi, 'truck', 8.0)
    cyclist(build, rng, np.array([34.0, -2 * lane + 0.25, 0.0]), 0.0, (4.2, 0.0, 0.0))
    for x, side, speed in ((14.0, -1, 1.3), (30.0, 1, -1.2), (41.0, -1, -1.4), (70.0, 1, 1.1)):
        y = side * (plan.pavement_inner + 1.0)
        pedestrian(build, rng, np.array([x, y, plan.kerb]), 0.0 if speed > 0 else np.pi,
                   (speed, 0.0, 0.0))


def _street_plane(time: float) -> tuple[float, float, float]:
    """7 m/s with slow changes of speed, wandering in the lane."""
    x = 7.0 * time - 2.8 * np.cos(0.7 * time) + 2.8
    y = -1.65 + 0.25 * np.sin(0.5 * time)
    speed = 7.0 + 1.96 * np.sin(0.7 * time)
    return float(x), float(y), float(np.arctan2(0.125 * np.cos(0.5 * time), speed))


def _street_suspension(time: float) -> tuple[float, float, float]:
    """Heave, roll and pitch: body oscillation near 1.2 Hz and squat with acceleration."""
    pitch = np.radians(0.35) * np.sin(7.5 * time) + np.radians(0.2) * np.sin(4.1 * time + 1.0)
    squat = -np.radians(0.25) * np.cos(0.7 * time)
    return (0.40 + 0.008 * float(np.sin(6.9 * time)), float(np.radians(0.25) * np.sin(3.3 * time)),
            float(pitch + squat))


def room_drive() -> Drive:
    """Robot that drives an arc through a furnished hall; camera 0.7 m above the floor."""
    world, plan = build_room(ROOM_SEED, 'hall')
    length = plan.shell.length

    def plane(time: float) -> tuple[float, float, float]:
        yaw = 0.55 * np.sin(0.45 * time)
        x = 0.9 + 0.5 * time
        y = 0.5 * 0.55 / 0.45 * (1 - np.cos(0.45 * time))
        return min(float(x), length), float(y), float(np.arctan2(np.sin(yaw), np.cos(yaw)))

    for time in np.arange(0.0, 10.01, 0.1):
        x, y, _ = plane(float(time))
        if not plan.free(x, y, 0.3, 0.3):
            raise WorldError(f'the robot hits furniture at x {x:.1f}, y {y:.1f} m; '
                             'choose another ROOM_SEED')

    def suspension(time: float) -> tuple[float, float, float]:
        return (0.1, float(np.radians(0.12) * np.sin(9.0 * time)),
                float(np.radians(0.2) * np.sin(5.3 * time)))

    motion = Motion(plane, suspension, _mount(0.15, 0.6, 0.05), transform((0.0, 0.0, 0.08)))
    return Drive('room', world, motion, Pinhole.from_fov(640, 360, np.radians(80)),
                 Sensor(automatic=False, exposure=1.05, vignette=0.12, blur=0.45, noise=0.002))
