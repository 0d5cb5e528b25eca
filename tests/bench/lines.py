"""Describes one line of the result: a figure, the figure of a peer, and whether a goal is met."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Work = Callable[[], object]


@dataclass(frozen=True)
class Line:
    """One figure. `beside` is the peer's figure in the same unit, `peer` its name; `limit` is the goal.

    With `at_least`, the figure must reach the limit instead of staying below. `note` explains a missed goal.
    """

    name: str
    figure: float
    unit: str
    peer: str = ""
    beside: float | None = None
    goal: str = ""
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.figure / self.beside if self.beside else None

    @property
    def met(self) -> bool | None:
        if self.limit is None:
            return None
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "figure": round(self.figure, 4),
            "unit": self.unit,
            "beside": None if self.beside is None else round(self.beside, 4),
            "peer": self.peer,
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "goal": self.goal,
            "met": self.met,
            "note": self.note,
        }


def interleaved(works: Mapping[str, Work], rounds: int = 5, warm: int = 1) -> dict[str, float]:
    """Return the median milliseconds of each work; each round runs all, so that all meet the same noise."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(warm + rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            if number >= warm:
                taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
