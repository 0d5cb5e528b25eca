"""Defines the results of verification: differences, broken identities, restated cells, bucket contributions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import Aggregation, Dataset, Identity, Kind, Metric
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.period import BucketWidth, Periods
from usage_viewer.domain.table import Table
from usage_viewer.domain.view_parts import Value

ROUNDING = Decimal("1e-12")
"""Relative difference at which two sums of money still count as equal: a server that adds doubles rounds there."""


class Verdict(StrEnum):
    """Lists the possible results of comparing a view's totals with the server's."""

    NOT_VERIFIED = "not verified"
    VERIFIED = "verified"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """Identifies a bucket by its start (epoch seconds) and width."""

    start: int
    width: BucketWidth

    @property
    def end(self) -> int:
        """Return the end (exclusive) in epoch seconds."""
        return self.start + self.width.seconds


@dataclass(frozen=True, slots=True)
class Difference:
    """Holds a sum of a bucket's stored rows that differs from the server's total without grouping.

    `unit` is the unit of money and quantities (such as "usd"), otherwise None.
    """

    bucket: Bucket
    metric: str
    local_value: Number
    server_value: Number
    unit: Value = None

    @property
    def excess(self) -> Decimal:
        """Return the local minus the server's value; negative if local usage is missing."""
        return EXACT.subtract(Decimal(self.local_value), Decimal(self.server_value))


@dataclass(frozen=True, slots=True)
class Completeness:
    """Tells whether a view's stored totals equal the server's totals.

    `checked_at` is the time of the oldest comparison (epoch seconds). `pending` of the view's `buckets` were not
    compared since their last fetch.
    `growing` lists the buckets that grew during the check: their stored sums lie between the server's sums before
    and after the fetch.
    """

    verdict: Verdict = Verdict.NOT_VERIFIED
    checked_at: int | None = None
    buckets: int = 0
    differences: tuple[Difference, ...] = ()
    growing: tuple[Bucket, ...] = ()
    pending: int = 0

    @property
    def differing(self) -> tuple[Bucket, ...]:
        """Return the buckets that differ, sorted, each once."""
        return tuple(sorted({difference.bucket for difference in self.differences}))


@dataclass(frozen=True, slots=True)
class BrokenIdentity:
    """Describes a row in which a metric differs from the sum of its parts, although all parts are given."""

    identity: Identity
    bucket: Bucket
    combination: Combination
    whole: int
    parts_sum: int


@dataclass(frozen=True, slots=True)
class BrokenIdentities:
    """Holds the number of broken identities, and the first of them, the newest buckets first."""

    count: int = 0
    listed: tuple[BrokenIdentity, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Describes a cell whose value a later fetch changed.

    `before` or `after` is None if the row or the figure did not exist. `settled` tells that the bucket counted as
    final; otherwise it was still open, and growth is normal. `seen_at` is the time of the fetch (epoch seconds).
    """

    bucket: Bucket
    combination: Combination
    metric: str
    before: Number | None
    after: Number | None
    settled: bool
    seen_at: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Holds the number of changes, and the newest of them."""

    count: int = 0
    listed: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """Identifies a row of a table.

    `period` is the index of its period (None: the whole range). `groups` holds each grouped dimension with its
    value.
    """

    period: int | None = None
    groups: tuple[tuple[str, Value], ...] = ()

    def limited_by(self, column: ColumnKey, periods: Periods) -> "Cell":
        """Return the part of the row that a column is about: its period or its value of a dimension, as in a pivot.

        A period that is not one of `periods` leaves the row's own.
        """
        groups = self.groups if column.where is None else (*self.groups, column.where)
        starts = periods.bounds[:-1].tolist()
        period = starts.index(column.period) if column.period in starts else self.period
        return Cell(period, groups)


@dataclass(frozen=True, slots=True)
class BucketContribution:
    """Describes a bucket's contribution to a table row: the number of stored records, and their sums.

    `fetched_at` is in epoch seconds. `open` tells that the bucket may still grow. `figures` has a sum for each
    requested metric, in their order.
    """

    bucket: Bucket
    rows: int
    fetched_at: int
    open: bool
    figures: tuple[Number | None, ...] = ()


@dataclass
class Sums:
    """Accumulates exact sums for buckets of one width: a sum for each bucket, metric and unit.

    Buckets are identified by their start in epoch seconds. `known` holds the buckets whose sums are complete,
    `busy` those among them that have rows.
    """

    figures: dict[tuple[int, str, Value], Number] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)

    def add(self, start: int, metric: str, unit: Value, figure: Number) -> None:
        """Add `figure` to the sum of a bucket (by its start), metric and unit."""
        key = (start, metric, unit)
        before = self.figures.get(key, 0)
        if isinstance(figure, int) and isinstance(before, int):
            self.figures[key] = before + figure
        else:
            self.figures[key] = EXACT.add(Decimal(before), Decimal(figure))

    def add_batch(self, dataset: Dataset, batch: Batch) -> None:
        """Add a response without grouping; such a response has few rows per bucket."""
        self.known.update(batch.starts.tolist())
        starts = batch.bucket.tolist()
        self.busy.update(starts)
        position = {dimension.name: index for index, dimension in enumerate(dataset.dimensions)}
        combinations = [batch.combinations[index] for index in batch.combination.tolist()]
        for metric in dataset.metrics:
            if metric.name not in batch.metrics:
                continue
            for start, values, figure in zip(
                starts, combinations, batch.metrics[metric.name].listed(), strict=True
            ):
                if figure is not None:
                    unit = values[position[metric.unit_from]] if metric.unit_from else None
                    self.add(start, metric.name, unit, figure)


