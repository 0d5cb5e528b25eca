"""`Line`: one line of the table: a figure, what was measured beside it, and whether a goal is met."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Work = Callable[[], object]


@dataclass(frozen=True)
class Line:
    """`beside` is the peer's figure in the same unit and `peer` its name; `limit` is what `figure` may reach.

    `at_least` turns the limit around. `note` says what a missed goal is due to.
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
    """Median milliseconds of each work; each round runs all of them, so that noise falls on all alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(warm + rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            if number >= warm:
                taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
