"""Rows of the benchmark table."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from tqdm import tqdm

_MIN_TURNS = 5


@dataclass(frozen=True)
class Row:
    """A measured number beside that of a plain implementation, measured in the same run."""

    name: str
    value: float | None
    """None if it could not be measured."""
    unit: str
    baseline: float | None
    plain: str
    """What the baseline is, in words."""

    @property
    def ratio(self) -> float | None:
        """Value as a multiple of the baseline."""
        if self.value is None or not self.baseline:
            return None
        return self.value / self.baseline

    def as_json(self) -> dict[str, str | float | None]:
        """Return what other programs rely on."""
        return {'name': self.name, 'value': self.value, 'unit': self.unit,
                'baseline': self.baseline, 'ratio': self.ratio}


def median_seconds(
    calls: Mapping[str, Callable[[], object]], seconds: float, title: str,
) -> dict[str, float]:
    """
    Median time of each call.

    The calls take turns for some ``seconds``, so that what slows the machine slows all of them.
    """
    for call in calls.values():
        call()  # caches fill
    times: dict[str, list[float]] = {name: [] for name in calls}
    started = perf_counter()
    with tqdm(desc=title, unit='turn', mininterval=0.5) as bar:
        while bar.n < _MIN_TURNS or perf_counter() - started < seconds:
            for name, call in calls.items():
                begin = perf_counter()
                call()
                times[name].append(perf_counter() - begin)
            bar.update()
    return {name: median(values) for name, values in times.items()}
