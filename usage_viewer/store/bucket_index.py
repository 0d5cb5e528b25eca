"""Keeps in memory which whole buckets are stored, in which grain, and when each was fetched."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.domain.grain import GrainBuckets, dataset_name, is_stored_dataset, stored_dataset
from usage_viewer.domain.grants import Grain
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.fact_query import FactCounts


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Stored buckets, and of each the number of its grain and how many facts it has, (n,)."""

    held: HeldBuckets
    grains: NDArray[np.int32]
    facts: NDArray[np.int64]


_NO_BUCKETS = _Buckets(HeldBuckets.nothing(), np.empty(0, np.int32), np.empty(0, np.int64))


class BucketIndex:
    """Maps each stored dataset and width to its buckets; a further grain is a stored dataset of its own.

    Readers get records that never change. One thread at a time may write.
    """

    def __init__(self) -> None:
        self._stored: dict[str, dict[BucketWidth, _Buckets]] = {}
        self._repeating: frozenset[str] = frozenset()
        self._grains: list[Grain] = []  # every grain of any bucket, by number
        self._by_grain: dict[str, tuple[GrainBuckets, ...]] = {}  # the result of `grains` since the last change

    @classmethod
    def load(cls, cursor: Connection) -> "BucketIndex":
        """Read the table `held`. Datasets and widths that this version does not know are left out."""
        index = cls()
        rows = cursor.execute("SELECT DISTINCT dataset, width FROM held").fetchall()
        for stored_as, name in rows:
            if not is_stored_dataset(stored_as) or name not in {width.value for width in BucketWidth}:
                continue
            width = BucketWidth(name)
            columns = cursor.execute(
                'SELECT start, fetched_at, repeats, grouped, "rows" FROM held'
                " WHERE dataset = ? AND width = ? ORDER BY start",
                [stored_as, name],
            ).fetchnumpy()
            groupings, codes = np.unique(columns["grouped"].astype(str), return_inverse=True)
            numbers = np.array([index._number(_grain(text)) for text in groupings.tolist()], np.int32)
            held = HeldBuckets(columns["start"], columns["fetched_at"])
            index._set(stored_as, width, _Buckets(held, numbers[codes], columns["rows"]))
            if columns["repeats"].any():
                index.expect_repeats(stored_as)
        return index

    def of(self, stored_as: str) -> dict[BucketWidth, HeldBuckets]:
        """Return the stored buckets of a dataset in its finest grain, or in a further one, by width."""
        return {width: buckets.held for width, buckets in self._stored.get(stored_as, {}).items()}

    def grains(self, dataset: str) -> tuple[GrainBuckets, ...]:
        """Return the stored buckets of a dataset by grain: the finest ones first, then the further ones."""
        known = self._by_grain.get(dataset)
        if known is None:
            names = [name for name in list(self._stored) if dataset_name(name) == dataset]
            known = tuple(part for name in sorted(names, key=len) for part in self._split(name))
            self._by_grain[dataset] = known
        return known

    def fact_counts(self, stored_as: str) -> dict[BucketWidth, FactCounts]:
        """Return how many facts each stored bucket of a dataset or further grain has, by width."""
        widths = self._stored.get(stored_as, {})
        return {width: FactCounts(buckets.held.starts, buckets.facts) for width, buckets in widths.items()}

    def check(self, cursor: Connection) -> None:
        """Compare the index with the table, which is read without conditions. Raises StoreDamaged.

        A condition skips rows where the table's statistics are damaged.
        """
        rows = cursor.execute(
            'SELECT dataset, width, count(*), sum(start), sum(fetched_at), sum("rows") FROM held GROUP BY ALL'
        ).fetchall()
        for stored_as, width, *sums in rows:
            if is_stored_dataset(stored_as) and width in {item.value for item in BucketWidth}:
                known = self._stored.get(stored_as, {}).get(BucketWidth(width), _NO_BUCKETS)
                columns = (known.held.starts, known.held.fetched, known.facts)
                if sums != [len(known.facts), *(int(column.sum()) for column in columns)]:
                    raise StoreDamaged("The buckets that were read are not those in the table held.")

    def names(self) -> tuple[str, ...]:
        """Return the names of the stored datasets and further grains."""
        return tuple(self._stored)

    def stored(self) -> Iterator[tuple[Dataset, BucketWidth]]:
        """Yield each dataset or further grain and each width of which buckets are stored."""
        for stored_as, widths in self._stored.items():
            for width in widths:
                yield stored_dataset(stored_as), width

    def repeats(self, stored_as: str) -> bool:
        """Report whether a bucket may have a combination more than once."""
        return stored_as in self._repeating

    def expect_repeats(self, stored_as: str) -> None:
        """Mark a dataset whose buckets may have a combination more than once.

        Call before the rows become readable. A false positive only makes reads slower.
        """
        self._repeating = self._repeating | {stored_as}

    def add(self, batch: Batch, fetched_at: int) -> None:
        """Record the buckets of a batch that was stored; `fetched_at` is in epoch seconds."""
        stored_as, width, starts = batch.dataset, batch.width, np.unique(batch.starts)
        old = self._stored.get(stored_as, {}).get(width, _NO_BUCKETS)
        kept = ~np.isin(old.held.starts, starts, assume_unique=True)
        every_start = np.concatenate([old.held.starts[kept], starts])
        fetched = np.concatenate([old.held.fetched[kept], np.full(len(starts), fetched_at, np.int64)])
        numbers = np.concatenate([old.grains[kept], np.full(len(starts), self._number(batch.grouped), np.int32)])
        written = np.bincount(np.searchsorted(starts, batch.bucket), minlength=len(starts))
        facts = np.concatenate([old.facts[kept], written.astype(np.int64)])
        order = np.argsort(every_start, kind="stable")
        held = HeldBuckets(every_start[order], fetched[order])
        self._set(stored_as, width, _Buckets(held, numbers[order], facts[order]))

    def newest_fetch(self) -> int:
        """Return the latest time at which any bucket was fetched, in epoch seconds; 0 if none is stored."""
        every = (buckets.held.fetched for widths in self._stored.values() for buckets in widths.values())
        return max((int(fetched.max(initial=0)) for fetched in every), default=0)

    def _split(self, stored_as: str) -> Iterator[GrainBuckets]:
        widths = self._stored[stored_as]
        numbers = sorted({number for buckets in widths.values() for number in buckets.grains.tolist()})
        for number in sorted(numbers, key=lambda number: -len(self._grains[number])):
            held = {width: _of_grain(buckets, number) for width, buckets in widths.items()}
            yield GrainBuckets(stored_as, frozenset(self._grains[number]), held)

    def _number(self, grain: Grain) -> int:
        if grain not in self._grains:
            self._grains.append(grain)
        return self._grains.index(grain)

    def _set(self, stored_as: str, width: BucketWidth, buckets: _Buckets) -> None:
        self._stored[stored_as] = {**self._stored.get(stored_as, {}), width: buckets}
        self._by_grain.pop(dataset_name(stored_as), None)


def _grain(text: str) -> Grain:
    return tuple(name for name in text.split(",") if name)


def _of_grain(buckets: _Buckets, number: int) -> HeldBuckets:
    chosen = buckets.grains == number
    if chosen.all():
        return buckets.held
    return HeldBuckets(buckets.held.starts[chosen], buckets.held.fetched[chosen])
