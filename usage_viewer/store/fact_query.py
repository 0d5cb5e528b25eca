"""Reading facts: what a view's periods hold, summed per period and combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Kind, Metric
from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.query.aggregate import FactSums, gather, joined, missing_of
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.schema import fact_table, quoted
from usage_viewer.store.unknown_fields import Widened, figure_of

FEW_CELLS = 1_000_000
"""Up to so many periods times combinations the engine sums quicker than it hands rows over."""

ROWS_AT_A_TIME = 2_000_000
"""Facts handed over by the engine in one piece; bounds the memory."""


@dataclass(frozen=True, slots=True)
class FactQuery:
    """Facts to be read: of which buckets, which metrics, and how often a combination may be there in one."""

    dataset: Dataset
    metrics: tuple[str, ...]
    coverage: Coverage
    held: Mapping[BucketWidth, HeldBuckets]
    repeats: bool  # a bucket may hold a combination more than once
    combinations: int  # how many there are, or were a moment ago
    widened: Widened | None = None  # in their place: combinations that unknown fields tell apart too

    @property
    def columns(self) -> list[Metric]:
        return [metric for metric in self.dataset.metrics if metric.name in self.metrics]

    @property
    def levels(self) -> bool:
        return any(metric.aggregation is Aggregation.LEVEL for metric in self.columns)


def coarser(finer: FactSums, answered: FactQuery, question: FactQuery) -> FactSums | None:
    """What `question` asks for, out of the answer to another one; None where that doesn't have it."""
    if answered.dataset.name != question.dataset.name or answered.coverage.read != question.coverage.read:
        return None
    if not set(question.metrics) <= set(answered.metrics) or answered.widened or question.widened:
        return None
    metrics = {name: finer.metrics[name] for name in question.metrics}
    bounds, fine = question.coverage.periods.bounds, answered.coverage.periods.bounds
    if np.array_equal(bounds, fine):
        return FactSums(finer.period, finer.cell, metrics)
    if question.levels or not np.isin(bounds, fine, assume_unique=True).all():
        return None
    period = (np.searchsorted(bounds, fine[:-1], side="right") - 1).astype(np.int32)
    return _combined(FactSums(period[finer.period], finer.cell, metrics), len(question.coverage.periods))


def read(cursor: Connection, question: FactQuery, *, rows_at_a_time: int = ROWS_AT_A_TIME) -> FactSums:
    """The sums of each period and combination (`cell`); rows in the order of periods wherever there are many."""
    if question.widened is not None:
        cursor.register(question.widened.table, question.widened.columns)
    parts = _parts(question)
    periods = len(question.coverage.periods)
    if periods * question.combinations <= FEW_CELLS and not question.levels:
        summed = _summed(cursor, question, parts)
        if summed is not None:
            return summed
    last = _last_buckets(cursor, question, parts) if question.levels else np.empty(0, np.int64)
    buckets = sum(np.bincount(part.period[part.inside], minlength=periods) for part in parts)
    direct = not question.repeats and bool(np.all(buckets <= 1))
    pieces: list[FactSums] = []
    for part in parts:
        for window in _windows(cursor, question, part, rows_at_a_time):
            rows = _handed_over(cursor, question, part, window, last)
            pieces.append(rows if direct else _combined(rows, periods))
    if not pieces:
        return _no_rows(question)
    rows = joined(pieces)
    return rows.in_period_order() if direct or len(pieces) == 1 else _combined(rows, periods)


def _combined(rows: FactSums, periods: int) -> FactSums:
    return gather(rows, periods, int(rows.cell.max(initial=0)) + 1)


@dataclass(frozen=True)
class _Part:
    """What is read in one width: bucket number i begins at `first + i * width` and is of `period[i]` (-1: none)."""

    width: BucketWidth
    first: int
    period: NDArray[np.int32]

    @property
    def inside(self) -> NDArray[np.bool_]:
        return self.period >= 0

    @property
    def starts(self) -> NDArray[np.int64]:
        return self.first + np.arange(len(self.period), dtype=np.int64) * self.width.seconds

    @property
    def end(self) -> int:
        return self.first + len(self.period) * self.width.seconds


def _parts(question: FactQuery) -> list[_Part]:
    bounds = question.coverage.periods.bounds
    parts = []
    for width in question.dataset.widths:
        segments: Sequence[BucketRun] = [item for item in question.coverage.read if item.width is width]
        if not segments or width not in question.held:
            continue
        first, end = segments[0].start, max(segment.end for segment in segments)
        starts = np.arange(first, end, width.seconds, dtype=np.int64)
        period = (np.searchsorted(bounds, starts, side="right") - 1).astype(np.int32)
        inside = np.zeros(len(starts), np.bool_)
        for segment in segments:
            low = (segment.start - first) // width.seconds
            inside[low : low + segment.buckets] = True
        period[~inside] = -1
        parts.append(_Part(width, first, period))
    return parts


def _last_buckets(cursor: Connection, question: FactQuery, parts: Sequence[_Part]) -> NDArray[np.int64]:
    """Of each period the last bucket that is held, -1 where none is. Those at the end that nothing was told of yet
    don't count: the present minute says nothing of what is stored.
    """
    told = max((_last_told(cursor, question, part) for part in parts), default=-1)
    last = np.full(len(question.coverage.periods), -1, np.int64)
    for part in parts:
        counts = part.inside & (part.starts <= told)
        np.maximum.at(last, part.period[counts], part.starts[counts])
    return last


def _last_told(cursor: Connection, question: FactQuery, part: _Part) -> int:
    """The last bucket with any fact; -1 where there is none."""
    found = _select(cursor, fact_table(question.dataset, part.width), "DISTINCT bucket", (part.first, part.end))
    number = (found["bucket"] - part.first) // part.width.seconds
    return int(found["bucket"][part.inside[number]].max(initial=-1))


