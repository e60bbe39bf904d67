"""Writing rosbag2 files (mcap) of pictures, cameras, points and transforms without ROS."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Any
from typing import Final
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from rosbags.interfaces import Connection
from rosbags.interfaces import Qos
from rosbags.interfaces import QosDurability
from rosbags.interfaces import QosHistory
from rosbags.interfaces import QosLiveliness
from rosbags.interfaces import QosReliability
from rosbags.interfaces import QosTime
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores

from deepsight_ros.evaluation.bag_reader import CAMERA_INFO
from deepsight_ros.evaluation.bag_reader import IMAGE
from deepsight_ros.evaluation.bag_reader import IMU
from deepsight_ros.evaluation.bag_reader import POINT_CLOUD
from deepsight_ros.evaluation.bag_reader import TF
from deepsight_ros.evaluation.errors import BagError
from deepsight_ros.geometry import Camera

_Writer = TypeVar('_Writer', bound='BagWriter')

_VERSION: Final = 8
"""The newest layout of metadata.yaml that Humble reads too."""
_ENCODINGS: Final = {('float32', 2): '32FC1', ('uint8', 2): 'mono8', ('uint8', 3): 'rgb8'}
_FLOAT32: Final = 7
_UNKNOWN: Final = -1.0
"""First element of a covariance whose quantity is not measured (sensor_msgs/Imu)."""


class BagWriter:
    """
    A new bag; a context manager.

    A ``path`` that ends in ``.mcap`` becomes a single file, any other a folder with metadata, as
    ``ros2 bag record`` writes it. Every method writes one message, stamped and recorded at
    ``stamp_ns`` in ``frame``. The bag gets its name when it is complete; what an error or Ctrl-C
    interrupts is removed.
    """

    def __init__(self, path: Path) -> None:
        """Check that ``path`` is free; ``BagError`` if it exists."""
        self._path = path
        self._part = Path(f'{path}.part')
        for place in (path, self._part):
            if place.exists():
                raise BagError(f'{place} exists already; remove it or choose another name')
        self._types = get_typestore(Stores.ROS2_JAZZY)
        # The file inside is named after its folder, which therefore has its last name at once.
        self._folder = self._part / path.name
        self._writer = Writer(self._folder, version=_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._connections: dict[str, Connection] = {}

    def __enter__(self: _Writer) -> _Writer:
        """Create the files."""
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write index and metadata, and give the bag its name."""
        try:
            self._writer.close()
            if kind is None:
                is_file = self._path.suffix == '.mcap'
                written = next(self._folder.glob('*.mcap')) if is_file else self._folder
                written.replace(self._path)
        finally:
            rmtree(self._part)

    def image(
        self, topic: str, stamp_ns: int, frame: str, picture: npt.NDArray[Any],
    ) -> None:
        """Image of [H, W] float32 (32FC1) or uint8 (mono8), or [H, W, 3] uint8 (rgb8)."""
        picture = np.ascontiguousarray(picture)
        self._write(topic, IMAGE, stamp_ns, {
            'header': self._header(stamp_ns, frame),
            'height': picture.shape[0], 'width': picture.shape[1],
            'encoding': _ENCODINGS[picture.dtype.name, picture.ndim], 'is_bigendian': 0,
            'step': picture.strides[0], 'data': picture.reshape(-1).view(np.uint8)})

    def camera_info(self, topic: str, stamp_ns: int, frame: str, camera: Camera) -> None:
        """CameraInfo of a rectified picture."""
        roi = self._new('sensor_msgs/msg/RegionOfInterest', {
            'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False})
        self._write(topic, CAMERA_INFO, stamp_ns, {
            'header': self._header(stamp_ns, frame),
            'height': camera.height, 'width': camera.width, 'distortion_model': 'plumb_bob',
            'd': np.zeros(5), 'k': camera.matrix.ravel(), 'r': np.eye(3).ravel(),
            'p': camera.projection.ravel(), 'binning_x': 0, 'binning_y': 0, 'roi': roi})

    def points(
        self, topic: str, stamp_ns: int, frame: str, points: npt.NDArray[np.floating],
    ) -> None:
        """PointCloud2 of points [N, 3] (x, y, z in metres)."""
        fields = [self._new('sensor_msgs/msg/PointField', {
            'name': name, 'offset': 4 * index, 'datatype': _FLOAT32, 'count': 1})
            for index, name in enumerate('xyz')]
        data = np.ascontiguousarray(points, '<f4').reshape(-1).view(np.uint8)
        self._write(topic, POINT_CLOUD, stamp_ns, {
            'header': self._header(stamp_ns, frame), 'height': 1, 'width': len(points),
            'fields': fields, 'is_bigendian': False, 'point_step': 12,
            'row_step': 12 * len(points), 'data': data, 'is_dense': True})

    def imu(
        self, topic: str, stamp_ns: int, frame: str, force: npt.NDArray[np.float64],
        rates: npt.NDArray[np.float64],
    ) -> None:
        """Imu with specific force [3] (m/s^2) and angular rates [3] (rad/s), no orientation."""
        unknown = np.zeros(9)
        unknown[0] = _UNKNOWN
        self._write(topic, IMU, stamp_ns, {
            'header': self._header(stamp_ns, frame),
            'orientation': self._quaternion(np.array([0.0, 0.0, 0.0, 1.0])),
            'orientation_covariance': unknown,
            'angular_velocity': self._vector(rates), 'angular_velocity_covariance': np.zeros(9),
            'linear_acceleration': self._vector(force),
            'linear_acceleration_covariance': np.zeros(9)})

    def transform(
        self, stamp_ns: int, parent: str, child: str, matrix: npt.NDArray[np.float64],
        *, static: bool = False,
    ) -> None:
        """TFMessage with the pose [4, 4] of ``child`` in ``parent``."""
        stamped = self._new('geometry_msgs/msg/TransformStamped', {
            'header': self._header(stamp_ns, parent), 'child_frame_id': child,
            'transform': self._new('geometry_msgs/msg/Transform', {
                'translation': self._vector(matrix[:3, 3]),
                'rotation': self._quaternion(quaternion_of(matrix[:3, :3]))})})
        self._write('/tf_static' if static else '/tf', TF, stamp_ns, {'transforms': [stamped]})

    def _write(self, topic: str, kind: str, stamp_ns: int, fields: dict[str, Any]) -> None:
        if topic not in self._connections:
            latched = QosDurability.TRANSIENT_LOCAL if topic == '/tf_static' \
                else QosDurability.VOLATILE
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types, offered_qos_profiles=[_qos(latched)])
        data = self._types.serialize_cdr(self._new(kind, fields), kind)
        self._writer.write(self._connections[topic], stamp_ns, data)

    def _new(self, kind: str, fields: dict[str, Any]) -> Any:
        return self._types.types[kind](**fields)

    def _header(self, stamp_ns: int, frame: str) -> Any:
        seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
        stamp = self._new('builtin_interfaces/msg/Time', {'sec': seconds, 'nanosec': nanoseconds})
        return self._new('std_msgs/msg/Header', {'stamp': stamp, 'frame_id': frame})

    def _vector(self, values: npt.NDArray[np.float64]) -> Any:
        x, y, z = values.tolist()
        return self._new('geometry_msgs/msg/Vector3', {'x': x, 'y': y, 'z': z})

    def _quaternion(self, values: npt.NDArray[np.float64]) -> Any:
        x, y, z, w = values.tolist()
        return self._new('geometry_msgs/msg/Quaternion', {'x': x, 'y': y, 'z': z, 'w': w})


def quaternion_of(rotation: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Unit quaternion [4] (x, y, z, w) of a rotation matrix [3, 3], w not negative."""
    r = rotation
    # Eigenvector of the largest eigenvalue of a symmetric matrix: stable for every rotation.
    k = np.array([
        [r[0, 0] - r[1, 1] - r[2, 2], 0.0, 0.0, 0.0],
        [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], 0.0, 0.0],
        [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], 0.0],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)]])
    quaternion = np.linalg.eigh(k)[1][:, -1]
    result: npt.NDArray[np.float64] = quaternion * (-1.0 if quaternion[3] < 0 else 1.0)
    return result


def _qos(durability: QosDurability) -> Qos:
    never = QosTime(2147483647, 4294967295)
    return Qos(QosHistory.KEEP_LAST, 10, QosReliability.RELIABLE, durability, never, never,
               QosLiveliness.AUTOMATIC, never, avoid_ros_namespace_conventions=False)
