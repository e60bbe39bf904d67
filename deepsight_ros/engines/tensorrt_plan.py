"""
A TensorRT plan that is loaded on the GPU, and what can be read back from it.

Only names that TensorRT has both in 10.3 and in 11.x. Import this module only when a plan is to be
run or built: importing it needs TensorRT.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
import logging
from pathlib import Path
from typing import Final

from deepsight_ros.engines import cuda
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import ShapeRange
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plan_facts import count_dtypes
from deepsight_ros.engines.plans import find_plan
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.plans import profiles_text
from deepsight_ros.engines.tensors import Shape

try:
    import tensorrt as trt
except ImportError as error:
    raise EngineError(
        f'TensorRT cannot be imported ({error}); install it with `pip install tensorrt` (on a '
        'Jetson: `sudo apt install python3-libnvinfer`, and a virtual environment made with '
        '--system-site-packages), or choose the backend onnxruntime') from error

__all__ = ['FREE', 'VERSION', 'LOG', 'LoadedPlan', 'find_plan_here', 'plan_key', 'portable',
           'trt', 'unusable']

VERSION: Final[str] = trt.__version__
FREE: Final = -1
"""Size that an optimisation profile leaves open."""
_NUMPY: Final = {
    trt.DataType.FLOAT: 'float32', trt.DataType.HALF: 'float16', trt.DataType.INT64: 'int64',
    trt.DataType.INT32: 'int32', trt.DataType.INT8: 'int8', trt.DataType.UINT8: 'uint8',
    trt.DataType.BOOL: 'bool',
}
_log = logging.getLogger(__name__)


class Log(trt.ILogger):  # type: ignore[misc]  # Any where TensorRT is not installed
    """Passes TensorRT's messages on, and keeps the last errors for ours."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self._errors: list[str] = []

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Take a message from TensorRT."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self._errors = [*self._errors[-2:], msg]
            _log.error('TensorRT: %s', msg)
        elif severity == trt.ILogger.Severity.WARNING:
            _log.warning('TensorRT: %s', msg)

    @property
    def reasons(self) -> str:
        """Return the last errors in one line; they are told once."""
        errors, self._errors = self._errors, []
        return ' | '.join(errors) or 'TensorRT gave no reason'


LOG: Final = Log()
"""The only one: TensorRT keeps the first that a process gives it, for as long as it runs."""


def new_runtime() -> trt.Runtime:
    """Return what loads plans; ``EngineError`` when TensorRT cannot use the GPU at all."""
    try:
        return trt.Runtime(LOG)
    except TypeError as error:  # the bindings' way to say that there is none
        raise unusable() from error


def unusable() -> EngineError:
    """Return the error for a TensorRT that does not even start."""
    return EngineError(f'TensorRT {VERSION} cannot use the GPU ({LOG.reasons}); install the '
                       'driver that it needs, or choose the backend onnxruntime')


def plan_key(manifest: Manifest) -> PlanKey:
    """Return what a plan of the bundle must be to run here; ``EngineError`` without a GPU."""
    variant = manifest.variant('tensorrt')
    gpu = cuda.current_gpu()
    return PlanKey(
        bundle=manifest.name,
        onnx_sha256=manifest.files[variant.file],
        tensorrt=VERSION,
        # A name alone does not tell one Jetson of a family from the others.
        gpu=f'{gpu.name}, {gpu.multiprocessors} multiprocessors',
        compute_capability=gpu.compute_capability,
        profiles=profiles_text(manifest.profiles),
        attention=variant.attention)


def portable(key: PlanKey) -> PlanKey:
    """Return the key of a plan that runs on every GPU since Ampere, instead of on one."""
    return replace(key, gpu='every GPU since Ampere', compute_capability='8.0 or later')


def find_plan_here(manifest: Manifest, cache: Path, bundle: Path) -> Plan:
    """Return the verified plan for this GPU, else a portable one; raises ``EngineError``."""
    key = plan_key(manifest)
    try:
        return find_plan(key, cache, bundle)
    except EngineError:
        if int(key.compute_capability.partition('.')[0]) >= 8:
            with suppress(EngineError):
                return find_plan(portable(key), cache, bundle)
        raise


