"""`FactCache`: the last facts read, so that another grouping, filter, search or coarser period needs no query."""

import threading
from dataclasses import dataclass

from usage_viewer.query.aggregate import FactSums
from usage_viewer.store.fact_query import FactQuery, coarser

MOST_BYTES = 512 * 2**20
MOST_ENTRIES = 6


@dataclass(frozen=True, slots=True)
class _Entry:
    question: FactQuery
    change: int
    facts: FactSums


class FactCache:
    """The least recently used go first; what is larger than MOST_BYTES alone isn't kept.

    `change` counts a dataset's changes: what was read before the last one is of no use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []  # most recently used first

    def find(self, question: FactQuery, change: int) -> FactSums | None:
        with self._lock:
            entries = list(self._entries)
        for entry in sorted(entries, key=lambda item: len(item.facts)):
            if entry.change != change:
                continue
            facts = coarser(entry.facts, entry.question, question)
            if facts is not None:
                self._use(entry)
                if facts.period is not entry.facts.period:
                    self._use(_Entry(question, change, facts))
                return facts
        return None

    def keep(self, question: FactQuery, change: int, facts: FactSums) -> None:
        self._use(_Entry(question, change, facts))

    def forget(self, dataset: str) -> None:
        with self._lock:
            self._entries = [entry for entry in self._entries if entry.question.dataset.name != dataset]

    def clear(self) -> None:
        with self._lock:
            self._entries = []

    def _use(self, used: _Entry) -> None:
        with self._lock:
            entries = [used, *(entry for entry in self._entries if entry is not used)]
            self._entries, size = [], 0
            for entry in entries[:MOST_ENTRIES]:
                size += entry.facts.nbytes
                if size <= MOST_BYTES:
                    self._entries.append(entry)
