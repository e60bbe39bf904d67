"""Ring 1: camera, ground plane and embodied scene depth as pure functions of arrays."""

from deepsight_ros.geometry.camera import Camera
from deepsight_ros.geometry.embodied_depth import EmbodiedSceneDepth
from deepsight_ros.geometry.embodied_depth import Label
from deepsight_ros.geometry.embodied_depth import SceneDepth
from deepsight_ros.geometry.errors import CameraError
from deepsight_ros.geometry.errors import GroundError
from deepsight_ros.geometry.errors import TransformError
from deepsight_ros.geometry.ground import GroundPlane
from deepsight_ros.geometry.scene_classes import GROUP_OF_CLASS
from deepsight_ros.geometry.scene_classes import OUTSIDE
from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import SceneGroup
from deepsight_ros.geometry.scene_classes import VOID
from deepsight_ros.geometry.transforms import TransformBuffer

__all__ = [
    'Camera',
    'CameraError',
    'EmbodiedSceneDepth',
    'GROUP_OF_CLASS',
    'GroundError',
    'GroundPlane',
    'Label',
    'OUTSIDE',
    'SceneClass',
    'SceneDepth',
    'SceneGroup',
    'TransformBuffer',
    'TransformError',
    'VOID',
]
