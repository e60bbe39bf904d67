"""Ring 2: model bundles and the engines that run them, behind one small interface."""

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.manifest import Variant

__all__ = ['Engine', 'EngineError', 'Manifest', 'TensorSpec', 'Variant', 'load_engine']