class LoadedPlan:
    """The weights of a plan on the GPU, which several contexts share."""

    def __init__(self, content: bytes, name: str) -> None:
        """Load a plan whose hash was checked; ``EngineError`` when it cannot run here."""
        self.name = name
        cuda.require_memory(len(content), f'{name}: loading the weights')
        runtime = new_runtime()
        engine: trt.ICudaEngine | None = runtime.deserialize_cuda_engine(content)
        if engine is None:
            raise EngineError(f'{name}: TensorRT {VERSION} cannot load the plan '
                              f'({LOG.reasons}); build it again')
        self._runtime = runtime
        self.engine: trt.ICudaEngine = engine
        self.inputs, self.outputs = self._read_specs()
        self.profiles = tuple(self._read_profile(index)
                              for index in range(engine.num_optimization_profiles))
        self.activation_bytes: int = engine.device_memory_size_v2

    def new_context(self) -> trt.IExecutionContext:
        """Return a context without memory for activations; raises ``EngineError``."""
        context: trt.IExecutionContext | None = self.engine.create_execution_context(
            trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if context is None:
            raise self.failed('making a context')
        # Plans are built with details for the inspector, which would also slow down every run.
        context.nvtx_verbosity = trt.ProfilingVerbosity.NONE
        return context

    def set_shapes(
        self, context: trt.IExecutionContext, profile: int, shapes: dict[str, Shape], stream: int,
    ) -> dict[str, Shape]:
        """Set profile and input shapes; return the outputs' shapes. Raises ``EngineError``."""
        if not context.set_optimization_profile_async(profile, stream):
            raise self.failed(f'choosing profile {profile}')
        for name, shape in shapes.items():
            if not context.set_input_shape(name, shape):
                raise self.failed(f'setting {name!r} to {list(shape)}')
        try:
            missing = context.infer_shapes()
        except RuntimeError as error:
            raise self.failed(f'finding the shapes for {shapes}') from error
        if missing:
            raise self.failed(f'finding the shapes without those of {missing}')
        outputs = {spec.name: _sizes(context.get_tensor_shape(spec.name))
                   for spec in self.outputs}
        for name, shape in outputs.items():
            if FREE in shape:
                raise EngineError(f'{self.name}: the shape of {name!r} depends on the data; '
                                  'export outputs whose shapes follow from those of the inputs')
        return outputs

    def layer_dtypes(self) -> dict[str, int]:
        """Return dtype to the number of layers whose first output has it, as far as is known."""
        inspector: trt.EngineInspector = self.engine.create_engine_inspector()
        return count_dtypes(
            inspector.get_engine_information(trt.LayerInformationFormat.JSON))

    def failed(self, action: str) -> EngineError:
        """Return the error for a call of TensorRT that was refused."""
        return EngineError(f'{self.name}: {action} failed ({LOG.reasons}); build the plan '
                           'again, or choose the backend onnxruntime')

    def _read_specs(self) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        engine = self.engine
        inputs: list[TensorSpec] = []
        outputs: list[TensorSpec] = []
        for name in [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]:
            dtype = _NUMPY.get(engine.get_tensor_dtype(name))
            if dtype is None or engine.get_tensor_location(name) != trt.TensorLocation.DEVICE:
                raise EngineError(
                    f'{self.name}: {name!r} is of {engine.get_tensor_dtype(name)} at '
                    f'{engine.get_tensor_location(name)}; export a graph whose inputs and outputs '
                    'have NumPy types and are no shapes')
            spec = TensorSpec(name, dtype, _sizes(engine.get_tensor_shape(name)))
            is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            (inputs if is_input else outputs).append(spec)
        return tuple(inputs), tuple(outputs)

    def _read_profile(self, index: int) -> dict[str, ShapeRange]:
        profile = {}
        for spec in self.inputs:
            shapes = [_sizes(self.engine.get_tensor_shape(spec.name))] * 3
            if FREE in spec.shape:  # profiles say nothing of fixed sizes
                shapes = [_sizes(shape) for shape in
                          self.engine.get_tensor_profile_shape(spec.name, index)]
            profile[spec.name] = ShapeRange(*shapes)
        return profile


def _sizes(dims: trt.Dims) -> Shape:
    return tuple(int(dims[axis]) for axis in range(len(dims)))
