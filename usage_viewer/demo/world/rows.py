"""`UsageRows`: usage at moments, as columns; hours split exactly into minutes, and any rows summed into buckets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.draw import Draw
from usage_viewer.demo.world.recipes import Columns, Ints

MINUTE = 60
_MINUTES = 60  # in an hour


@dataclass(frozen=True, slots=True)
class UsageRows:
    """n rows: `at` (epoch seconds, the beginning of an hour, a minute or a bucket), combination and metrics."""

    at: Ints
    combination: NDArray[np.int32]
    metrics: Columns

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "UsageRows":
        metrics = {name: values[which] for name, values in self.metrics.items()}
        return UsageRows(self.at[which], self.combination[which], metrics)

    def between(self, start: int, end: int) -> "UsageRows":
        return self.take((self.at >= start) & (self.at < end))


def joined(parts: Sequence[UsageRows]) -> UsageRows:
    """One after the other; at least one."""
    if len(parts) == 1:
        return parts[0]
    return UsageRows(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.combination for part in parts]),
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in parts[0].metrics},
    )


def split_hours(rows: UsageRows, lead: str, draw: Draw) -> UsageRows:
    """The rows of hours as rows of minutes, whose sums are exactly theirs. A minute without requests has no row."""
    minutes = rows.at[:, None] // MINUTE + np.arange(_MINUTES)
    weights = draw.uniform(minutes, rows.combination[:, None], 40) ** 2 + 1e-3
    grown = np.cumsum(weights, axis=1)
    requests = rows.metrics[lead][:, None]
    # What has come until the end of each minute: rounding the sums, not the parts, loses and adds nothing.
    until = (requests * (grown / grown[:, -1:])).astype(np.int64)
    until[:, -1:] = requests
    before = np.concatenate([np.zeros_like(requests), until[:, :-1]], axis=1)
    row, minute = np.nonzero(until > before)
    until, before, requests = until[row, minute], before[row, minute], requests[row, 0]
    metrics: Columns = {}
    for name, values in rows.metrics.items():
        whole = values[row]
        metrics[name] = until - before if name == lead else whole * until // requests - whole * before // requests
    split = UsageRows(rows.at[row] + minute * MINUTE, rows.combination[row], metrics)
    return split.take(np.lexsort((split.combination, split.at)))


def summed(rows: UsageRows, buckets: Ints, groups: Ints, count: int) -> UsageRows:
    """The rows of one bucket and group (below `count`) as one, in their order; `at` becomes the bucket."""
    keys = buckets * count + groups
    if len(keys) < 2 or bool(np.all(keys[1:] > keys[:-1])):
        return UsageRows(buckets, groups.astype(np.int32), rows.metrics)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    metrics = {name: np.add.reduceat(values[order], first) for name, values in rows.metrics.items()}
    return UsageRows(keys[first] // count, (keys[first] % count).astype(np.int32), metrics)
