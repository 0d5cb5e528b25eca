"""Writes a batch within the caller's transaction: each of its buckets is replaced as a whole."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Kind, Metric
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.network_errors import WrongShape
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.change_log import keep_replaced, record_changes
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.digests import bucket_digests, tracked
from usage_viewer.store.engine.schema import DECIMALS, combination_table, fact_table

DECIMAL_LIMIT = Decimal(10) ** (38 - DECIMALS)
"""Decimals of this size or larger can't be stored."""


def write_batch(
    cursor: Connection,
    dataset: Dataset,
    batch: Batch,
    index: DimensionIndex,
    fetched_at: int,
    *,
    is_new: bool,
) -> bool:
    """Store the batch and what it changes, and adds its combinations to `index`.

    `is_new` says that none of its buckets is stored yet; `fetched_at` is in epoch seconds. Returns whether a bucket
    has a combination more than once. Raises WrongShape.
    """
    known = len(index)
    ids = index.add(batch.combinations)
    if len(index) > known:
        _insert_combinations(cursor, dataset, index, known)
    combination = ids[batch.combination] if len(ids) else np.empty(0, np.int32)
    order = np.lexsort((combination, batch.bucket))
    bucket, combination = batch.bucket[order], combination[order]
    repeated = (bucket[1:] == bucket[:-1]) & (combination[1:] == combination[:-1])
    starts = np.unique(batch.starts)
    cursor.register("batch_starts", {"start": starts, "repeats": np.isin(starts, bucket[1:][repeated])})
    bounds = [int(starts[0]), int(starts[-1])]
    chosen = "dataset = ? AND width = ? AND start BETWEEN ? AND ?"
    with tracked(cursor, "held", chosen, [dataset.name, batch.width.value, *bounds]):
        if not is_new:
            keep_replaced(cursor, dataset, batch)
            _delete_buckets(cursor, dataset, batch, bounds)
        if len(bucket):
            _insert_facts(cursor, dataset, batch, order, {"bucket": bucket, "combination": combination})
        _insert_buckets(cursor, dataset, batch, fetched_at, bounds)
    if not is_new:
        with tracked(cursor, "change"):
            record_changes(cursor, dataset, batch, fetched_at)
    cursor.unregister("batch_starts")
    return bool(repeated.any())


def _insert_buckets(cursor: Connection, dataset: Dataset, batch: Batch, fetched_at: int, bounds: list[int]) -> None:
    """Insert the buckets of `batch_starts` with the digests of their facts, which are written before."""
    digests = bucket_digests(cursor, fact_table(dataset, batch.width), "bucket BETWEEN ? AND ?")
    cursor.execute(
        "INSERT INTO held SELECT ?, ?, start, ?, ?, repeats, coalesce(written.rows, 0), coalesce(written.digest, 0)"
        f" FROM batch_starts LEFT JOIN ({digests}) AS written ON start = bucket ORDER BY start",
        [dataset.name, batch.width.value, fetched_at, ",".join(batch.grouped), *bounds],
    )


def _delete_buckets(cursor: Connection, dataset: Dataset, batch: Batch, bounds: list[int]) -> None:
    cursor.execute(
        f"DELETE FROM {quoted(fact_table(dataset, batch.width))}"
        " WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM batch_starts)",
        bounds,
    )
    cursor.execute(
        "DELETE FROM held WHERE dataset = ? AND width = ? AND start BETWEEN ? AND ?"
        " AND start IN (SELECT start FROM batch_starts)",
        [dataset.name, batch.width.value, *bounds],
    )


def _insert_combinations(cursor: Connection, dataset: Dataset, index: DimensionIndex, known: int) -> None:
    """Insert the combinations from the id `known` on."""
    rows = [(number, *values) for number, values in enumerate(index.combinations(known), known)]
    names = ["id", *(dimension.name for dimension in dataset.dimensions)]
    columns: dict[str, NDArray[Any]] = {}
    for position in range(len(names)):
        columns[f"c{position}"] = np.array([row[position] for row in rows], np.object_ if position else np.int32)
    cursor.register("new_combinations", columns)
    # DuckDB can't infer the type of a column of None only.
    selected = ", ".join(["c0", *(f"c{position}::VARCHAR" for position in range(1, len(names)))])
    with tracked(cursor, combination_table(dataset), "id >= ?", [known]):
        cursor.execute(
            f"INSERT INTO {quoted(combination_table(dataset))} ({', '.join(map(quoted, names))})"
            f" SELECT {selected} FROM new_combinations"
        )
    cursor.unregister("new_combinations")


def _insert_facts(
    cursor: Connection,
    dataset: Dataset,
    batch: Batch,
    order: NDArray[np.int64],
    columns: Mapping[str, NDArray[Any]],
) -> None:
    source = dict(columns)
    names = list(columns)
    selected = [quoted(name) for name in names]
    for metric in dataset.metrics:
        if metric.name in batch.metrics:
            source[metric.name] = _engine_column(batch.metrics[metric.name].take(order), metric)
            names.append(metric.name)
            kind = f"DECIMAL(38, {DECIMALS})" if metric.kind is Kind.DECIMAL else "BIGINT"
            selected.append(f"{quoted(metric.name)}::{kind}")
    if batch.extra:
        extra = np.full(len(order), None, np.object_)
        for row, text in batch.extra.items():
            extra[row] = text
        source["extra"] = extra[order]
        names.append("extra")
        selected.append("extra::VARCHAR")
    cursor.register("batch_rows", source)
    cursor.execute(
        f"INSERT INTO {quoted(fact_table(dataset, batch.width))} ({', '.join(map(quoted, names))})"
        f" SELECT {', '.join(selected)} FROM batch_rows"
    )
    cursor.unregister("batch_rows")


def _engine_column(column: NumberColumn, metric: Metric) -> NDArray[Any]:
    """Return a column that DuckDB reads exactly: masked integers, or decimals as text.

    DuckDB would convert Python's decimals to doubles.
    """
    if metric.kind is Kind.DECIMAL:
        texts = np.empty(len(column), np.object_)
        texts[:] = [None if value is None else _decimal_text(Decimal(value), metric) for value in column.listed()]
        return texts
    values = column.values.astype(np.int64, copy=False)
    if column.missing is None or not column.missing.any():
        return values
    masked: NDArray[Any] = np.ma.MaskedArray(values, column.missing)
    return masked


def _decimal_text(value: Decimal, metric: Metric) -> str:
    """Return the number with 24 decimals, rounded half to even. Raises WrongShape if it is too large."""
    if not value.is_finite() or value.copy_abs() >= DECIMAL_LIMIT:
        raise WrongShape(f"The figure is too large to be stored: {value:.6e}", path=metric.name)
    return f"{value:.{DECIMALS}f}"
