"""What turns the graph of a bundle into a plan; the builder runs one in its child process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Protocol

from deepsight_ros.engines.engine import Engine
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import TensorSpec
from deepsight_ros.engines.plans import Plan
from deepsight_ros.engines.plans import PlanKey

Report = Callable[[str, int, int], None]
"""Takes what is being done, the number of steps done, and of all steps (0: unknown)."""


@dataclass(frozen=True)
class BuildOptions:
    """How a plan is built; its graph says in which precision."""

    level: int = 3
    """Builder optimisation level, 0 to 5: higher builds longer for a faster plan."""
    workspace_mb: int = 0
    """Most memory that one layer may use while it computes; 0: all there is."""
    tf32: bool = False
    """Whether float32 may be computed as TensorFloat-32, faster and with 10 bits of mantissa."""
    ampere_plus: bool = False
    """Whether the plan has to run on every GPU since Ampere; slower, and not for Jetson."""


@dataclass(frozen=True)
class Request:
    """What to build, as the builder says it to its child process."""

    bundle: str
    cache: str
    compiler: str
    """Class to build with, as ``module:name``."""
    options: BuildOptions

    def to_json(self) -> str:
        """Return the text of the argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read the text of the argument."""
        content = json.loads(text)
        return cls(**{**content, 'options': BuildOptions(**content['options'])})


class Compiler(Protocol):
    """Makes plans of one backend. Every method raises ``EngineError``."""

    def key(self, manifest: Manifest, options: BuildOptions) -> PlanKey:
        """Return what the plan will be built from and for."""

    def versions(self) -> tuple[str, str]:
        """Return the versions of the CUDA runtime and of the driver."""

    def compile(
        self, graph: Path, manifest: Manifest, options: BuildOptions, timings: Path,
        report: Report,
    ) -> bytes:
        """Return the plan of an ONNX file; ``timings`` is where measured times are kept."""

    def open(self, plan: Plan, manifest: Manifest, bundle: Path) -> Engine:
        """Load the plan of the bundle in folder ``bundle``."""

    def read_back(self, engine: Engine) -> tuple[tuple[TensorSpec, ...], dict[str, int]]:
        """Return inputs and outputs (-1: free size), and dtype to number of layers."""
