"""Keeps the results of comparing stored buckets with the server's totals, in the file and in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.figures import Number
from usage_viewer.domain.grain import dataset_name, is_stored_dataset
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket, Difference
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.digests import tracked

Marks = Mapping[Bucket, tuple[Difference, ...]]
"""The differences of the buckets that did not agree; an empty tuple for a bucket that grew during the check."""


@dataclass(frozen=True, slots=True)
class ComparedBuckets:
    """The compared buckets of one width: fetch time and time of the comparison (epoch seconds)."""

    fetched: HeldBuckets
    at: HeldBuckets


_NOTHING = ComparedBuckets(HeldBuckets.nothing(), HeldBuckets.nothing())


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison at `at` of the buckets at `starts` (ascending) as fetched at `fetched`.

    Times are epoch seconds, arrays `(n,)`. `marks` has those of the buckets that did not agree.
    """

    dataset: str
    width: BucketWidth
    starts: NDArray[np.int64]
    fetched: NDArray[np.int64]
    at: int
    marks: Marks

    def limited_to(self, chosen: NDArray[np.bool_]) -> "Comparison":
        """Return the comparison of the `chosen` (n,) buckets only."""
        starts = self.starts[chosen]
        kept = set(starts.tolist())
        marks = {bucket: mark for bucket, mark in self.marks.items() if bucket.start in kept}
        return Comparison(self.dataset, self.width, starts, self.fetched[chosen], self.at, marks)


class ComparisonIndex:
    """Maps each dataset and width to its compared buckets.

    Readers get records that never change. One thread at a time may write.
    """

    def __init__(self) -> None:
        self._compared: dict[tuple[str, BucketWidth], ComparedBuckets] = {}
        self._marks: dict[str, dict[Bucket, tuple[Difference, ...]]] = {}

    @classmethod
    def load(cls, cursor: Connection) -> "ComparisonIndex":
        """Read the tables. Datasets, widths and metrics that this version does not know are left out."""
        index = cls()
        widths = {width.value for width in BucketWidth}
        for dataset, name in cursor.execute("SELECT DISTINCT dataset, width FROM comparison").fetchall():
            if not is_stored_dataset(dataset) or name not in widths:
                continue
            columns = cursor.execute(
                "SELECT start, fetched_at, compared_at FROM comparison"
                " WHERE dataset = ? AND width = ? ORDER BY start",
                [dataset, name],
            ).fetchnumpy()
            index._compared[dataset, BucketWidth(name)] = ComparedBuckets(
                HeldBuckets(columns["start"], columns["fetched_at"]),
                HeldBuckets(columns["start"], columns["compared_at"]),
            )
        index._marks = _read_marks(cursor)
        return index

    def of(self, dataset: str, width: BucketWidth) -> ComparedBuckets:
        """Return the compared buckets of a dataset and width."""
        return self._compared.get((dataset, width), _NOTHING)

    def marks(self, dataset: str) -> Marks:
        """Return the buckets of a dataset that did not agree."""
        return self._marks.get(dataset, {})

    def add(self, comparison: Comparison) -> None:
        """Record a comparison in place of former ones of the same buckets."""
        dataset, width, starts = comparison.dataset, comparison.width, comparison.starts
        self.forget(dataset, width, starts)
        previous = self.of(dataset, width)
        self._compared[dataset, width] = ComparedBuckets(
            _merge(previous.fetched, starts, comparison.fetched),
            _merge(previous.at, starts, np.full_like(starts, comparison.at)),
        )
        self._marks[dataset] = {**self.marks(dataset), **comparison.marks}

    def forget(self, dataset: str, width: BucketWidth, starts: NDArray[np.int64]) -> None:
        """Remove the results of buckets that are replaced."""
        previous = self.of(dataset, width)
        kept = ~np.isin(previous.fetched.starts, starts)
        if not kept.all():
            self._compared[dataset, width] = ComparedBuckets(
                *(HeldBuckets(part.starts[kept], part.fetched[kept]) for part in (previous.fetched, previous.at))
            )
        gone = set(starts.tolist())
        marks = self.marks(dataset)
        self._marks[dataset] = {
            bucket: mark for bucket, mark in marks.items() if bucket.width is not width or bucket.start not in gone
        }


