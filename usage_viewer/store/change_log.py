"""Records figures that a later fetch of their bucket changed, for 30 days."""

from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.grain import dataset_name, stored_dataset
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.domain.verification import Bucket, Change, Changes
from usage_viewer.domain.view_parts import NOT_AVAILABLE
from usage_viewer.query.aggregate import normalize_decimal
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import combination_table, fact_table

KEPT_FOR = 30 * 86400
"""Seconds for which a change is kept."""

MAX_LISTED = 20_000
"""Only this many of the newest changes are listed; all are counted."""

_DAY = 86400
"""Seconds of a day. The changes of a growing bucket within one day are merged: it is fetched every few minutes."""


def keep_replaced(cursor: Connection, dataset: Dataset, batch: Batch) -> None:
    """Copy the facts that a batch will replace; call before it is written, in the same transaction.

    Only buckets fetched with the same dimensions are copied: others can't be compared row by row.
    """
    starts = np.unique(batch.starts)
    cursor.register("replacing", {"start": starts})
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE compared AS"
        f" SELECT start, fetched_at >= start + {batch.width.seconds} + {SETTLED_AFTER} AS settled FROM held"
        " WHERE dataset = ? AND width = ? AND grouped = ? AND start BETWEEN ? AND ?"
        " AND start IN (SELECT start FROM replacing)",
        [dataset.name, batch.width.value, ",".join(batch.grouped), int(starts[0]), int(starts[-1])],
    )
    cursor.unregister("replacing")
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE replaced AS {_cells(dataset, batch.width)}", _first_and_last(starts)
    )


def record_changes(cursor: Connection, dataset: Dataset, batch: Batch, seen_at: int) -> None:
    """Record each figure that differs from its copy; call after the write. `seen_at` is in epoch seconds."""
    names = [metric.name for metric in dataset.metrics]
    sides = ", ".join(
        f"old.{quoted(name)} AS before_{index}, new.{quoted(name)} AS after_{index}"
        for index, name in enumerate(names)
    )
    changed = " UNION ALL ".join(
        f"SELECT bucket, combination, {_literal(name)} AS metric, before_{index}::VARCHAR AS before,"
        f" after_{index}::VARCHAR AS after FROM sides WHERE before_{index} IS DISTINCT FROM after_{index}"
        for index, name in enumerate(names)
    )
    cursor.execute(
        f"INSERT INTO change WITH new AS ({_cells(dataset, batch.width)}), sides AS MATERIALIZED ("
        f"SELECT coalesce(old.bucket, new.bucket) AS bucket, coalesce(old.combination, new.combination)"
        f" AS combination, {sides} FROM replaced AS old FULL JOIN new"
        " ON old.bucket = new.bucket AND old.combination = new.combination)"
        " SELECT ?, ?, bucket, combination, metric, before, after, settled, ?"
        f" FROM ({changed}) JOIN compared ON bucket = start ORDER BY bucket, combination",
        [*_first_and_last(np.unique(batch.starts)), dataset.name, batch.width.value, seen_at],
    )
    cursor.execute("DROP TABLE replaced")
    cursor.execute("DROP TABLE compared")
    prune(cursor, seen_at)


def prune(cursor: Connection, now: int) -> None:
    """Delete changes older than 30 days, and merges those of a growing bucket on each past day into one.

    `now` is in epoch seconds.
    """
    cursor.execute("DELETE FROM change WHERE seen_at < ?", [now - KEPT_FOR])
    until = now - now % _DAY - _DAY
    steps = f"FROM change WHERE seen_at < {until} AND NOT settled"
    cell = f"dataset, width, bucket, combination, metric, seen_at // {_DAY}"
    (has_several,) = cursor.execute(f"SELECT count(*) > count(DISTINCT ({cell})) {steps}").fetchall()[0]
    if not has_several:
        return
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE whole_steps AS SELECT dataset, width, bucket, combination, metric,"
        " arg_min_null(before, seen_at) AS before, arg_max_null(after, seen_at) AS after, settled,"
        f" max(seen_at) AS seen_at {steps} GROUP BY {cell}, settled"
    )
    cursor.execute(f"DELETE {steps}")
    cursor.execute(
        "INSERT INTO change SELECT * FROM whole_steps WHERE before IS DISTINCT FROM after ORDER BY bucket"
    )
    cursor.execute("DROP TABLE whole_steps")


def read_changes(cursor: Connection, dataset: Dataset, span: Span | None, now: int) -> Changes:
    """Return the changes in buckets that overlap `span` (None: in all), newest first. `now`: epoch seconds."""
    parameters = [dataset.name, now - KEPT_FOR]
    condition = "dataset = ? AND seen_at >= ?"
    if span is not None:
        seconds = " ".join(f"WHEN '{width.value}' THEN {width.seconds}" for width in BucketWidth)
        condition += f" AND bucket < ? AND bucket + CASE width {seconds} ELSE 0 END > ?"
        parameters += [span.end, span.start]
    (count,) = cursor.execute(f"SELECT count(*) FROM change WHERE {condition}", parameters).fetchall()[0]
    if not count:
        return Changes()
    names = "[" + ", ".join(_literal(metric.name) for metric in dataset.metrics) + "]"
    base = stored_dataset(dataset_name(dataset.name))
    rows = cursor.execute(
        "SELECT bucket, width, metric, before, after, settled, seen_at,"
        f" {dimensions_sql(base, dataset)} FROM change LEFT JOIN {quoted(combination_table(dataset))} AS c"
        f" ON combination = c.id WHERE {condition}"
        f" ORDER BY seen_at DESC, bucket DESC, combination, list_position({names}, metric) LIMIT {MAX_LISTED}",
        parameters,
    ).fetchall()
    return Changes(count, tuple(_change(dataset, row) for row in rows if dataset.has_column(row[2])))


def dimensions_sql(dataset: Dataset, grain: Dataset) -> str:
    """Return SQL for a value of each dimension of `dataset` from the combination `c` of one of its grains."""
    return ", ".join(
        f"c.{quoted(item.name)}" if grain.has_dimension(item.name) else _literal(NOT_AVAILABLE)
        for item in dataset.dimensions
    )


def _change(dataset: Dataset, row: tuple[object, ...]) -> Change:
    start, width, metric, before, after, settled, seen_at, *values = row
    decimal = dataset.column(str(metric)).kind is Kind.DECIMAL
    parse: Callable[[object], Number | None] = _parse_decimal if decimal else _parse_int
    bucket = Bucket(int(str(start)), BucketWidth(str(width)))
    combination = tuple(None if value is None else str(value) for value in values)
    return Change(bucket, combination, str(metric), parse(before), parse(after), bool(settled), int(str(seen_at)))


def _parse_int(text: object) -> int | None:
    return None if text is None else int(str(text))


def _parse_decimal(text: object) -> Decimal | None:
    if text is None:
        return None
    with localcontext(EXACT):
        return normalize_decimal(Decimal(str(text)))


def _cells(dataset: Dataset, width: BucketWidth) -> str:
    """Return the SQL of the sums in the compared buckets; its parameters are those of `_first_and_last`."""
    sums = ", ".join(f"SUM({quoted(metric.name)}) AS {quoted(metric.name)}" for metric in dataset.metrics)
    return (
        f"SELECT bucket, combination, {sums} FROM {quoted(fact_table(dataset, width))}"
        " WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM compared) GROUP BY ALL"
    )


def _first_and_last(starts: NDArray[np.int64]) -> list[object]:
    return [int(starts[0]), int(starts[-1])]


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
