"""Defines `TypeAhead`, which finds the row whose group begins with the typed text."""

from collections.abc import Callable
from time import monotonic

import numpy as np

from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import GroupColumn

PAUSE = 1.0
"""Seconds after which a new search begins."""


class TypeAhead:
    """Collects typed letters; looks at each distinct value once, not at each row."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._typed = ""
        self._last = 0.0

    def find(self, text: str, column: GroupColumn, rows: RowOrder, current: int) -> int | None:
        """Return the next matching row as shown, from `current` on and then from the top; None if none matches.

        Repeating the same letter goes to the next row that begins with it.
        """
        now = self._clock()
        is_new = now - self._last > PAUSE or not self._typed
        self._last = now
        self._typed = text.casefold() if is_new else self._typed + text.casefold()
        row = self._find_from(self._typed, column, rows, current + (1 if is_new else 0))
        if row is None and len(set(self._typed)) == 1:
            row = self._find_from(self._typed[0], column, rows, current + 1)
        return row

    def _find_from(self, typed: str, column: GroupColumn, rows: RowOrder, start: int) -> int | None:
        matches = np.array([label.casefold().startswith(typed) for label in column.labels], np.bool_)
        if not matches.any():
            return None
        hits = matches[column.codes_at(rows)]
        start = max(start, 0)
        for first, part in ((start, hits[start:]), (0, hits[:start])):
            if part.any():
                return first + int(part.argmax())
        return None
