"""Defines `TableFormat`, which writes the table's numbers and periods in the user's locale."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLocale

from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import Periods
from usage_viewer.domain.period_status import PeriodStatus
from usage_viewer.domain.table import Column, FigureColumn
from usage_viewer.gui.formatting.numbers import MISSING, NumberFormat
from usage_viewer.gui.formatting.periods import minute_text, period_label

MARKS = {
    PeriodStatus.FINAL: "",
    PeriodStatus.MAY_CHANGE: " · may still change",
    PeriodStatus.IN_PROGRESS: " · in progress",
}
"""Follow the labels of periods that are not final."""

_MOST_LABELS = 4096


class PeriodLabels:
    """Labels periods and marks those that are not final; keeps labels, since views repeat the same days."""

    def __init__(self, locale: QLocale) -> None:
        self._locale = locale
        self._labels: dict[object, str] = {}
        self.statuses: NDArray[np.int8] | None = None
        """The `PeriodStatus` of each period of the table; None: all are final."""

    def text(self, periods: Periods, index: int) -> str:
        """Return the label of a period, with its mark."""
        key = (*periods.bounds[index : index + 2].tolist(), periods.per, periods.zone)
        label = self._labels.get(key)
        if label is None:
            if len(self._labels) > _MOST_LABELS:
                self._labels.clear()
            label = self._labels[key] = period_label(periods, index, self._locale)
        return label + MARKS[self.status(index)]

    def status(self, index: int) -> PeriodStatus:
        """Return the status of a period."""
        return PeriodStatus.FINAL if self.statuses is None else PeriodStatus(int(self.statuses[index]))

    @property
    def marks(self) -> list[str]:
        """The marks that occur in the table."""
        if self.statuses is None:
            return []
        return [mark for status, mark in MARKS.items() if mark and (self.statuses == status).any()]


def split_mark(text: str) -> tuple[str, str]:
    """Return the label of a period and its mark ("" for a final one) separately."""
    mark = next((mark for mark in MARKS.values() if mark and text.endswith(mark)), "")
    return text.removesuffix(mark), mark


def direction_text(*, descending: bool) -> str:
    """Return the word for the direction of an order."""
    return "descending" if descending else "ascending"


class TableFormat:
    """Writes cells: numbers in a `NumberFormat`, periods with their marks, `missing` for a number not given."""

    def __init__(self, form: NumberFormat, periods: PeriodLabels, missing: str = MISSING) -> None:
        self._form = form
        self._periods = periods
        self._missing = missing

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> list[str]:
        """Return the text of each number."""
        write: Callable[[Number | None], str] = self._form.writer(kind, unit)
        return [self._missing if value is None else write(value) for value in figures.listed()]

    def amounts(self, figures: NumberColumn, units: Sequence[int], decimals: int) -> list[str]:
        """Return the text of each amount of money: `units` of 10 to the power of -`decimals`."""
        if self._form.abbreviated:
            return self.numbers(figures, Kind.DECIMAL, MONEY)
        return [
            self._missing if value is None else self._form.amount(value, count, decimals)
            for value, count in zip(figures.listed(), units, strict=True)
        ]

    def more_decimals(self, column: Column) -> int:
        """Return the most decimals after its cents that an amount of the column has here; 0 for other columns."""
        if not isinstance(column, FigureColumn) or column.shown is None or self._form.abbreviated:
            return 0
        return column.shown.more_decimals

    def beyond_cents(self, text: str, column: FigureColumn) -> int:
        """Return how many digits of an amount's text come after its cents."""
        assert column.shown is not None
        point = text.rfind(self._form.decimal_point)
        return max(0, len(text) - point - 1 - column.shown.decimals) if point >= 0 else 0

    def period(self, periods: Periods, index: int) -> str:
        """Return the label of a period, with its mark."""
        return self._periods.text(periods, index)

    def moment(self, moment: int | None, zone: tzinfo) -> str:
        """Return the day and the time of a moment on the clocks of a zone."""
        if moment is None:
            return self._missing
        return minute_text(datetime.fromtimestamp(moment, zone), self._form.locale)
