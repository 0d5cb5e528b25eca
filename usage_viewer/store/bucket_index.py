"""Keeps in memory which whole buckets are stored and when each was fetched."""

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection


class BucketIndex:
    """Readers get what doesn't change any more; one thread at a time may write."""

    def __init__(self) -> None:
        self._held: dict[str, dict[BucketWidth, HeldBuckets]] = {}
        self._repeating: frozenset[str] = frozenset()

    @classmethod
    def load(cls, cursor: Connection) -> "BucketIndex":
        holdings = cls()
        found = cursor.execute("SELECT DISTINCT dataset, width FROM held").fetchall()
        for dataset, name in found:
            if dataset not in DATASETS or name not in {width.value for width in BucketWidth}:
                continue  # of a dataset that this version doesn't have
            width = BucketWidth(name)
            columns = cursor.execute(
                "SELECT start, fetched_at, repeats FROM held WHERE dataset = ? AND width = ? ORDER BY start",
                [dataset, name],
            ).fetchnumpy()
            holdings._set(dataset, width, HeldBuckets(columns["start"], columns["fetched_at"]))
            if columns["repeats"].any():
                holdings.expect_repeats(dataset)
        return holdings

    def of(self, dataset: str) -> dict[BucketWidth, HeldBuckets]:
        return dict(self._held.get(dataset, {}))

    def repeats(self, dataset: str) -> bool:
        """Whether a bucket may hold a combination more than once."""
        return dataset in self._repeating

    def expect_repeats(self, dataset: str) -> None:
        """Told before what repeats can be read: it costs a reader time to be wrong about it, not exactness."""
        self._repeating = self._repeating | {dataset}

    def add(self, dataset: str, width: BucketWidth, starts: NDArray[np.int64], fetched_at: int) -> None:
        """`starts` were replaced, all fetched at the same time."""
        starts = np.unique(starts)
        old = self._held.get(dataset, {}).get(width, HeldBuckets.nothing())
        kept = ~np.isin(old.starts, starts, assume_unique=True)
        every = np.concatenate([old.starts[kept], starts])
        fetched = np.concatenate([old.fetched[kept], np.full(len(starts), fetched_at, np.int64)])
        order = np.argsort(every, kind="stable")
        self._set(dataset, width, HeldBuckets(every[order], fetched[order]))

    def _set(self, dataset: str, width: BucketWidth, held: HeldBuckets) -> None:
        self._held[dataset] = {**self._held.get(dataset, {}), width: held}
