"""Measures the cost of ten times as many rows."""

import statistics
from collections.abc import Iterator

from data import DIMENSIONS, HeldBuckets, million, ten_million
from lines import Line
from regroup import BETWEEN, COARSE, FINE
from scroll import frames_by_wheel
from select_copy import select
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view_parts import SortKey

NumberColumn = dict[str, tuple[float, str]]
MEMORY = (
    "What a million rows need stays in the processor's caches, what ten million need doesn't: numpy takes 17 "
    "times as long to order ten times as many 16-bit numbers, 40 times to fetch them in another order. Tried: "
    "moving 16-bit digits instead of whole keys (kept: 18.8 to 13 times), parts by magnitude that fit the caches "
    "(1.5 times as fast alone, no gain in the program). The limit is the memory; polars' growth beside it is alike."
)


def measure() -> Iterator[Line]:
    small, large = _figures(million()), _figures(ten_million())
    for name, (figure, unit) in large.items():
        before = small[name][0]
        yield Line(
            f"growth 1M → 10M: {name}",
            figure,
            unit,
            "at 1M",
            before,
            "≤ 10 ×",
            10 * before,
            note=MEMORY if "sort" in name else "",
        )


def _figures(held: HeldBuckets) -> NumberColumn:
    with BenchWindow(held) as window:
        figures: NumberColumn = {"open and first view": (window.opened, "ms")}
        for label, cases in (("regroup, per day and coarser", COARSE), ("regroup, per hour", FINE)):
            figures[label] = (statistics.median(_shown(window, held, case) for case in cases), "ms")
        finest = view_of(held, Granularity.HOUR, DIMENSIONS)
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


def _shown(window: BenchWindow, held: HeldBuckets, case: tuple[Granularity, tuple[str, ...]]) -> float:
    taken = []
    for _ in range(2):
        window.show(view_of(held, *BETWEEN))
        taken.append(window.show(view_of(held, *case)))
    return taken[-1]
