"""Shows at the bottom how much is loaded, the progress of the fetch, messages and selection statistics."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from usage_viewer.domain.catalog import MONEY
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.figures import Number
from usage_viewer.domain.selection_stats import SelectionStats
from usage_viewer.gui.formatting.moments import count_text, moment_text
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.verification.verification_badge import VerificationBadge
from usage_viewer.gui.widgets.plain_text import explain
from usage_viewer.gui.widgets.theme import UNIT, plain_label

if TYPE_CHECKING:
    from usage_viewer.app.fetch.window_fetcher import Progress

MESSAGE_SECONDS = 6
CANCEL_KEY = "Ctrl+."


class StatusBar(QWidget):
    """Shows each kind of text in a place of its own."""

    cancel_requested = Signal()
    message_shown = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._origin = self._notice = ""
        self._coverage = plain_label("", self)
        self.badge = VerificationBadge(self)
        self._message = plain_label("", self)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._selection = plain_label("", self)
        self._selection.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._progress_bar = QProgressBar(self, textVisible=False)
        self._progress_bar.setFixedSize(12 * UNIT, UNIT)
        self._progress_bar.setAccessibleName("Loading")
        self._progress = plain_label("", self)
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setToolTip(f"Stop loading; data already downloaded is kept ({CANCEL_KEY})")
        self._cancel.setAccessibleDescription(f"Stops loading; data already downloaded is kept. {CANCEL_KEY}")
        self._cancel.clicked.connect(self.cancel_requested)
        self._message_timer = QTimer(self, singleShot=True)
        self._message_timer.timeout.connect(lambda: self._message.setText(""))
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(UNIT)
        for widget in (self._coverage, self.badge, self._progress_bar, self._progress, self._cancel):
            row.addWidget(widget)
        row.addWidget(self._message, 1)
        row.addWidget(self._selection)
        self.setMinimumHeight(4 * UNIT)
        self.show_fetching(False)

    @property
    def coverage_text(self) -> str:
        """Returns the visible text about how much was loaded and when."""
        return self._coverage.text()

    @property
    def text(self) -> str:
        """Returns all visible texts."""
        parts = (self._coverage, self._progress, self._message, self._selection)
        return " · ".join(part.text() for part in parts if part.text() and not part.isHidden())

    def show_coverage(self, coverage: Coverage | None, clock_note: str = "") -> None:
        """Show how much was loaded and when; `clock_note` says if this computer's clock is wrong."""
        if coverage is None:
            self._coverage.setText(self._origin)
        elif self._origin:
            self._coverage.setText(f"{self._origin} · {coverage.summary}")
        else:
            parts = (coverage_text(coverage, self.locale()), clock_note)
            self._coverage.setText(" · ".join(part for part in parts if part))

    def show_origin(self, origin: str) -> None:
        """Show which snapshot the figures are from in place of their load time; "" for an organization."""
        self._origin = visible(origin)

    def show_fetching(self, fetching: bool) -> None:
        """Show or hide the progress of the fetch."""
        self._progress_bar.setRange(0, 0)
        self._progress.setText("")
        self._drop_notice()
        for widget in (self._progress_bar, self._progress, self._cancel):
            widget.setVisible(fetching)

    def show_progress(self, progress: "Progress") -> None:
        """Show how many requests are done; a notice about a wait stays until more data arrives."""
        if progress.total:
            if progress.done > self._progress_bar.value():
                self._drop_notice()
            self._progress_bar.setRange(0, progress.total)
            self._progress_bar.setValue(progress.done)
            total = count_text(progress.total, "request", self.locale())
            self._progress.setText(f"Loading: {progress.done} of {total}")
        if progress.notice:
            self.show_message(progress.notice)
            self._notice = progress.notice
            self._message_timer.stop()

    def _drop_notice(self) -> None:
        if self._notice and self._message.text() == self._notice:
            self._message.setText("")
        self._notice = ""

    def show_message(self, text: str) -> None:
        """Show a message for a few seconds."""
        self._message.setText(visible(text))
        self.message_shown.emit(text)
        explain(self._message, text)
        self._message_timer.start(MESSAGE_SECONDS * 1000)

    def show_selection(self, stats: SelectionStats) -> None:
        """Show statistics of several selected rows; the figures of a single row are visible anyway."""
        numbers = NumberFormat(self.locale())
        text = selection_text(stats, numbers) if stats.rows > 1 else ""
        self._selection.setText(text)
        explain(self._selection, selection_details(stats, numbers) if text else "")


def selection_text(stats: SelectionStats, numbers: NumberFormat) -> str:
    """Return `3 rows · Input: Sum 1,234, Average 411, Min 3, Max 9`."""
    texts = ", ".join(
        f"{name} {numbers.rounded(value, stats.kind, stats.unit, stats.decimals)}"
        for name, value in _figures(stats)
    )
    rows = f"{numbers.whole(stats.rows)} rows"
    return f"{rows} · {stats.column_label}: {texts}" if texts else rows


def selection_details(stats: SelectionStats, numbers: NumberFormat) -> str:
    """Return the column's name and, for money, all digits of the sum and of the smallest and largest amount."""
    lines = [f"Of the selected rows' {stats.column_label}"]
    if stats.unit == MONEY:
        write = numbers.writer(stats.kind, stats.unit)
        lines += [f"{name}: {write(value)}" for name, value in _figures(stats) if name != "Average"]
    return "\n".join(lines)


def _figures(stats: SelectionStats) -> list[tuple[str, Number]]:
    figures = (("Sum", stats.total), ("Average", stats.average), ("Min", stats.minimum), ("Max", stats.maximum))
    return [(name, value) for name, value in figures if value is not None]


def coverage_text(coverage: Coverage, locale: QLocale) -> str:
    """Return `30 of 30 days · loaded 14:02`: the load time of the newest bucket, in this computer's time zone."""
    if coverage.newest_fetch is None:
        return coverage.summary
    return f"{coverage.summary} · loaded {moment_text(coverage.newest_fetch, locale)}"
