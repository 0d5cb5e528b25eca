"""Keeps in memory which whole buckets are stored and when each was fetched."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import DATASETS, Dataset
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection


class BucketIndex:
    """Maps each dataset and width to its stored buckets.

    Readers get records that never change. One thread at a time may write.
    """

    def __init__(self) -> None:
        self._stored: dict[str, dict[BucketWidth, HeldBuckets]] = {}
        self._repeating: frozenset[str] = frozenset()

    @classmethod
    def load(cls, cursor: Connection) -> "BucketIndex":
        """Read the table `held`. Datasets and widths that this version does not know are left out."""
        index = cls()
        rows = cursor.execute("SELECT DISTINCT dataset, width FROM held").fetchall()
        for dataset, name in rows:
            if dataset not in DATASETS or name not in {width.value for width in BucketWidth}:
                continue
            width = BucketWidth(name)
            columns = cursor.execute(
                "SELECT start, fetched_at, repeats FROM held WHERE dataset = ? AND width = ? ORDER BY start",
                [dataset, name],
            ).fetchnumpy()
            index._set(dataset, width, HeldBuckets(columns["start"], columns["fetched_at"]))
            if columns["repeats"].any():
                index.expect_repeats(dataset)
        return index

    def of(self, dataset: str) -> dict[BucketWidth, HeldBuckets]:
        """Return the stored buckets of a dataset by width."""
        return dict(self._stored.get(dataset, {}))

    def stored(self) -> Iterator[tuple[Dataset, BucketWidth]]:
        """Yield each dataset and width of which buckets are stored."""
        for dataset, widths in self._stored.items():
            for width in widths:
                yield DATASETS[dataset], width

    def repeats(self, dataset: str) -> bool:
        """Report whether a bucket may have a combination more than once."""
        return dataset in self._repeating

    def expect_repeats(self, dataset: str) -> None:
        """Mark a dataset whose buckets may have a combination more than once.

        Call before the rows become readable. A false positive only makes reads slower.
        """
        self._repeating = self._repeating | {dataset}

    def add(self, dataset: str, width: BucketWidth, starts: NDArray[np.int64], fetched_at: int) -> None:
        """Record buckets that were stored or replaced: starts and time of the fetch, in epoch seconds."""
        starts = np.unique(starts)
        old = self._stored.get(dataset, {}).get(width, HeldBuckets.nothing())
        kept = ~np.isin(old.starts, starts, assume_unique=True)
        every_start = np.concatenate([old.starts[kept], starts])
        fetched = np.concatenate([old.fetched[kept], np.full(len(starts), fetched_at, np.int64)])
        order = np.argsort(every_start, kind="stable")
        self._set(dataset, width, HeldBuckets(every_start[order], fetched[order]))

    def newest_fetch(self) -> int:
        """Return the latest time at which any bucket was fetched, in epoch seconds; 0 if none is stored."""
        every = (held.fetched for widths in self._stored.values() for held in widths.values())
        return max((int(fetched.max(initial=0)) for fetched in every), default=0)

    def _set(self, dataset: str, width: BucketWidth, buckets: HeldBuckets) -> None:
        self._stored[dataset] = {**self._stored.get(dataset, {}), width: buckets}