def _merge(previous: HeldBuckets, starts: NDArray[np.int64], times: NDArray[np.int64]) -> HeldBuckets:
    all_starts = np.concatenate([previous.starts, starts])
    order = np.argsort(all_starts, kind="stable")
    return HeldBuckets(all_starts[order], np.concatenate([previous.fetched, times])[order])


def write_comparison(cursor: Connection, comparison: Comparison) -> None:
    """Write a comparison in place of former ones of the same buckets, within the caller's transaction."""
    dataset, width = comparison.dataset, comparison.width.value
    delete_comparisons(cursor, dataset, comparison.width, comparison.starts)
    grown = [bucket.start for bucket, mark in comparison.marks.items() if not mark]
    columns = {"start": comparison.starts, "fetched": comparison.fetched, "grew": np.isin(comparison.starts, grown)}
    cursor.register("compared_buckets", columns)
    with tracked(cursor, "comparison", "dataset = ? AND width = ?", [dataset, width]):
        cursor.execute(
            "INSERT INTO comparison SELECT ?, ?, start, fetched, ?, grew FROM compared_buckets",
            [dataset, width, comparison.at],
        )
    cursor.unregister("compared_buckets")
    rows = [
        [
            dataset,
            width,
            item.bucket.start,
            item.metric,
            item.unit,
            _digits(item.local_value),
            _digits(item.server_value),
        ]
        for mark in comparison.marks.values()
        for item in mark
    ]
    if rows:
        with tracked(cursor, "difference"):
            cursor.executemany("INSERT INTO difference VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def delete_comparisons(cursor: Connection, dataset: str, width: BucketWidth, starts: NDArray[np.int64]) -> None:
    """Delete the results of buckets, within the caller's transaction."""
    if not len(starts):
        return
    cursor.register("replaced_buckets", {"start": starts})
    for table in ("comparison", "difference"):
        with tracked(cursor, table, "dataset = ? AND width = ?", [dataset, width.value]):
            cursor.execute(
                f"DELETE FROM {table} WHERE dataset = ? AND width = ?"
                " AND start IN (SELECT start FROM replaced_buckets)",
                [dataset, width.value],
            )
    cursor.unregister("replaced_buckets")


def _read_marks(cursor: Connection) -> dict[str, dict[Bucket, tuple[Difference, ...]]]:
    """Return the marks of all datasets: two queries, since the start waits for them."""
    widths = {width.value: width for width in BucketWidth}
    marks: dict[str, dict[Bucket, tuple[Difference, ...]]] = {}
    for dataset, name, start in cursor.execute(
        "SELECT dataset, width, start FROM comparison WHERE grew"
    ).fetchall():
        if is_stored_dataset(dataset) and name in widths:
            marks.setdefault(dataset, {})[Bucket(start, widths[name])] = ()
    kinds = {(data.name, metric.name): metric.kind for data in DATASETS.values() for metric in data.metrics}
    rows: Iterable[tuple[str, str, int, str, str | None, str, str]] = cursor.execute(
        "SELECT dataset, width, start, metric, unit, local_value, server_value FROM difference"
        " ORDER BY start, rowid"
    ).fetchall()
    for dataset, name, start, metric, unit, local_value, server_value in rows:
        kind = kinds.get((dataset_name(dataset), metric))
        if kind is None or name not in widths or not is_stored_dataset(dataset):
            continue
        bucket = Bucket(start, widths[name])
        found = Difference(bucket, metric, _number(local_value, kind), _number(server_value, kind), unit)
        of_dataset = marks.setdefault(dataset, {})
        of_dataset[bucket] = (*of_dataset.get(bucket, ()), found)
    return marks


def _digits(number: Number) -> str:
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def _number(digits: str, kind: Kind) -> Number:
    return Decimal(digits) if kind is Kind.DECIMAL else int(Decimal(digits))