def _summed(cursor: Connection, question: FactQuery, parts: Sequence[_Part]) -> FactSums | None:
    """Summed by the engine; None where a sum passes its type."""
    sums = ", ".join(
        f"SUM({figure_of(metric)})::{'VARCHAR' if metric.kind is Kind.DECIMAL else 'BIGINT'}"
        f" AS {quoted(metric.name)}"
        for metric in question.columns
    )
    pieces = []
    for part in parts:
        step, origin = _even_steps(question, part)
        period, joining = f"((bucket - {origin}) // {step})::INTEGER", ""
        if not step:
            starts = part.starts[part.inside]
            cursor.register("bucket_periods", {"start": starts, "period number": part.period[part.inside]})
            period, joining = '"period number"', "JOIN bucket_periods ON bucket = start"
        try:
            found = _select(
                cursor,
                fact_table(question.dataset, part.width),
                f'{period} AS "period number", {_cell(question)} AS "cell number", {sums}',
                (part.first, part.end),
                f"{joining} {_joining(question)}",
                "GROUP BY ALL",
            )
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            return None
        pieces.append(_rows(found, question))
    if not pieces:
        return _no_rows(question)
    return pieces[0] if len(pieces) == 1 else _combined(joined(pieces), len(question.coverage.periods))


def _even_steps(question: FactQuery, part: _Part) -> tuple[int, int]:
    """Step and origin (seconds) where each bucket's period is `(bucket - origin) // step`; step 0 where not."""
    if not part.inside.all():
        return 0, 0
    bounds = question.coverage.periods.bounds
    lengths = np.diff(bounds)
    if len(lengths) == 1:
        return int(lengths[0]), int(bounds[0])
    step = int(lengths[1] if len(lengths) > 2 else lengths.max())
    even = bool(np.all(lengths[1:-1] == step)) and int(lengths[0]) <= step and int(lengths[-1]) <= step
    return (step, int(bounds[1]) - step) if even else (0, 0)


def _windows(cursor: Connection, question: FactQuery, part: _Part, rows_at_a_time: int) -> list[tuple[int, int]]:
    """Start and end of stretches that hold about so many facts each."""
    table = quoted(fact_table(question.dataset, part.width))
    facts: int = cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    a_bucket = max(1, facts // max(1, len(question.held[part.width].starts)))
    step = max(1, rows_at_a_time // a_bucket) * part.width.seconds
    return [(start, min(start + step, part.end)) for start in range(part.first, part.end, step)] if facts else []


def _handed_over(
    cursor: Connection, question: FactQuery, part: _Part, window: tuple[int, int], last: NDArray[np.int64]
) -> FactSums:
    """Each fact of a window as a row. A level is missing but for the last bucket held of its period."""
    seconds = part.width.seconds
    columns = ", ".join(
        f"{figure_of(metric)}{'::VARCHAR' if metric.kind is Kind.DECIMAL else ''} AS {quoted(metric.name)}"
        for metric in question.columns
    )
    found = _select(
        cursor,
        fact_table(question.dataset, part.width),
        f'((bucket - {part.first}) // {seconds})::INTEGER AS "period number",'
        f' {_cell(question)} AS "cell number", {columns}',
        window,
        _joining(question),
    )
    bucket = found["period number"]
    found["period number"] = part.period[bucket]
    rows = _rows(found, question)
    if question.levels:
        latest = (part.starts == last[part.period])[bucket]
        for metric in question.columns:
            if metric.aggregation is Aggregation.LEVEL:
                figures = rows.metrics[metric.name]
                level = NumberColumn(figures.values, missing_of(figures) | ~latest)
                rows = FactSums(rows.period, rows.cell, {**rows.metrics, metric.name: level})
    outside = rows.period < 0
    return rows.take(~outside) if outside.any() else rows


def _cell(question: FactQuery) -> str:
    return "combination" if question.widened is None else question.widened.cell


def _joining(question: FactQuery) -> str:
    return "" if question.widened is None else question.widened.joining


def _select(
    cursor: Connection, table: str, columns: str, window: tuple[int, int], joining: str = "", tail: str = ""
) -> dict[str, NDArray[Any]]:
    """Columns by name."""
    found: dict[str, NDArray[Any]] = cursor.execute(
        f"SELECT {columns} FROM {quoted(table)} {joining} WHERE bucket >= ? AND bucket < ? {tail}", window
    ).fetchnumpy()
    return found


def _rows(found: Mapping[str, NDArray[Any]], question: FactQuery) -> FactSums:
    return FactSums(
        found["period number"],
        found["cell number"],
        {metric.name: _figures(found[metric.name], metric) for metric in question.columns},
    )


def _figures(column: NDArray[Any], metric: Metric) -> NumberColumn:
    missing: NDArray[np.bool_] | None = None
    if isinstance(column, np.ma.MaskedArray):
        missing = np.ma.getmaskarray(column)
        column = np.where(missing, "0" if metric.kind is Kind.DECIMAL else 0, column.data)
        missing = missing if missing.any() else None
    if metric.kind is Kind.DECIMAL:
        column = np.array([Decimal(text) for text in column.tolist()], np.object_)
    return NumberColumn(column, missing)


def _no_rows(question: FactQuery) -> FactSums:
    nothing = np.empty(0, np.int32)
    metrics = {
        metric.name: NumberColumn(np.empty(0, np.object_ if metric.kind is Kind.DECIMAL else np.int64))
        for metric in question.columns
    }
    return FactSums(nothing, nothing, metrics)
