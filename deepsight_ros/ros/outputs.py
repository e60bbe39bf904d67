"""The topics of embodied depth."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.preview import depth_preview
from deepsight_ros.ros import qos
from deepsight_ros.ros.lazy_publishers import LazyPublishers
from deepsight_ros.ros.messages import camera_info_message
from deepsight_ros.ros.messages import image_message

TOPICS = {
    'embodied_depth/image': (Image, '32FC1, metres along the optical axis'),
    'embodied_depth/camera_info': (CameraInfo, 'camera of the rectified picture'),
    'embodied_depth/uncertainty': (Image, '32FC1, 1 sigma in metres'),
    'embodied_depth/label': (Image, 'mono8, where the depth of a pixel comes from'),
    'embodied_depth/preview': (Image, 'rgb8, depth in colours'),
}


class EmbodiedDepthOutputs(LazyPublishers):
    """What is published about a picture."""

    def __init__(self, node: LifecycleNode, max_range: float) -> None:
        """Create the publishers on ``node``."""
        super().__init__(node, TOPICS, qos.output())
        self._max_range = max_range

    def wanted(self) -> frozenset[str]:
        """Return the topics that somebody subscribes to."""
        return frozenset(topic for topic in TOPICS if self.is_wanted(topic))

    def publish(self, frame: Frame, header: Header, wanted: frozenset[str]) -> None:
        """Publish the ``wanted`` topics with the picture's header."""
        scene = frame.result.scene
        if 'embodied_depth/image' in wanted:
            self.send('embodied_depth/image', image_message(scene.depth, header))
        if 'embodied_depth/camera_info' in wanted:
            self.send('embodied_depth/camera_info', camera_info_message(frame.camera, header))
        if 'embodied_depth/uncertainty' in wanted:
            self.send('embodied_depth/uncertainty', image_message(scene.uncertainty(), header))
        if 'embodied_depth/label' in wanted:
            self.send('embodied_depth/label', image_message(scene.label, header))
        if 'embodied_depth/preview' in wanted:
            preview = depth_preview(scene.depth, self._max_range)
            self.send('embodied_depth/preview', image_message(preview, header))
