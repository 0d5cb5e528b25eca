"""What changed: cells of buckets that were fetched again and told otherwise, kept for 30 days."""

from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.domain.verification import Bucket, Change, Changes
from usage_viewer.query.aggregate import EXACT, plain
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.schema import combination_table, fact_table, quoted

KEPT_FOR = 30 * 86400
"""Seconds for which changes are kept."""

MOST_LISTED = 20_000
"""The newest are listed; all are counted."""

_DAY = 86400
"""Seconds from which on the steps of one day's growth are kept as one: a bucket that grows is fetched every few
minutes."""


def keep_replaced(cursor: Connection, dataset: Dataset, batch: Batch) -> None:
    """Before a batch is written: puts what it will replace aside, within the same transaction.

    Only buckets that were asked for with the same dimensions can be compared row by row.
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
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE replaced AS {_cells(dataset, batch.width)}", _within(starts))


def record_changes(cursor: Connection, dataset: Dataset, batch: Batch, seen_at: int) -> None:
    """After the batch was written: keeps each cell that is another one now."""
    names = [metric.name for metric in dataset.metrics]
    sides = ", ".join(
        f"old.{quoted(name)} AS before_{index}, new.{quoted(name)} AS after_{index}"
        for index, name in enumerate(names)
    )
    changed = " UNION ALL ".join(
        f"SELECT bucket, combination, {_text(name)} AS metric, before_{index}::VARCHAR AS before,"
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
        [*_within(np.unique(batch.starts)), dataset.name, batch.width.value, seen_at],
    )
    cursor.execute("DROP TABLE replaced")
    cursor.execute("DROP TABLE compared")
    prune(cursor, seen_at)


def prune(cursor: Connection, now: int) -> None:
    """Drops what was seen over 30 days ago; of each cell's growth on a day that is over, keeps the whole step."""
    cursor.execute("DELETE FROM change WHERE seen_at < ?", [now - KEPT_FOR])
    until = now - now % _DAY - _DAY
    steps = f"FROM change WHERE seen_at < {until} AND NOT settled"
    cell = f"dataset, width, bucket, combination, metric, seen_at // {_DAY}"
    (many,) = cursor.execute(f"SELECT count(*) > count(DISTINCT ({cell})) {steps}").fetchall()[0]
    if not many:
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
    """The changes in buckets that lie in `span` (None: anywhere), the newest first."""
    asked = [dataset.name, now - KEPT_FOR]
    condition = "dataset = ? AND seen_at >= ?"
    if span is not None:
        seconds = " ".join(f"WHEN '{width.value}' THEN {width.seconds}" for width in BucketWidth)
        condition += f" AND bucket < ? AND bucket + CASE width {seconds} ELSE 0 END > ?"
        asked += [span.end, span.start]
    (count,) = cursor.execute(f"SELECT count(*) FROM change WHERE {condition}", asked).fetchall()[0]
    if not count:
        return Changes()
    names = "[" + ", ".join(_text(metric.name) for metric in dataset.metrics) + "]"
    dimensions = [f"c.{quoted(dimension.name)}" for dimension in dataset.dimensions]
    rows = cursor.execute(
        "SELECT bucket, width, metric, before, after, settled, seen_at,"
        f" {', '.join(dimensions)} FROM change LEFT JOIN {quoted(combination_table(dataset))} AS c"
        f" ON combination = c.id WHERE {condition}"
        f" ORDER BY seen_at DESC, bucket DESC, combination, list_position({names}, metric) LIMIT {MOST_LISTED}",
        asked,
    ).fetchall()
    return Changes(count, tuple(_change(dataset, row) for row in rows if dataset.has_column(row[2])))


def _change(dataset: Dataset, row: tuple[object, ...]) -> Change:
    start, width, metric, before, after, settled, seen_at, *values = row
    decimal = dataset.column(str(metric)).kind is Kind.DECIMAL
    read: Callable[[object], Number | None] = _decimal if decimal else _whole
    bucket = Bucket(int(str(start)), BucketWidth(str(width)))
    combination = tuple(None if value is None else str(value) for value in values)
    return Change(bucket, combination, str(metric), read(before), read(after), bool(settled), int(str(seen_at)))


def _whole(text: object) -> int | None:
    return None if text is None else int(str(text))


def _decimal(text: object) -> Decimal | None:
    if text is None:
        return None
    with localcontext(EXACT):
        return plain(Decimal(str(text)))


def _cells(dataset: Dataset, width: BucketWidth) -> str:
    """Of the compared buckets between two moments: each combination's sums."""
    sums = ", ".join(f"SUM({quoted(metric.name)}) AS {quoted(metric.name)}" for metric in dataset.metrics)
    return (
        f"SELECT bucket, combination, {sums} FROM {quoted(fact_table(dataset, width))}"
        " WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM compared) GROUP BY ALL"
    )


def _within(starts: NDArray[np.int64]) -> list[object]:
    return [int(starts[0]), int(starts[-1])]


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
