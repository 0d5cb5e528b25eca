"""Reads facts from the database, summed for each period and combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Kind, Metric
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import is_extra
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.query.aggregate import FactRows, aggregate, concat_rows, missing_mask
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import fact_table
from usage_viewer.store.unknown_fields import ExtendedIndex, FieldNumbers

MAX_ENGINE_CELLS = 1_000_000
"""Up to this many periods times combinations, DuckDB sums faster than it transfers rows to numpy."""

ROWS_AT_A_TIME = 2_000_000
"""Facts transferred from DuckDB in one chunk; bounds the memory."""


class FactsMissing(StoreDamaged):
    """Reports that other facts were read than those that the buckets should have."""


@dataclass(frozen=True, slots=True)
class FactCounts:
    """How many facts each stored bucket of a width has, (n,); `starts` (n,) are epoch seconds, ascending."""

    starts: NDArray[np.int64]
    facts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FactQuery:
    """Which facts to read: the metrics of a dataset, in the buckets of `coverage.read`.

    `version` counts the dataset's changes. `combinations` is how many there are, or were a moment ago. With
    `extended`, combinations are those of its index.
    """

    dataset: Dataset
    metrics: tuple[str, ...]
    coverage: Coverage
    stored: Mapping[BucketWidth, FactCounts]
    repeats: bool  # whether a bucket may have a combination more than once
    combinations: int
    version: int = 0
    extended: ExtendedIndex | None = None

    @property
    def columns(self) -> list[Metric]:
        """The metrics to read, in the dataset's order."""
        return [metric for metric in self.dataset.metrics if metric.name in self.metrics]

    @property
    def extras(self) -> list[str]:
        """The metrics that are unknown fields; their numbers are read one by one."""
        return [metric.name for metric in self.columns if is_extra(metric.name)]

    @property
    def has_levels(self) -> bool:
        """Whether any metric is a level."""
        return any(metric.aggregation is Aggregation.LEVEL for metric in self.columns)


def derive_facts(query: FactQuery, answered: FactQuery, rows: FactRows) -> FactRows | None:
    """Return the facts of `query` from `rows`, those of an answered query; None if they don't contain them."""
    if answered.dataset.name != query.dataset.name or answered.coverage.read != query.coverage.read:
        return None
    if not set(query.metrics) <= set(answered.metrics) or answered.extended or query.extended:
        return None
    metrics = {name: rows.metrics[name] for name in query.metrics}
    bounds, finer = query.coverage.periods.bounds, answered.coverage.periods.bounds
    if np.array_equal(bounds, finer):
        return FactRows(rows.period, rows.cell, metrics)
    if query.has_levels or not np.isin(bounds, finer, assume_unique=True).all():
        return None
    period = (np.searchsorted(bounds, finer[:-1], side="right") - 1).astype(np.int32)
    return _sum(FactRows(period[rows.period], rows.cell, metrics), len(query.coverage.periods))


def read_facts(cursor: Connection, query: FactQuery, *, rows_at_a_time: int = ROWS_AT_A_TIME) -> FactRows:
    """Read the sums of each period and combination; many rows are in the order of their periods.

    Raises FactsMissing.
    """
    if query.extended is not None:
        cursor.register(query.extended.table, query.extended.columns)
    runs = _runs(query)
    periods = len(query.coverage.periods)
    if periods * query.combinations <= MAX_ENGINE_CELLS and not query.has_levels and not query.extras:
        summed = _read_summed(cursor, query, runs)
        if summed is not None:
            return summed
    last = _last_buckets(cursor, query, runs) if query.has_levels else np.empty(0, np.int64)
    buckets = sum(np.bincount(run.period[run.inside], minlength=periods) for run in runs)
    # A fact is a sum already if no period has two buckets and no bucket repeats a combination.
    are_sums = not query.repeats and bool(np.all(buckets <= 1))
    chunks: list[FactRows] = []
    for run in runs:
        read = 0
        for window in _windows(cursor, query, run, rows_at_a_time):
            rows = _read_rows(cursor, query, run, window, last)
            read += len(rows)
            chunks.append(rows if are_sums else _sum(rows, periods))
        _expect_facts(query, run, read)
    if not chunks:
        return _no_rows(query)
    rows = concat_rows(chunks)
    return rows.in_period_order() if are_sums or len(chunks) == 1 else _sum(rows, periods)


def _sum(rows: FactRows, periods: int) -> FactRows:
    return aggregate(rows, periods, int(rows.cell.max(initial=0)) + 1)


