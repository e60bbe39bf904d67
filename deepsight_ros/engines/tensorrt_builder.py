"""
ONNX to plan with TensorRT. Only the builder's child process imports this module.

Networks are strongly typed: TensorRT 11 knows nothing else, and 10.x computes in the precision of
the graph only if told so. Only names that TensorRT has both in 10.3 and in 11.x.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepsight_ros.engines import cuda
from deepsight_ros.engines.cache import replacing
from deepsight_ros.engines.compiler import BuildOptions
from deepsight_ros.engines.compiler import Compiler
from deepsight_ros.engines.compiler import Report
from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.errors import EngineError
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.plans import PlanKey
from deepsight_ros.engines.tensorrt import TensorRtEngine
from deepsight_ros.engines.tensorrt_plan import LoadedPlan
from deepsight_ros.engines.tensorrt_plan import LOG
from deepsight_ros.engines.tensorrt_plan import plan_key
from deepsight_ros.engines.tensorrt_plan import portable
from deepsight_ros.engines.tensorrt_plan import trt
from deepsight_ros.engines.tensorrt_plan import unusable
from deepsight_ros.engines.tensorrt_plan import VERSION


class TensorRtCompiler(Compiler):
    """Builds plans for the current GPU."""

    def key(self, manifest: Manifest, options: BuildOptions) -> PlanKey:
        """Return what the plan will be built from and for."""
        flags = [name for name, chosen in (
            ('TF32', options.tf32),
            (f'WORKSPACE_{options.workspace_mb}_MB', options.workspace_mb)) if chosen]
        key = replace(plan_key(manifest), flags=tuple(sorted(flags)), level=options.level)
        return portable(key) if options.ampere_plus else key

    def versions(self) -> tuple[str, str]:
        """Return the versions of the CUDA runtime and of the driver."""
        gpu = cuda.current_gpu()
        return gpu.runtime, gpu.driver

    def compile(
        self, graph: Path, manifest: Manifest, options: BuildOptions, timings: Path,
        report: Report,
    ) -> bytes:
        """Return the plan of an ONNX file."""
        builder = _new_builder()
        network: trt.INetworkDefinition = builder.create_network(
            1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        report('reading the graph', 0, 0)
        _parse(network, graph)
        config: trt.IBuilderConfig = builder.create_builder_config()
        _configure(config, options)
        _add_profiles(builder, config, manifest)
        timing_cache: trt.ITimingCache = _use_timings(config, timings)
        monitor = Monitor(report)
        config.progress_monitor = monitor
        content: Any = builder.build_serialized_network(network, config)
        if content is None:
            raise EngineError(
                f'{graph}: TensorRT {VERSION} built no plan ({LOG.reasons}); if memory ran out, '
                'close other programs or give --workspace-mb, else choose the backend onnxruntime')
        with replacing(timings) as temporary:
            measured: Any = timing_cache.serialize()
            temporary.write_bytes(bytes(measured))
        return bytes(content)

    def open(self, plan: Plan, manifest: Manifest, bundle: Path) -> TensorRtEngine:
        """Load the plan."""
        return TensorRtEngine(LoadedPlan(plan.content, manifest.name), manifest,
                              'to be compared with its ONNX graph')

    def read_back(self, engine: Engine) -> tuple[tuple[TensorSpec, ...], dict[str, int]]:
        """Return inputs and outputs, and dtype to number of layers."""
        assert isinstance(engine, TensorRtEngine)
        return engine.read_back()


class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # Any where TensorRT is not installed
    """Reports the phases of a build; TensorRT calls it from several threads."""

    def __init__(self, report: Report) -> None:
        trt.IProgressMonitor.__init__(self)
        self._report = report
        self._steps: dict[str, int] = {}

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """Take the start of a phase, which may be part of another."""
        self._steps[phase_name] = num_steps
        self._tell(phase_name, 0)

    def step_complete(self, phase_name: str, step: int) -> bool:
        """Take a step of a phase; return whether the build shall go on."""
        return self._tell(phase_name, step + 1)

    def phase_finish(self, phase_name: str) -> None:
        """Take the end of a phase."""
        self._steps.pop(phase_name, None)

    def _tell(self, phase: str, done: int) -> bool:
        try:
            self._report(phase, done, self._steps.get(phase, 0))
        except OSError:  # nobody listens any more
            return False
        return True


def _new_builder() -> trt.Builder:
    try:
        return trt.Builder(LOG)
    except TypeError as error:  # the bindings' way to say that there is none
        raise unusable() from error


def _parse(network: trt.INetworkDefinition, graph: Path) -> None:
    parser: trt.OnnxParser = trt.OnnxParser(network, LOG)
    if parser.parse(graph.read_bytes()):
        return
    reasons = []
    for index in range(parser.num_errors):
        error: trt.ParserError = parser.get_error(index)
        reasons.append(f'{error.node_operator()} {error.node_name()}: {error.desc()}')
    raise EngineError(f'{graph}: TensorRT {VERSION} cannot take the graph '
                      f'({" | ".join(reasons) or LOG.reasons}); export it without these '
                      'operators, or choose the backend onnxruntime')


def _configure(config: trt.IBuilderConfig, options: BuildOptions) -> None:
    config.builder_optimization_level = options.level
    # Otherwise the plan does not say in which dtypes its layers compute.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if options.workspace_mb:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mb << 20)
    if not options.tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    if options.ampere_plus:
        config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS


def _add_profiles(
    builder: trt.Builder, config: trt.IBuilderConfig, manifest: Manifest,
) -> None:
    free = [spec.name for spec in manifest.inputs
            if any(isinstance(size, str) for size in spec.shape)]
    if free and not manifest.profiles:
        raise EngineError(f'{manifest.name}: the sizes of {free} are free and the manifest has no '
                          'profiles; export the bundle with profiles')
    for number, shapes in enumerate(manifest.profiles):
        profile: trt.IOptimizationProfile = builder.create_optimization_profile()
        try:
            for name, item in shapes.items():
                profile.set_shape(name, trt.Dims(list(item.min)), trt.Dims(list(item.opt)),
                                  trt.Dims(list(item.max)))
            refused = config.add_optimization_profile(profile) < 0
        except RuntimeError as error:
            LOG.log(trt.ILogger.Severity.ERROR, str(error))
            refused = True
        if refused:
            raise EngineError(f'{manifest.name}: TensorRT {VERSION} refuses profile {number} '
                              f'({LOG.reasons}); correct the profiles in the manifest')


def _use_timings(config: trt.IBuilderConfig, timings: Path) -> trt.ITimingCache:
    """Take the times that earlier builds measured, unless they are of no use here."""
    stored = timings.read_bytes() if timings.is_file() else b''
    cache: trt.ITimingCache | None = config.create_timing_cache(stored)
    if cache is None or not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b'')
        config.set_timing_cache(cache, False)
    return cache