def differences(dataset: Dataset, width: BucketWidth, local: Sums, server: Sums) -> dict[int, list[Difference]]:
    """Compare the sums of each bucket that both sides know and return the differences by bucket start.

    The list of a bucket without differences is empty. A missing sum counts as 0. A figure that the server omits
    from rows without grouping (such as a quantity without its line item) is not compared.
    """
    by_bucket: dict[int, list[Difference]] = {start: [] for start in local.known & server.known}
    metrics = {metric.name: metric for metric in dataset.metrics}
    position = {name: index for index, name in enumerate(metrics)}
    reported = {(start, metric) for start, metric, _ in server.figures}
    for key in sorted({*local.figures, *server.figures}, key=lambda key: (key[0], position[key[1]], key[2] or "")):
        start, name, unit = key
        if start not in by_bucket or (start in server.busy and (start, name) not in reported):
            continue
        local_value, server_value = local.figures.get(key, 0), server.figures.get(key, 0)
        if not _is_equal(metrics[name], local_value, server_value):
            by_bucket[start].append(Difference(Bucket(start, width), name, local_value, server_value, unit))
    return by_bucket


def _is_equal(metric: Metric, local_value: Number, server_value: Number) -> bool:
    if metric.kind is not Kind.DECIMAL:
        return local_value == server_value
    one, other = Decimal(local_value), Decimal(server_value)
    return abs(one - other) <= ROUNDING * max(abs(one), abs(other))


def has_grown(dataset: Dataset, differences: Iterable[Difference]) -> bool:
    """Report whether growth alone explains these differences of an open bucket.

    Sums can only grow; a level (an amount stored at a moment) can change in both directions.
    """
    return all(item.server_value >= item.local_value or _is_level(dataset, item.metric) for item in differences)


def is_between(dataset: Dataset, before: Sums, differences: Iterable[Difference]) -> bool:
    """Report whether each stored sum lies between the server's sums before and after the fetch.

    `before` holds the server's sums before the fetch, `differences` the comparison with its sums after the fetch.
    """
    for item in differences:
        least = before.figures.get((item.bucket.start, item.metric, item.unit), 0)
        if not _is_level(dataset, item.metric) and not least <= item.local_value <= item.server_value:
            return False
    return True


def _is_level(dataset: Dataset, metric: str) -> bool:
    return dataset.metric(metric).aggregation is Aggregation.LEVEL


def cell_of(table: Table, row: int) -> Cell:
    """Return the period and the group values of a table's row (an index into its columns)."""
    period = None if table.period is None else table.period.value(row)
    return Cell(period, tuple((group.name, group.value(row)) for group in table.groups))


def open_buckets(starts: NDArray[np.int64], width: BucketWidth, fetched: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask (n,) of the buckets that may still grow.

    `starts` (n,) and `fetched` (n,) are the buckets' starts and fetch times in epoch seconds. A bucket is open if
    it was fetched less than SETTLED_AFTER seconds after its end.
    """
    return np.asarray(starts + width.seconds + SETTLED_AFTER > fetched)
