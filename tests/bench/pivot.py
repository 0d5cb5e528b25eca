"""Measures pivots of a million rows beside the flat tables with the same figures, and scrolling over 60 columns."""

import time
from collections.abc import Iterator
from dataclasses import replace

from data import DIMENSIONS, NOW, HeldBuckets, million
from lines import Line, interleaved, percentile
from PySide6.QtWidgets import QApplication
from window import BenchWindow, view_of

from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import MOST_COLUMNS, Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD
from usage_viewer.store import Store

SORTED = (
    "Where grouping and columns are all dimensions, the flat table adds nothing up and sorts its rows once. The "
    "pivot numbers its rows (a sort of the cells: 20 to 40 of 130 ms of processor time), distributes the cells "
    "over the columns (12), adds up the totals (10) and sorts the rows by one of them (35). Tried: sorting by runs "
    "of periods (kept, from 70 ms), 16 bits at a time for the columns (kept, from 50), one figure computed for all "
    "cells instead of one for each column (kept)."
)
FRAMES = 300
FIGURE = "input_tokens"
Case = tuple[Granularity, tuple[str, ...], str, str]
CASES: tuple[Case, ...] = (
    (Granularity.HOUR, DIMENSIONS, "model", FIGURE),
    (Granularity.HOUR, DIMENSIONS, "model", "cached_share"),
    (Granularity.HOUR, DIMENSIONS, PERIOD, FIGURE),
    (Granularity.DAY, ("project_id", "user_id"), "model", FIGURE),
    (Granularity.DAY, ("project_id", "model"), PERIOD, FIGURE),
)


def measure() -> Iterator[Line]:
    held = million()
    session = StoreSession(Store.open(held.place.database), clock=lambda: float(NOW))
    try:
        for case in CASES:
            yield _beside_flat(session, held, case)
    finally:
        session.close()
    yield from _scrolled(held)


def _pivoted(held: HeldBuckets, case: Case) -> ViewState:
    per, grouping, by, figure = case
    return view_of(held, per, grouping).with_pivot(Pivot(by, figure))


def _beside_flat(session: StoreSession, held: HeldBuckets, case: Case) -> Line:
    view = _pivoted(held, case)
    looks: dict[str, ViewResult] = {}

    def answer(name: str, asked: ViewState) -> None:
        looks[name] = session.look(asked)
        looks[name].table.ordered(asked.order)

    flat = replace(view.flat, order=view.order)
    taken = interleaved({"pivot": lambda: answer("pivot", view), "flat": lambda: answer("flat", flat)})
    _check(looks["pivot"], looks["flat"], case)
    per, grouping, by, figure = case
    rows = "all" if grouping == DIMENSIONS else "+".join(name.removesuffix("_id") for name in grouping)
    return Line(
        f"pivot 1M: {figure} per {per.value} of {rows}, {by} across",
        taken["pivot"],
        "ms",
        f"flat table of {looks['flat'].table.rows:,} rows",
        taken["flat"],
        "≤ 1.5 ×",
        1.5 * taken["flat"],
        note=SORTED,
    )


def _check(pivot: ViewResult, flat: ViewResult, case: Case) -> None:
    """Check that the columns add up to the flat table's total, or that the quotients of both are equal."""
    figure = case[3]
    total = flat.table.figure(figure).total
    assert pivot.table.figure(figure).total == total
    columns = [column for column in pivot.table.figures if column.key.is_of_pivot]
    assert len(columns) <= MOST_COLUMNS + 1
    if figure == FIGURE:
        assert sum(int(column.figures.total() or 0) for column in columns) == total


def _scrolled(held: HeldBuckets) -> Iterator[Line]:
    """Yield the time of a frame while a table of 62 columns scrolls down and sideways."""
    view = _pivoted(held, (Granularity.HOUR, DIMENSIONS, PERIOD, FIGURE))
    with BenchWindow(held) as window:
        window.show(view)
        table = window.table
        assert len(table.usage_model.columns) > MOST_COLUMNS
        for name, bar in (("down", table.verticalScrollBar()), ("sideways", table.horizontalScrollBar())):
            taken = []
            step = max(1, bar.maximum() // FRAMES)
            for number in range(FRAMES):
                begun = time.perf_counter()
                bar.setValue(number * step)
                table.viewport().repaint()
                taken.append((time.perf_counter() - begun) * 1000)
                QApplication.processEvents()
            yield Line(
                f"pivot of 60 columns, scrolled {name}: p99 of a frame",
                percentile(taken, 0.99),
                "ms",
                "one frame",
                1000 / 60,
                "≤ 16.7 ms",
                1000 / 60,
            )
