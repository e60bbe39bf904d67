"""
Compilers that need no GPU: ONNX Runtime optimises the graph and runs the result.

The builder's child imports them, so that all but TensorRT itself is the real thing in tests.
"""

from __future__ import annotations

import os
from pathlib import Path
import resource
import signal
import tempfile
import time

import onnx
import onnxruntime

from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.compiler import Report
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.onnx_runtime import OnnxRuntimeEngine
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.plans import profiles_text

CPU = ['CPUExecutionProvider']


class OptimisedGraph:
    """The plan is the graph as ONNX Runtime's extended optimisations leave it."""

    def key(self, manifest: Manifest, options: BuildOptions) -> PlanKey:
        variant = manifest.variant('onnxruntime')
        return PlanKey(
            bundle=manifest.name, onnx_sha256=manifest.files[variant.file],
            tensorrt=f'onnxruntime {onnxruntime.__version__}', gpu='CPU', compute_capability='',
            profiles=profiles_text(manifest.profiles), attention='', level=options.level)

    def versions(self) -> tuple[str, str]:
        return 'none', 'none'

    def compile(self, graph: Path, manifest: Manifest, options: BuildOptions, timings: Path,
                report: Report) -> bytes:
        report('optimising', 0, 1)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'optimised.onnx')
            settings = onnxruntime.SessionOptions()
            settings.graph_optimization_level = (
                onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)
            settings.optimized_model_filepath = str(path)
            onnxruntime.InferenceSession(str(graph), settings, providers=CPU)
            report('optimising', 1, 1)
            return path.read_bytes()

    def open(self, plan: Plan, manifest: Manifest, bundle: Path) -> Engine:
        session = onnxruntime.InferenceSession(plan.content, providers=CPU)
        return OnnxRuntimeEngine(session, manifest, 'to be compared', bundle)

    def read_back(self, engine: Engine) -> tuple[tuple[TensorSpec, ...], dict[str, int]]:
        return (*engine.inputs, *engine.outputs), {'float32': 1}


class Damaged(OptimisedGraph):
    """A compiler that miscomputes: all constants of its plans are 2 % too large."""

    def compile(self, *args, **kwargs) -> bytes:
        model = onnx.load_from_string(super().compile(*args, **kwargs))
        for constant in model.graph.initializer:
            value = onnx.numpy_helper.to_array(constant)
            constant.CopyFrom(onnx.numpy_helper.from_array(
                (value * 1.02).astype(value.dtype), constant.name))
        return model.SerializeToString()


class Killed(OptimisedGraph):
    """Ends like a process that the kernel kills when memory runs out."""

    def compile(self, *args, **kwargs) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)


class Crashing(OptimisedGraph):
    """Ends like a library with a defect."""

    def compile(self, *args, **kwargs) -> bytes:
        print('assertion failed: tactic is not null', flush=True)
        os.abort()


class Failing(OptimisedGraph):
    """Raises what nobody expects."""

    def compile(self, *args, **kwargs) -> bytes:
        raise ValueError('no such tactic')


class Greedy(OptimisedGraph):
    """Asks for more memory than there is."""

    def compile(self, *args, **kwargs) -> bytes:
        return bytes(1 << 62)


class NoRoom(OptimisedGraph):
    """Writes to a disk on which no file may grow."""

    def compile(self, *args, **kwargs) -> bytes:
        content = super().compile(*args, **kwargs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))
        return content


class Patient(OptimisedGraph):
    """Counts its builds in ``$BUILDS``, and waits in each until ``$GO`` exists."""

    def compile(self, *args, **kwargs) -> bytes:
        with Path(os.environ['BUILDS']).open('a') as file:
            file.write('build\n')
        while not Path(os.environ['GO']).exists():
            time.sleep(0.02)
        return super().compile(*args, **kwargs)
