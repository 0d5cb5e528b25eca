"""The line at the bottom: how much is held and how fresh, how the fetch goes, and what is selected."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.selection_stats import SelectionStats
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.verification.verification_badge import VerificationBadge
from usage_viewer.gui.widgets.plain_text import tip
from usage_viewer.gui.widgets.theme import UNIT, plain_label

if TYPE_CHECKING:
    from usage_viewer.app.fetch.window_fetcher import Progress

MESSAGE_SECONDS = 6
CANCEL_KEY = "Ctrl+."


class StatusBar(QWidget):
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._origin = self._notice = ""
        self._held = plain_label("", self)
        self.seal = VerificationBadge(self)
        self._message = plain_label("", self)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._selection = plain_label("", self)
        self._selection.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._selection.setAccessibleDescription("Figures of the selected rows")
        self._bar = QProgressBar(self, textVisible=False)
        self._bar.setFixedSize(12 * UNIT, UNIT)
        self._bar.setAccessibleName("Fetching")
        self._windows = plain_label("", self)
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setToolTip(f"Stop fetching; what has arrived is kept ({CANCEL_KEY})")
        self._cancel.setAccessibleDescription(f"Stops fetching; what has arrived is kept. {CANCEL_KEY}")
        self._cancel.clicked.connect(self.cancel_requested)
        self._quiet_again = QTimer(self, singleShot=True)
        self._quiet_again.timeout.connect(lambda: self._message.setText(""))
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(UNIT)
        for widget in (self._held, self.seal, self._bar, self._windows, self._cancel):
            row.addWidget(widget)
        row.addWidget(self._message, 1)
        row.addWidget(self._selection)
        self.setMinimumHeight(4 * UNIT)
        self.show_fetching(False)

    @property
    def held_text(self) -> str:
        """How much is held and when it was fetched."""
        return self._held.text()

    @property
    def text(self) -> str:
        """Everything that it says, for people who hear it and for tests."""
        parts = (self._held, self._windows, self._message, self._selection)
        return " · ".join(part.text() for part in parts if part.text() and not part.isHidden())

    def show_coverage(self, coverage: Coverage | None, clock_note: str = "") -> None:
        """How much is held and how fresh; `clock_note` says what is wrong with this computer's clock."""
        if coverage is None:
            self._held.setText(self._origin)
        elif self._origin:
            self._held.setText(f"{self._origin} · {coverage.summary}")
        else:
            told = (coverage_text(coverage, self.locale()), clock_note)
            self._held.setText(" · ".join(part for part in told if part))

    def show_origin(self, origin: str) -> None:
        """Where the figures are from, in place of when they were fetched; "" for the organization itself."""
        self._origin = visible(origin)

    def show_fetching(self, fetching: bool) -> None:
        self._bar.setRange(0, 0)
        self._windows.setText("")
        self._drop_notice()
        for widget in (self._bar, self._windows, self._cancel):
            widget.setVisible(fetching)

    def show_progress(self, progress: "Progress") -> None:
        if progress.total:
            if progress.done > self._bar.value():
                self._drop_notice()
            self._bar.setRange(0, progress.total)
            self._bar.setValue(progress.done)
            noun = "window" if progress.total == 1 else "windows"
            self._windows.setText(f"{progress.done} of {progress.total} {noun}")
        if progress.notice:
            self.say(progress.notice)
            self._notice = progress.notice
            self._quiet_again.stop()  # it holds until something arrives, which may take a while

    def _drop_notice(self) -> None:
        if self._notice and self._message.text() == self._notice:
            self._message.setText("")
        self._notice = ""

    def say(self, text: str) -> None:
        """Something that needs no answer, for a few seconds."""
        self._message.setText(visible(text))
        self._message.setToolTip(tip(text))
        self._quiet_again.start(MESSAGE_SECONDS * 1000)

    def show_selection(self, stats: SelectionStats) -> None:
        """Nothing while a single row is selected: its figures are in sight."""
        text = selection_text(stats, NumberFormat(self.locale())) if stats.rows > 1 else ""
        self._selection.setText(text)
        self._selection.setToolTip(tip(f"Of the selected rows' {stats.column_label}") if text else "")


def selection_text(stats: SelectionStats, numbers: NumberFormat) -> str:
    """As "3 rows · Input: Σ 1,234 ⌀ 411 ↧ 3 ↥ 9"."""
    write = numbers.writer(stats.kind, stats.unit)
    figures = (("Σ", stats.total), ("⌀", stats.average), ("↧", stats.minimum), ("↥", stats.maximum))
    told = " ".join(f"{sign} {write(value)}" for sign, value in figures if value is not None)
    rows = f"{numbers.whole(stats.rows)} rows"
    return f"{rows} · {stats.column_label}: {told}" if told else rows


def coverage_text(coverage: Coverage, locale: QLocale) -> str:
    """As "30 of 30 days · fetched 14:02": when the newest of it was fetched, in this computer's zone."""
    if coverage.newest_fetch is None:
        return coverage.summary
    fetched = QDateTime.fromSecsSinceEpoch(coverage.newest_fetch)
    form = QLocale.FormatType.ShortFormat
    if fetched.date() == QDateTime.currentDateTime().date():
        return f"{coverage.summary} · fetched {locale.toString(fetched.time(), form)}"
    return f"{coverage.summary} · fetched {locale.toString(fetched, form)}"
