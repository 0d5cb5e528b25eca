"""Builds the dialog that lists unusual days."""

from datetime import datetime

import numpy as np
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QWidget

from usage_viewer.app.unusual import UnusualList
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import Span
from usage_viewer.gui.formatting.moments import count_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import period_label
from usage_viewer.gui.formatting.ranges import range_text
from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel
from usage_viewer.query.unusual_days import FEWEST_WEEKS, WEEKS, UnusualDay

TITLE = "Unusual days"


def unusual_dialog(found: UnusualList, span: Span, parent: QWidget) -> RecordDialog:
    """Build the dialog for the days of a range; `span` is the range."""
    texts = _UnusualTexts(found, parent.locale())
    groups = [found.result.view.dataset.dimension(name).label for name in found.result.view.grouping]
    fields: list[Field[UnusualDay]] = [
        Field("Day", texts.day),
        *([Field(" · ".join(groups), texts.group)] if groups else []),
        Field(texts.figure, lambda item: texts.number(item.actual), number=True),
        Field("Expected", lambda item: texts.number(item.expected), number=True),
        Field("Above", lambda item: texts.number(item.above), number=True),
        Field("Basis", texts.basis),
        Field("Highest of these", lambda item: texts.number(item.highest), number=True),
    ]
    dialog = RecordDialog(TITLE, RecordModel(fields, found.days.listed), parent)
    dialog.intro.setText(texts.intro(span))
    dialog.set_empty_text(found.problem or "No day is above what its weekday usually has.")
    return dialog


class _UnusualTexts:
    """Writes days, numbers and sentences of a list in a locale."""

    def __init__(self, found: UnusualList, locale: QLocale) -> None:
        self._found, self._locale, self._numbers = found, locale, NumberFormat(locale)
        self._periods = found.result.coverage.periods
        figure = found.figure
        self.figure = f"{figure.label} ({found.measure})" if found.measure else figure.heading

    def day(self, item: UnusualDay) -> str:
        place = int(np.searchsorted(self._periods.bounds, item.day))
        return period_label(self._periods, place, self._locale)

    @staticmethod
    def group(item: UnusualDay) -> str:
        return " · ".join(label for _, _, label in item.groups)

    def number(self, value: Number) -> str:
        return self._numbers.text(value, self._found.figure.kind, self._found.figure.unit)

    def basis(self, item: UnusualDay) -> str:
        weekday = datetime.fromtimestamp(item.day, self._periods.zone).isoweekday()
        return f"{self._locale.toString(item.weeks)} × {self._locale.standaloneDayName(weekday)}"

    def intro(self, span: Span) -> str:
        """Return what is listed, and what is left out."""
        zone, days = self._periods.zone, self._found.days
        start, end = (
            datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment in (span.start, span.end)
        )
        lines = [
            f"{range_text(start, end, self._locale)}: the days on which {self.figure} is the furthest above the "
            f"expectation, which is the median of the same weekday in the {WEEKS} weeks before. Days that have not "
            "ended are left out."
        ]
        if days.not_judged:
            counted = count_text(days.not_judged, "day", self._locale)
            lines.append(f"Not judged: {counted} with fewer than {FEWEST_WEEKS} earlier weekdays loaded.")
        if self._found.error is not None:
            lines.append(f"The weeks before could not be loaded: {self._found.error.title}.")
        return "\n".join(lines)
