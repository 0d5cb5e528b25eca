"""Writing a batch: its buckets are replaced whole, within the caller's transaction."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Kind, Metric
from usage_viewer.domain.errors import WrongShape
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.change_log import keep_replaced, record_changes
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.schema import DECIMALS, combination_table, fact_table, quoted

LARGEST_DECIMAL = Decimal(10) ** (38 - DECIMALS)


def write(
    cursor: Connection,
    dataset: Dataset,
    batch: Batch,
    combinations: DimensionIndex,
    fetched_at: int,
    *,
    fresh: bool,
) -> bool:
    """Stores the batch, what it changes, and adds to `combinations`; `fresh`: none of its buckets is held.

    Returns whether a bucket holds a combination more than once.
    """
    known = len(combinations)
    ids = combinations.add(batch.combinations)
    if len(combinations) > known:
        _insert_combinations(cursor, dataset, combinations, known)
    combination = ids[batch.combination] if len(ids) else np.empty(0, np.int32)
    order = np.lexsort((combination, batch.bucket))
    bucket, combination = batch.bucket[order], combination[order]
    twice = (bucket[1:] == bucket[:-1]) & (combination[1:] == combination[:-1])
    starts = np.unique(batch.starts)
    cursor.register("batch_starts", {"start": starts, "repeats": np.isin(starts, bucket[1:][twice])})
    if not fresh:
        keep_replaced(cursor, dataset, batch)
        _delete(cursor, dataset, batch, starts)
    cursor.execute(
        "INSERT INTO held SELECT ?, ?, start, ?, ?, repeats FROM batch_starts ORDER BY start",
        [dataset.name, batch.width.value, fetched_at, ",".join(batch.grouped)],
    )
    if len(bucket):
        _insert_facts(cursor, dataset, batch, order, {"bucket": bucket, "combination": combination})
    if not fresh:
        record_changes(cursor, dataset, batch, fetched_at)
    cursor.unregister("batch_starts")
    return bool(twice.any())


def _delete(cursor: Connection, dataset: Dataset, batch: Batch, starts: NDArray[np.int64]) -> None:
    within = [int(starts[0]), int(starts[-1])]
    cursor.execute(
        f"DELETE FROM {quoted(fact_table(dataset, batch.width))}"
        " WHERE bucket BETWEEN ? AND ? AND bucket IN (SELECT start FROM batch_starts)",
        within,
    )
    cursor.execute(
        "DELETE FROM held WHERE dataset = ? AND width = ? AND start BETWEEN ? AND ?"
        " AND start IN (SELECT start FROM batch_starts)",
        [dataset.name, batch.width.value, *within],
    )


def _insert_combinations(cursor: Connection, dataset: Dataset, combinations: DimensionIndex, known: int) -> None:
    rows = combinations.since(known)
    names = ["id", *(dimension.name for dimension in dataset.dimensions)]
    columns: dict[str, NDArray[Any]] = {}
    for index in range(len(names)):
        columns[f"c{index}"] = np.array([row[index] for row in rows], np.object_ if index else np.int32)
    cursor.register("new_combinations", columns)
    # A column that holds nothing but None has no type of its own.
    selected = ", ".join(["c0", *(f"c{index}::VARCHAR" for index in range(1, len(names)))])
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
            column = _column(batch.metrics[metric.name].take(order), metric)
            source[metric.name] = column
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


def _column(figures: NumberColumn, metric: Metric) -> NDArray[Any]:
    """As the engine takes it: masked integers, or decimals as text, for its own way from Python is a double."""
    if metric.kind is Kind.DECIMAL:
        texts = np.empty(len(figures), np.object_)
        texts[:] = [None if value is None else _text(Decimal(value), metric) for value in figures.listed()]
        return texts
    values = figures.values.astype(np.int64, copy=False)
    if figures.missing is None or not figures.missing.any():
        return values
    masked: NDArray[Any] = np.ma.MaskedArray(values, figures.missing)
    return masked


def _text(value: Decimal, metric: Metric) -> str:
    """Digits after the 24th are rounded off, half to even."""
    if not value.is_finite() or value.copy_abs() >= LARGEST_DECIMAL:
        raise WrongShape(f"The figure is too large to be kept: {value:.6e}", path=metric.name)
    return f"{value:.{DECIMALS}f}"
