"""`TypeAhead`: finds the row whose group begins with what is being typed, looking at each value once."""

from collections.abc import Callable
from time import monotonic

import numpy as np

from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import GroupColumn

PAUSE = 1.0
"""Seconds after which typing begins anew."""


class TypeAhead:
    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._typed = ""
        self._last = 0.0

    def find(self, text: str, column: GroupColumn, rows: RowOrder, current: int) -> int | None:
        """The shown row to go to, from `current` on and around; None where no value begins so.

        The same letter again goes on to the next row that begins with it.
        """
        now = self._clock()
        anew = now - self._last > PAUSE or not self._typed
        self._last = now
        self._typed = text.casefold() if anew else self._typed + text.casefold()
        found = self._from(self._typed, column, rows, current + (1 if anew else 0))
        if found is None and len(set(self._typed)) == 1:
            found = self._from(self._typed[0], column, rows, current + 1)
        return found

    def _from(self, typed: str, column: GroupColumn, rows: RowOrder, start: int) -> int | None:
        begins = np.array([label.casefold().startswith(typed) for label in column.labels], np.bool_)
        if not begins.any():
            return None
        hits = begins[column.codes_at(rows)]
        start = max(start, 0)
        for first, part in ((start, hits[start:]), (0, hits[:start])):
            if part.any():
                return first + int(part.argmax())
        return None
