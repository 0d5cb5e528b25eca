"""What speaks for figures, as plain data: sums compared, identities broken, cells restated, origins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import Aggregation, Dataset, Identity, Kind, Metric
from usage_viewer.domain.coverage import SETTLED_AFTER, Coverage, HeldBuckets
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import Value

ROUNDING = Decimal("1e-12")
"""Share of a sum of money by which two of them may differ: a server that adds up doubles rounds in that place."""

_EXACT = Context(prec=200)
"""Sums of decimals aren't rounded."""


class Verdict(StrEnum):
    NOT_ASKED = "not asked"
    PROVEN = "proven"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    start: int  # epoch seconds
    width: BucketWidth

    @property
    def end(self) -> int:
        return self.start + self.width.seconds


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum of a bucket's rows that isn't what the server tells without any grouping."""

    bucket: Bucket
    metric: str
    held: Number
    told: Number
    unit: Value = None  # of money and quantities: what they are counted in

    @property
    def excess(self) -> Decimal:
        """By how much more is held than told; negative where something is missing."""
        return _EXACT.subtract(Decimal(self.held), Decimal(self.told))


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether what is held of a view is all there is.

    `growing` are buckets that grew while they were looked at: what is held of each lies between what was told
    before and after. `checked_at` is when the oldest of the proofs was made (epoch seconds).
    """

    verdict: Verdict = Verdict.NOT_ASKED
    checked_at: int | None = None
    buckets: int = 0
    differences: tuple[Difference, ...] = ()
    growing: tuple[Bucket, ...] = ()

    @property
    def differing(self) -> tuple[Bucket, ...]:
        """The buckets that differ, each once, in their order."""
        return tuple(sorted({difference.bucket for difference in self.differences}))


@dataclass(frozen=True, slots=True)
class BrokenIdentity:
    """A row in which the whole isn't the sum of its parts, though all are given."""

    identity: Identity
    bucket: Bucket
    combination: Combination
    whole: int
    parts_sum: int


@dataclass(frozen=True, slots=True)
class BrokenIdentities:
    """How many there are, and the first of them, the newest buckets first."""

    count: int = 0
    listed: tuple[BrokenIdentity, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that a later fetch told otherwise. None: there was no such row or figure.

    `settled`: the bucket had been taken as final; else it was still open, and growing is what it does.
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
    """How many there are, and the newest of them."""

    count: int = 0
    listed: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of a table: the place of its period (None: the whole range) and the values of its groups."""

    period: int | None = None
    groups: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class BucketContribution:
    """What a bucket adds to a row: how many stored rows, and their sums. `open`: the bucket may still grow."""

    bucket: Bucket
    rows: int
    fetched_at: int
    open: bool
    figures: tuple[Number | None, ...] = ()  # as many as metrics were asked for


@dataclass
class Sums:
    """The exact sums of some buckets of one width, for each metric in each of its units.

    `known` are the buckets that were looked at, `busy` those of them that have rows.
    """

    figures: dict[tuple[int, str, Value], Number] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)

    def add(self, start: int, metric: str, unit: Value, figure: Number) -> None:
        key = (start, metric, unit)
        before = self.figures.get(key, 0)
        if isinstance(figure, int) and isinstance(before, int):
            self.figures[key] = before + figure
        else:
            self.figures[key] = _EXACT.add(Decimal(before), Decimal(figure))

    def add_batch(self, dataset: Dataset, batch: Batch) -> None:
        """An answer without grouping: few rows a bucket."""
        self.known.update(batch.starts.tolist())
        starts = batch.bucket.tolist()
        self.busy.update(starts)
        place = {dimension.name: index for index, dimension in enumerate(dataset.dimensions)}
        combinations = [batch.combinations[index] for index in batch.combination.tolist()]
        for metric in dataset.metrics:
            if metric.name not in batch.metrics:
                continue
            for start, values, figure in zip(
                starts, combinations, batch.metrics[metric.name].listed(), strict=True
            ):
                if figure is not None:
                    unit = values[place[metric.unit_from]] if metric.unit_from else None
                    self.add(start, metric.name, unit, figure)


def differences(dataset: Dataset, width: BucketWidth, held: Sums, told: Sums) -> dict[int, list[Difference]]:
    """For each bucket that both know: where they differ; an empty list where they agree.

    A figure that the server leaves out of a row without grouping (a quantity without its line item) can't be
    compared. What isn't there counts as 0.
    """
    found: dict[int, list[Difference]] = {start: [] for start in held.known & told.known}
    metrics = {metric.name: metric for metric in dataset.metrics}
    place = {name: index for index, name in enumerate(metrics)}
    told_of = {(start, metric) for start, metric, _ in told.figures}
    for key in sorted({*held.figures, *told.figures}, key=lambda key: (key[0], place[key[1]], key[2] or "")):
        start, name, unit = key
        if start not in found or (start in told.busy and (start, name) not in told_of):
            continue
        here, there = held.figures.get(key, 0), told.figures.get(key, 0)
        if not _equal(metrics[name], here, there):
            found[start].append(Difference(Bucket(start, width), name, here, there, unit))
    return found


def _equal(metric: Metric, held: Number, told: Number) -> bool:
    if metric.kind is not Kind.DECIMAL:
        return held == told
    one, other = Decimal(held), Decimal(told)
    return abs(one - other) <= ROUNDING * max(abs(one), abs(other))


def has_grown(dataset: Dataset, found: Iterable[Difference]) -> bool:
    """Whether these differences of an open bucket are what time alone can bring: sums grow, levels go anywhere."""
    return all(item.told >= item.held or _is_level(dataset, item.metric) for item in found)


def is_between(dataset: Dataset, before: Sums, found: Iterable[Difference]) -> bool:
    """Whether what is held lies between what was told before it was fetched and what was told after."""
    for item in found:
        least = before.figures.get((item.bucket.start, item.metric, item.unit), 0)
        if not _is_level(dataset, item.metric) and not least <= item.held <= item.told:
            return False
    return True


def _is_level(dataset: Dataset, metric: str) -> bool:
    return dataset.metric(metric).aggregation is Aggregation.LEVEL


def cell_of(table: Table, row: int) -> Cell:
    """What a table's row (an index into its columns) is about."""
    period = None if table.period is None else table.period.value(row)
    return Cell(period, tuple((group.name, group.value(row)) for group in table.groups))


def open_buckets(starts: NDArray[np.int64], width: BucketWidth, fetched: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the buckets, fetched at those times, may still grow."""
    return np.asarray(starts + width.seconds + SETTLED_AFTER > fetched)


def open_periods(coverage: Coverage, held: Mapping[BucketWidth, HeldBuckets]) -> NDArray[np.bool_]:
    """For each period: whether usage may still be added to what is held of it."""
    flags = np.zeros(len(coverage.periods), np.bool_)
    for segment in coverage.read:
        if segment.width not in held:
            continue
        starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
        fetched = held[segment.width].find(starts)
        still = starts[(fetched >= 0) & open_buckets(starts, segment.width, fetched)]
        flags[np.searchsorted(coverage.periods.bounds, still, side="right") - 1] = True
    return flags
