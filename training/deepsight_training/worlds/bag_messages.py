"""ROS messages of the sample bags; rosbags makes their types at run time, hence Any."""

from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.interfaces import Qos
from rosbags.interfaces import QosDurability
from rosbags.interfaces import QosHistory
from rosbags.interfaces import QosLiveliness
from rosbags.interfaces import QosReliability
from rosbags.interfaces import QosTime
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores

from deepsight_training.worlds.motion import quaternion
from deepsight_training.worlds.viewpoint import Floats
from deepsight_training.worlds.viewpoint import Pinhole

STORE = get_typestore(Stores.ROS2_HUMBLE)
"""Messages of Humble; the ones used here are the same in Jazzy."""
TYPES = STORE.types
CAMERA_FRAME, IMU_FRAME = 'camera_optical_frame', 'imu_link'
_FOREVER = QosTime(9223372036, 854775807)


def header(stamp: int, frame: str) -> Any:
    """Header from nanoseconds and a frame id."""
    time = TYPES['builtin_interfaces/msg/Time'](*divmod(stamp, 10**9))
    return TYPES['std_msgs/msg/Header'](time, frame)


def qos(*, latched: bool = False) -> Qos:
    """Reliable; ``latched`` also serves late subscribers, as /tf_static needs it."""
    durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
    return Qos(QosHistory.KEEP_LAST, 1 if latched else 10, QosReliability.RELIABLE, durability,
               _FOREVER, _FOREVER, QosLiveliness.AUTOMATIC, _FOREVER, False)


def camera_info(stamp: int, camera: Pinhole) -> Any:
    """CameraInfo of a rectified camera: plumb_bob with zero distortion."""
    projection = np.zeros((3, 4))
    projection[:, :3] = camera.matrix
    region = TYPES['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return TYPES['sensor_msgs/msg/CameraInfo'](
        header(stamp, CAMERA_FRAME), camera.height, camera.width, 'plumb_bob', np.zeros(5),
        camera.matrix.ravel(), np.eye(3).ravel(), projection.ravel(), 0, 0, region)


def compressed_image(stamp: int, jpeg: npt.NDArray[np.uint8]) -> Any:
    """CompressedImage from JPEG bytes; the format string is image_transport's."""
    return TYPES['sensor_msgs/msg/CompressedImage'](
        header(stamp, CAMERA_FRAME), 'rgb8; jpeg compressed bgr8', jpeg.ravel())


def depth_image(stamp: int, depth: npt.NDArray[np.float32]) -> Any:
    """REP-118 depth in millimetres (16UC1); 0 where there is none or it exceeds 65.535 m."""
    millimetres = np.where(np.isfinite(depth), depth, 0.0) * 1000.0 + 0.5
    stored = np.where(millimetres < 65536, millimetres, 0).astype('<u2')
    height, width = stored.shape
    return TYPES['sensor_msgs/msg/Image'](
        header(stamp, CAMERA_FRAME), height, width, '16UC1', 0, 2 * width,
        stored.view(np.uint8).ravel())


def transforms(stamp: int, links: list[tuple[str, str, Floats]]) -> Any:
    """TFMessage from (parent, child, child-to-parent matrix [4, 4])."""
    vector, turn = TYPES['geometry_msgs/msg/Vector3'], TYPES['geometry_msgs/msg/Quaternion']
    return TYPES['tf2_msgs/msg/TFMessage']([
        TYPES['geometry_msgs/msg/TransformStamped'](
            header(stamp, parent), child, TYPES['geometry_msgs/msg/Transform'](
                vector(*matrix[:3, 3].tolist()), turn(*quaternion(matrix))))
        for parent, child, matrix in links])


def imu(stamp: int, orientation: Floats, rate: Floats, force: Floats,
        sigmas: tuple[float, float, float]) -> Any:
    """Imu message; ``sigmas`` are those of orientation [rad], rate [rad/s], force [m/s^2]."""
    vector = TYPES['geometry_msgs/msg/Vector3']
    covariances = [np.diag([sigma ** 2] * 3).ravel() for sigma in sigmas]
    return TYPES['sensor_msgs/msg/Imu'](
        header(stamp, IMU_FRAME),
        TYPES['geometry_msgs/msg/Quaternion'](*quaternion(orientation)), covariances[0],
        vector(*rate.tolist()), covariances[1], vector(*force.tolist()), covariances[2])
