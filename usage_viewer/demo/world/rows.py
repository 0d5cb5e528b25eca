"""Rows of usage as columns; splits hours into minutes, and sums rows into buckets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.draw import RandomStream
from usage_viewer.demo.world.recipes import IntArray, MetricArrays

MINUTE = 60
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class UsageRows:
    """n rows, arrays of shape (n,).

    `at` is the start of an hour or minute (epoch seconds), or the number of a bucket. `combination` is the index of
    the combination of dimension values.
    """

    at: IntArray
    combination: NDArray[np.int32]
    metrics: MetricArrays

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "UsageRows":
        """Return the rows that a mask, an index array or a slice selects."""
        metrics = {name: values[which] for name, values in self.metrics.items()}
        return UsageRows(self.at[which], self.combination[which], metrics)

    def between(self, start: int, end: int) -> "UsageRows":
        """Return the rows with `start` <= `at` < `end`."""
        return self.take((self.at >= start) & (self.at < end))


def concat_rows(parts: Sequence[UsageRows]) -> UsageRows:
    """Concatenate one or more parts."""
    if len(parts) == 1:
        return parts[0]
    return UsageRows(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.combination for part in parts]),
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics},
    )


def split_hours(rows: UsageRows, request_metric: str, stream: RandomStream) -> UsageRows:
    """Split rows of hours into rows of minutes, whose sums are exactly those of the hours.

    `request_metric` is the metric that counts requests; a minute without requests has no row.
    """
    minutes = rows.at[:, None] // MINUTE + np.arange(_MINUTES_PER_HOUR)
    weights = stream.uniform(minutes, rows.combination[:, None], 40) ** 2 + 1e-3
    cumulated = np.cumsum(weights, axis=1)
    requests = rows.metrics[request_metric][:, None]
    # Requests until the end of each minute. Rounding these sums, not the minutes, keeps the total exact.
    until = (requests * (cumulated / cumulated[:, -1:])).astype(np.int64)
    until[:, -1:] = requests
    before = np.concatenate([np.zeros_like(requests), until[:, :-1]], axis=1)
    row, minute = np.nonzero(until > before)
    until, before, requests = until[row, minute], before[row, minute], requests[row, 0]
    metrics: MetricArrays = {}
    for name, values in rows.metrics.items():
        whole = values[row]
        metrics[name] = (
            until - before if name == request_metric else whole * until // requests - whole * before // requests
        )
    split = UsageRows(rows.at[row] + minute * MINUTE, rows.combination[row], metrics)
    return split.take(np.lexsort((split.combination, split.at)))


def sum_rows(rows: UsageRows, buckets: IntArray, groups: IntArray, count: int) -> UsageRows:
    """Sum the rows of each bucket and group (0 to `count` - 1), ordered by bucket and group.

    `buckets` and `groups` have shape (rows,). In the result `at` is the bucket and `combination` the group.
    """
    keys = buckets * count + groups
    if len(keys) < 2 or bool(np.all(keys[1:] > keys[:-1])):
        return UsageRows(buckets, groups.astype(np.int32), rows.metrics)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    metrics = {name: np.add.reduceat(values[order], first) for name, values in rows.metrics.items()}
    return UsageRows(keys[first] // count, (keys[first] % count).astype(np.int32), metrics)
