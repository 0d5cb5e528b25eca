"""Growth: what ten times as many rows cost."""

import statistics
from collections.abc import Iterator

from data import DIMENSIONS, Held, million, ten_million
from lines import Line
from regroup import BETWEEN, COARSE, FINE
from scroll import frames_by_wheel
from select_copy import select
from window import BenchWindow, view_of

from usage_viewer.domain.period import Per
from usage_viewer.domain.view import SortKey

Figures = dict[str, tuple[float, str]]


def measure() -> Iterator[Line]:
    small, large = _figures(million()), _figures(ten_million())
    for name, (figure, unit) in large.items():
        before = small[name][0]
        yield Line(f"growth 1M → 10M: {name}", figure, unit, "at 1M", before, "≤ 10 ×", 10 * before)


def _figures(held: Held) -> Figures:
    with BenchWindow(held) as window:
        figures: Figures = {"open and first view": (window.opened, "ms")}
        for label, cases in (("regroup, per day and coarser", COARSE), ("regroup, per hour", FINE)):
            figures[label] = (statistics.median(_shown(window, held, case) for case in cases), "ms")
        finest = view_of(held, Per.HOUR, DIMENSIONS)
        window.show(finest)
        for name, label in (("output_tokens", "sort by an integer"), ("user_id", "sort by a text")):
            taken = []
            for _ in range(2):
                window.show(finest.with_order((SortKey("num_model_requests"),)))
                taken.append(window.show(finest.with_order((SortKey(name, True),))))
            figures[label] = (min(taken), "ms")
        figures["a frame by wheel"] = (statistics.median(frames_by_wheel(window.table, 200)), "ms")
        figures["select all"] = (select(window), "ms")
    figures["bytes on disk"] = (held.place.database.stat().st_size / 2**20, "MB")
    return figures


def _shown(window: BenchWindow, held: Held, case: tuple[Per, tuple[str, ...]]) -> float:
    taken = []
    for _ in range(2):
        window.show(view_of(held, *BETWEEN))
        taken.append(window.show(view_of(held, *case)))
    return taken[-1]