@dataclass(frozen=True)
class _Run:
    """The buckets to read in one width: bucket i starts at `first + i * width` and is in `period[i]` (-1: none)."""

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


def _runs(query: FactQuery) -> list[_Run]:
    bounds = query.coverage.periods.bounds
    runs = []
    for width in query.dataset.widths:
        segments: Sequence[BucketRun] = [item for item in query.coverage.read if item.width is width]
        if not segments or width not in query.stored:
            continue
        first, end = segments[0].start, max(segment.end for segment in segments)
        starts = np.arange(first, end, width.seconds, dtype=np.int64)
        period = (np.searchsorted(bounds, starts, side="right") - 1).astype(np.int32)
        inside = np.zeros(len(starts), np.bool_)
        for segment in segments:
            low = (segment.start - first) // width.seconds
            inside[low : low + segment.buckets] = True
        period[~inside] = -1
        runs.append(_Run(width, first, period))
    return runs


def _last_buckets(cursor: Connection, query: FactQuery, runs: Sequence[_Run]) -> NDArray[np.int64]:
    """Return the start of the last stored bucket of each period, (periods,); -1 for none.

    Buckets after the last one with any fact don't count: the present minute has no level yet.
    """
    last_fact = max((_last_bucket_with_facts(cursor, query, run) for run in runs), default=-1)
    last = np.full(len(query.coverage.periods), -1, np.int64)
    for run in runs:
        counts = run.inside & (run.starts <= last_fact)
        np.maximum.at(last, run.period[counts], run.starts[counts])
    return last


def _last_bucket_with_facts(cursor: Connection, query: FactQuery, run: _Run) -> int:
    """Return the start of the last bucket with any fact; -1 for none."""
    columns = _select(cursor, fact_table(query.dataset, run.width), "DISTINCT bucket", (run.first, run.end))
    number = (columns["bucket"] - run.first) // run.width.seconds
    return int(columns["bucket"][run.inside[number]].max(initial=-1))


def _read_summed(cursor: Connection, query: FactQuery, runs: Sequence[_Run]) -> FactRows | None:
    """Read facts summed by DuckDB; None if a sum exceeds its type."""
    sums = ", ".join(
        f"SUM({quoted(metric.name)})::{'VARCHAR' if metric.kind is Kind.DECIMAL else 'BIGINT'}"
        f" AS {quoted(metric.name)}"
        for metric in query.columns
    )
    chunks = []
    for run in runs:
        step, origin = _even_step(query, run)
        period, join = f"((bucket - {origin}) // {step})::INTEGER", ""
        if not step:
            starts = run.starts[run.inside]
            cursor.register("bucket_periods", {"start": starts, "period number": run.period[run.inside]})
            period, join = '"period number"', "JOIN bucket_periods ON bucket = start"
        try:
            columns = _select(
                cursor,
                fact_table(query.dataset, run.width),
                f'{period} AS "period number", {_cell(query)} AS "cell number", {sums}, count(*) AS "facts read"',
                (run.first, run.end),
                f"{join} {_join(query)}",
                "GROUP BY ALL",
            )
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            return None
        _expect_facts(query, run, int(columns["facts read"].sum()))
        chunks.append(_fact_rows(columns, query))
    if not chunks:
        return _no_rows(query)
    return chunks[0] if len(chunks) == 1 else _sum(concat_rows(chunks), len(query.coverage.periods))


