"""`SyntheticOrganization`: the synthetic organization's usage, for any dataset, window and bucket width."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.bill import PLACES, Bill
from usage_viewer.demo.world.combinations import make_combinations
from usage_viewer.demo.world.directory import Directory, make_directory
from usage_viewer.demo.world.hours import Hours, Levels
from usage_viewer.demo.world.recipes import Ints, missing_before, with_wholes
from usage_viewer.demo.world.rhythm import DAY, Events
from usage_viewer.demo.world.rows import MINUTE, UsageRows, summed
from usage_viewer.domain.batch import Batch, Combination
from usage_viewer.domain.catalog import Aggregation, Dataset, Kind, Metric, dataset_named
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth

# (combinations, of which are active in an average hour), of completions and of each other dataset
_SCALES = {"small": ((120, 15.0), (40, 5.0)), "large": ((1000, 115.0), (160, 18.0))}


@dataclass(frozen=True)
class Usage:
    """The finest rows of one dataset in buckets: `rows.at` is the bucket's number in `starts`.

    Decimal metrics are whole numbers of 10^-`PLACES` of theirs. A first or last bucket is cut where the window is.
    """

    dataset: Dataset
    starts: Ints  # epoch seconds
    ends: Ints
    rows: UsageRows
    combinations: Sequence[Combination]

    def missing(self, metric: str) -> NDArray[np.bool_]:
        """For each row: whether the metric is not given."""
        gone: NDArray[np.bool_] = self.starts[self.rows.at] < missing_before(self.dataset).get(metric, 0)
        if metric == "quantity":
            gone |= np.array([values[-1] is None for values in self.combinations])[self.rows.combination]
        return gone


class SyntheticOrganization:
    """A function of `seed`, `scale` ("small" or "large") and `anchor` (epoch seconds, today if not given).

    There is usage from `days` before the anchor's day until whatever moment is asked about. Safe to call from
    several threads.
    """

    def __init__(self, *, seed: int = 1, scale: str = "small", days: int = 400, anchor: int | None = None) -> None:
        self.seed = seed
        self.scale = scale
        self.anchor = int(time.time() if anchor is None else anchor) // DAY * DAY
        self.first = self.anchor - days * DAY
        self.events = Events(self.anchor)
        self.directory: Directory = make_directory(seed)
        self._sources: dict[str, Hours | Levels | Bill] = {}
        self._lock = RLock()

    def combinations(self, dataset: str) -> Sequence[Combination]:
        """All combinations of dimensions that can occur: a row's `combination` is a place in it."""
        source = self._source(dataset)
        return source.values if isinstance(source, Bill) else source.combinations.values

    def usage(self, dataset: str, start: int, end: int, width: BucketWidth, now: int) -> Usage:
        """The finest rows between two moments (epoch seconds), of what has happened until `now`."""
        about = dataset_named(dataset)
        starts, ends = bucket_edges(start, end, width, now)
        # The minute is the finest grain: usage stands at its beginning and is known when it is over.
        low = max(start + -start % MINUTE, self.first)
        high = max(min(end + -end % MINUTE, now - now % MINUTE), low)
        source = self._source(dataset)
        if isinstance(source, Levels):
            last = np.minimum(ends, high) - MINUTE
            known = np.flatnonzero(last >= np.maximum(starts, low))
            rows = source.at(known, last[known])
        else:
            fine = source.minutes if isinstance(source, Hours) and width is BucketWidth.MINUTE else source.window
            found = fine(low, high)
            bucket = found.at // width.seconds - start // width.seconds
            rows = summed(found, bucket, found.combination.astype(np.int64), len(self.combinations(dataset)))
        rows = UsageRows(rows.at, rows.combination, with_wholes(about, rows.metrics))
        return Usage(about, starts, ends, rows, self.combinations(dataset))

    def columns(self, dataset: str, start: int, end: int, width: BucketWidth, now: int) -> Batch:
        """The same as what a client decodes from the answers grouped by all dimensions."""
        usage = self.usage(dataset, start, end, width, now)
        return Batch(
            dataset,
            width,
            usage.starts,
            usage.dataset.group_by,
            list(usage.combinations),
            usage.starts[usage.rows.at],
            usage.rows.combination,
            {metric.name: _figures(usage, metric) for metric in usage.dataset.metrics},
        )

    def rows(self, dataset: str, start: int, end: int, width: BucketWidth, now: int) -> Iterator[dict[str, Any]]:
        """One dict for each finest row: `bucket` (its start), each dimension (booleans as such), each metric (None
        where it is not given, Decimal where it is one).
        """
        batch = self.columns(dataset, start, end, width, now)
        about = dataset_named(dataset)
        named = [
            {
                item.name: value == "true" if item.boolean and value is not None else value
                for item, value in zip(about.dimensions, values, strict=True)
            }
            for values in batch.combinations
        ]
        columns = [figures.listed() for figures in batch.metrics.values()]
        for number, (bucket, combination) in enumerate(
            zip(batch.bucket.tolist(), batch.combination.tolist(), strict=True)
        ):
            metrics = {name: column[number] for name, column in zip(batch.metrics, columns, strict=True)}
            yield {"bucket": bucket, **named[combination], **metrics}

    def _source(self, dataset: str) -> Hours | Levels | Bill:
        with self._lock:
            if dataset not in self._sources:
                self._sources[dataset] = self._make(dataset_named(dataset))
            return self._sources[dataset]

    def _make(self, dataset: Dataset) -> Hours | Levels | Bill:
        if dataset.name == "costs":
            completions = self._source("completions")
            assert isinstance(completions, Hours)
            return Bill(completions)
        wanted, active = _SCALES[self.scale][dataset.name != "completions"]
        combinations = make_combinations(dataset, self.directory, self.seed, wanted, active)
        if dataset.metrics[0].aggregation is Aggregation.LEVEL:
            return Levels(combinations, self.seed)
        return Hours(combinations, self.seed, self.events)


def bucket_edges(start: int, end: int, width: BucketWidth, now: int) -> tuple[Ints, Ints]:
    """Starts and ends of the buckets between two moments that have begun at `now`; the outer ones are cut there."""
    stop = min(end, now + 1) if start <= now else start - width.seconds
    starts = np.arange(width.floor(start), stop, width.seconds, dtype=np.int64)
    return np.maximum(starts, start), np.minimum(starts + width.seconds, end)


def _figures(usage: Usage, metric: Metric) -> NumberColumn:
    values = usage.rows.metrics[metric.name]
    missing = usage.missing(metric.name)
    if metric.kind is Kind.DECIMAL:
        exact = np.empty(len(values), object)
        exact[:] = [Decimal(value).scaleb(-PLACES[metric.name]) for value in values.tolist()]
        return NumberColumn(exact, missing if missing.any() else None)
    return NumberColumn(values, missing if missing.any() else None)
