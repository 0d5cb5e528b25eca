"""`FactCache`: the last facts read, so that another grouping, filter or search needs no query."""

import threading
from collections import OrderedDict

from usage_viewer.store.gather import Rows

MOST_BYTES = 256 * 2**20
MOST_ENTRIES = 6


class FactCache:
    """Least recently used go first; a larger one than MOST_BYTES isn't kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[object, ...], Rows] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> Rows | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: tuple[object, ...], rows: Rows) -> None:
        with self._lock:
            self._entries[key] = rows
            self._entries.move_to_end(key)
            while len(self._entries) > MOST_ENTRIES or self._nbytes > MOST_BYTES:
                self._entries.popitem(last=False)

    def forget(self, dataset: str) -> None:
        with self._lock:
            for key in [key for key in self._entries if key[0] == dataset]:
                del self._entries[key]

    @property
    def _nbytes(self) -> int:
        return sum(rows.nbytes for rows in self._entries.values())

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
