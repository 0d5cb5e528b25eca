"""Measures the search, from a key press in the search box to the repaint of the matching rows."""

import statistics
from collections.abc import Iterator
from functools import partial

import polars as pl
from data import DIMENSIONS, HeldBuckets, million
from lines import Line, interleaved
from peers import Peers
from regroup import FIXED, FRAME
from window import BenchWindow, view_of

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn

TYPED = "gpt-5.4-m"
VIEWS = {
    "whole range by model and project": (Granularity.TOTAL, ("model", "project_id")),
    "day by all 7": (Granularity.DAY, DIMENSIONS),
}


def measure() -> Iterator[Line]:
    held = million()
    peers = Peers(held)
    texts = [TYPED[: count + 1] for count in range(len(TYPED))]
    beside = statistics.median(interleaved({text: partial(_polars, peers, text) for text in texts}).values())
    with BenchWindow(held) as window:
        for label, (per, grouping) in VIEWS.items():
            view = view_of(held, per, grouping)
            taken = []
            for _ in range(4):
                window.show(view)
                taken += [window.show(view.with_search(text)) for text in texts]
            _check(window, held)
            yield Line(
                f"search 1M, per key: {label}",
                statistics.median(taken[len(texts) :]),
                "ms",
                "polars str.contains",
                beside,
                "≤ 16.7 ms",
                FRAME,
                note=FIXED,
            )


def _polars(peers: Peers, text: str) -> int:
    columns = [pl.col(name).cast(pl.String).str.contains(text, literal=True) for name in DIMENSIONS]
    return int(peers.polars.filter(pl.any_horizontal(columns)).height)


def _check(window: BenchWindow, held: HeldBuckets) -> None:
    """Check that the total is the sum of the rows whose combination contains the typed text."""
    matches = [any(TYPED in (value or "") for value in values) for values in held.combinations]
    picked = [number for number, match in enumerate(matches) if match]
    wanted = sum(int(held.metrics["input_tokens"][held.combination == number].sum()) for number in picked)
    column = window.table.usage_model.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert column.total == wanted > 0
