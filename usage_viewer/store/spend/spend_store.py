"""Keeps the dataset `spend` up to date: a day is attributed again if its costs or usage have changed."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import COSTS, SPEND
from usage_viewer.domain.spend import LineMeaning
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.store.engine.schema import existing_tables
from usage_viewer.store.spend.daily_sums import DailySums, DailySumsReader
from usage_viewer.store.spend.day_layout import (
    Digests,
    Layout,
    day_layouts,
    days_alike,
    known_layouts,
    read_digests,
)
from usage_viewer.store.spend.line_meanings import ByHand, ClosedDays, Factors, LineMeanings, day_costs
from usage_viewer.store.spend.spend_writer import attribute_days, write_days
from usage_viewer.store.store import Store

ALGORITHM = 1
"""Part of every signature: a day is attributed again after the algorithm has changed."""

ROWS_AT_A_TIME = 150_000
"""Rows of costs and usage that are attributed in one transaction; bounds the memory."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Everything that the attribution of some days depends on."""

    layouts: Mapping[int, Layout]
    digests: Digests
    sums: DailySums
    meanings: Mapping[LineKey, LineMeaning]
    factors: Factors

    def signatures(self) -> dict[int, str]:
        """Return a digest of each day's inputs."""
        lines = {
            key: repr((key, _essence(meaning), sorted(self.factors.get(key, {}).items(), key=str)))
            for key, meaning in self.meanings.items()
        }
        signatures = {}
        for start, layout in self.layouts.items():
            stored = [(name, sorted(grain), self.digests[name, start]) for name, grain in layout]
            parts = [repr((ALGORITHM, stored)), *sorted(lines[key] for key in self.sums.lines[start])]
            signatures[start] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return signatures


class SpendStore:
    """Attributes the costs of days to their usage. One thread at a time updates; others may read meanwhile.

    `by_hand` returns the usage that a person has mapped line items to.
    """

    def __init__(self, store: Store, by_hand: Callable[[], ByHand] = dict) -> None:
        self._store, self._by_hand = store, by_hand
        self._sums, self.meanings = DailySumsReader(), LineMeanings()
        self._checked: tuple[object, frozenset[int]] = (None, frozenset())
        self._wrong: frozenset[int] = frozenset()

    def update(
        self,
        starts: NDArray[np.int64],
        closed: NDArray[np.int64],
        services: Collection[str],
        cancel: Cancellation | None = None,
    ) -> frozenset[int]:
        """Attribute those of the days `starts` (epoch seconds) whose costs, usage or line items have changed.

        `closed` are the days that tell what line items mean, `services` the names of usage datasets. Each
        transaction replaces whole days. Returns the days whose parts do not add up to the costs: they are not
        stored. Raises Cancelled, StoreError.
        """
        cancel = cancel or Cancellation()
        names = [name for dataset in (COSTS.name, *services) for name in self._store.stored_grains(dataset)]
        by_hand = self._by_hand()
        state = (tuple((name, self._store.changes(name)) for name in names), tuple(closed.tolist()), by_hand)
        wanted = frozenset(starts.tolist())
        if self._checked[0] == state and wanted <= self._checked[1]:
            return self._wrong & wanted
        inputs = self._read(np.union1d(starts, closed), closed, services, names, by_hand, cancel)
        signatures, stored = inputs.signatures(), self._stored()
        changed = [start for start in sorted(wanted) if signatures.get(start) != stored.get(start)]
        wrong = set(self._wrong) - wanted
        for layout, days in self._chunks([start for start in changed if start in signatures], inputs):
            cancel.check()
            wrong |= self._attribute(layout, days, inputs, signatures, cancel)
        same = self._checked[1] if self._checked[0] == state else frozenset[int]()
        self._wrong, self._checked = frozenset(wrong), (state, same | wanted)
        return self._wrong & wanted

    def _read(
        self,
        starts: NDArray[np.int64],
        closed: NDArray[np.int64],
        services: Collection[str],
        names: Iterable[str],
        by_hand: ByHand,
        cancel: Cancellation,
    ) -> _Inputs:
        layouts = day_layouts(self._store, services, starts)
        with self._store.database.cursor(cancel) as cursor:
            digests = read_digests(cursor, names)
            layouts = known_layouts(layouts, digests)
            sums = self._sums.read(cursor, layouts, digests, closed.tolist())
            days = ClosedDays([start for start in closed.tolist() if start in layouts], layouts, digests, sums)
            meanings, factors = self.meanings.read(cursor, self._store.index, days, by_hand)
        return _Inputs(layouts, digests, sums, meanings, factors)

    def _stored(self) -> dict[int, str]:
        """Return the signature of each attributed day."""
        with self._store.database.cursor() as cursor:
            if "attributed" not in existing_tables(cursor):
                return {}
            return dict(cursor.execute("SELECT start, signature FROM attributed").fetchall())

    def _chunks(self, starts: Sequence[int], inputs: _Inputs) -> Iterator[tuple[Layout, list[int]]]:
        """Yield days that are stored alike, so many that memory suffices; the latest first."""
        for layout, days in days_alike(sorted(starts, reverse=True), inputs.layouts).items():
            chunk, rows = list[int](), 0
            for start in days:
                size = sum(inputs.digests[name, start][0] for name, _ in layout)
                if chunk and rows + size > ROWS_AT_A_TIME:
                    yield layout, chunk
                    chunk, rows = [], 0
                chunk.append(start)
                rows += size
            yield layout, chunk

    def _attribute(
        self,
        layout: Layout,
        starts: Sequence[int],
        inputs: _Inputs,
        signatures: Mapping[int, str],
        cancel: Cancellation,
    ) -> set[int]:
        """Attribute days that are stored alike; return those whose parts do not add up to the costs."""
        keys = frozenset().union(*(inputs.sums.lines[start] for start in starts))
        meanings = [inputs.meanings[key] for key in sorted(keys, key=str)]
        days = day_costs(sorted(starts), layout, meanings, {key: inputs.factors.get(key, {}) for key in keys})
        names = [name for name, _ in layout]
        versions = [self._store.changes(name) for name in names]
        with self._store.database.cursor(cancel) as cursor:
            attributed = attribute_days(cursor, self._store.index, days)
        with self._store.replacing(SPEND.name, cancel) as cursor:
            now = read_digests(cursor, names)
            is_same = versions == [self._store.changes(name) for name in names]
            if not is_same or any(now.get(day) != inputs.digests[day] for day in product(names, starts)):
                return set()  # fetched again meanwhile: the next look attributes what is stored then
            write_days(cursor, self._store.index(SPEND.name), attributed, signatures)
        return set(attributed.wrong)


def _essence(meaning: LineMeaning) -> object:
    """Return what the attribution uses of a meaning."""
    return meaning.target, meaning.reason
