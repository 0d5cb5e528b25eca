"""Caches the last facts read, so that another grouping, filter, search or coarser period needs no query."""

import threading
from dataclasses import dataclass

from usage_viewer.query.aggregate import FactRows
from usage_viewer.store.fact_query import FactQuery, derive_facts

MAX_BYTES = 512 * 2**20
MAX_ENTRIES = 6


@dataclass(frozen=True, slots=True)
class _Entry:
    query: FactQuery
    rows: FactRows


class FactCache:
    """Keeps the most recently used results, up to MAX_ENTRIES and MAX_BYTES. A larger result is not kept.

    Facts read at an older version of the dataset are not used.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []  # most recently used first

    def find(self, query: FactQuery) -> FactRows | None:
        """Return the facts of `query`, if those of a cached query contain them."""
        with self._lock:
            entries = list(self._entries)
        for entry in sorted(entries, key=lambda item: len(item.rows)):
            if entry.query.version != query.version:
                continue
            rows = derive_facts(query, entry.query, entry.rows)
            if rows is not None:
                self._use(entry)
                if rows.period is not entry.rows.period:
                    self._use(_Entry(query, rows))
                return rows
        return None

    def add(self, query: FactQuery, rows: FactRows) -> None:
        """Cache the facts of a query."""
        self._use(_Entry(query, rows))

    def forget(self, dataset: str) -> None:
        """Remove the facts of a dataset."""
        with self._lock:
            self._entries = [entry for entry in self._entries if entry.query.dataset.name != dataset]

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._entries = []

    def _use(self, used: _Entry) -> None:
        with self._lock:
            entries = [used, *(entry for entry in self._entries if entry is not used)]
            self._entries, size = [], 0
            for entry in entries[:MAX_ENTRIES]:
                size += entry.rows.nbytes
                if size <= MAX_BYTES:
                    self._entries.append(entry)