def _expect_facts(query: FactQuery, run: _Run, read: int) -> None:
    """Raise FactsMissing unless `read` is the number of facts in the buckets of a run.

    A condition in SQL skips facts where a table's statistics are damaged.
    """
    stored = query.stored[run.width]
    inside = (stored.starts >= run.first) & (stored.starts < run.end)
    inside[inside] = run.inside[(stored.starts[inside] - run.first) // run.width.seconds]
    if read != (expected := int(stored.facts[inside].sum())):
        raise FactsMissing(f"{read} of {expected} rows of {fact_table(query.dataset, run.width)} were read.")


def _even_step(query: FactQuery, run: _Run) -> tuple[int, int]:
    """Return a step and an origin (seconds) such that each bucket is in the period `(bucket - origin) // step`.

    The step is 0 if there is no such step.
    """
    if not run.inside.all():
        return 0, 0
    bounds = query.coverage.periods.bounds
    lengths = np.diff(bounds)
    if len(lengths) == 1:
        return int(lengths[0]), int(bounds[0])
    step = int(lengths[1] if len(lengths) > 2 else lengths.max())
    even = bool(np.all(lengths[1:-1] == step)) and int(lengths[0]) <= step and int(lengths[-1]) <= step
    return (step, int(bounds[1]) - step) if even else (0, 0)


def _windows(cursor: Connection, query: FactQuery, run: _Run, rows_at_a_time: int) -> list[tuple[int, int]]:
    """Return the start and end (epoch seconds) of windows with about `rows_at_a_time` facts each."""
    table = quoted(fact_table(query.dataset, run.width))
    facts: int = cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    facts_in_bucket = max(1, facts // max(1, len(query.stored[run.width].starts)))
    step = max(1, rows_at_a_time // facts_in_bucket) * run.width.seconds
    return [(start, min(start + step, run.end)) for start in range(run.first, run.end, step)] if facts else []


def _read_rows(
    cursor: Connection, query: FactQuery, run: _Run, window: tuple[int, int], last: NDArray[np.int64]
) -> FactRows:
    """Read each fact of a window as a row. A level is missing except in the last stored bucket of its period."""
    seconds = run.width.seconds
    selected = ", ".join(
        [
            *(
                f"{quoted(item.name)}{'::VARCHAR' if item.kind is Kind.DECIMAL else ''} AS {quoted(item.name)}"
                for item in query.columns
                if not is_extra(item.name)
            ),
            *(["extra"] if query.extras else []),
        ]
    )
    columns = _select(
        cursor,
        fact_table(query.dataset, run.width),
        f'((bucket - {run.first}) // {seconds})::INTEGER AS "period number",'
        f' {_cell(query)} AS "cell number", {selected}',
        window,
        _join(query),
    )
    for name in query.extras:
        columns[name] = _extra_numbers(columns["extra"], name)
    bucket = columns["period number"]
    columns["period number"] = run.period[bucket]
    rows = _fact_rows(columns, query)
    if query.has_levels:
        is_last = (run.starts == last[run.period])[bucket]
        for metric in query.columns:
            if metric.aggregation is Aggregation.LEVEL:
                column = rows.metrics[metric.name]
                level = NumberColumn(column.values, missing_mask(column) | ~is_last)
                rows = FactRows(rows.period, rows.cell, {**rows.metrics, metric.name: level})
    outside = rows.period < 0
    return rows.take(~outside) if outside.any() else rows


def _extra_numbers(texts: NDArray[Any], name: str) -> NDArray[Any]:
    given: list[str | None] = texts.tolist()  # of a masked array, None where it is masked
    numbers = FieldNumbers(name).read(given)
    missing = np.array([number is None for number in numbers], np.bool_)
    column = np.empty(len(numbers), np.object_)
    column[:] = ["0" if number is None else number for number in numbers]
    masked: NDArray[Any] = np.ma.MaskedArray(column, missing)
    return masked


def _cell(query: FactQuery) -> str:
    return "combination" if query.extended is None else query.extended.cell


def _join(query: FactQuery) -> str:
    return "" if query.extended is None else query.extended.join


def _select(
    cursor: Connection, table: str, columns: str, window: tuple[int, int], join: str = "", tail: str = ""
) -> dict[str, NDArray[Any]]:
    """Return the selected columns by name, for buckets that start in the window (epoch seconds)."""
    result: dict[str, NDArray[Any]] = cursor.execute(
        f"SELECT {columns} FROM {quoted(table)} {join} WHERE bucket >= ? AND bucket < ? {tail}", window
    ).fetchnumpy()
    return result


def _fact_rows(columns: Mapping[str, NDArray[Any]], query: FactQuery) -> FactRows:
    return FactRows(
        columns["period number"],
        columns["cell number"],
        {metric.name: _number_column(columns[metric.name], metric) for metric in query.columns},
    )


def _number_column(column: NDArray[Any], metric: Metric) -> NumberColumn:
    missing: NDArray[np.bool_] | None = None
    if hasattr(column, "mask"):  # `np.ma` itself is imported only with the first masked array
        missing = np.ma.getmaskarray(column)
        column = np.where(missing, "0" if metric.kind is Kind.DECIMAL else 0, column.data)
        missing = missing if missing.any() else None
    if metric.kind is Kind.DECIMAL:
        column = np.array([Decimal(text) for text in column.tolist()], np.object_)
    return NumberColumn(column, missing)


def _no_rows(query: FactQuery) -> FactRows:
    empty = np.empty(0, np.int32)
    metrics = {
        metric.name: NumberColumn(np.empty(0, np.object_ if metric.kind is Kind.DECIMAL else np.int64))
        for metric in query.columns
    }
    return FactRows(empty, empty, metrics)
