"""Ring 2: model bundles and the engines that run them, behind one small interface."""

from deepsight_ros.engines.cache import cache_folder
from deepsight_ros.engines.engine import BACKENDS
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.engine import engine_options
from deepsight_ros.engines.engine import load_engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.manifest import Tolerance
from deepsight_ros.engines.manifest import Variant
from deepsight_ros.engines.tensors import Tensor

__all__ = ['BACKENDS', 'cache_folder', 'Engine', 'engine_options', 'EngineError', 'load_engine',
           'Manifest', 'ShapeRange', 'Tensor', 'TensorSpec', 'Tolerance', 'Variant']
