"""Copies and saves the shown rows: a worker renders them for the clipboard or writes a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtGui import QGuiApplication

from usage_viewer.app.export import Export, Format, provenance_of, save
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.zones import zone_name
from usage_viewer.gui.clipboard.clipboard import RenderedCopy, prepare, prepare_as, put
from usage_viewer.gui.formatting.ranges import file_name_range
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks

CHANNEL = "copy"
SUFFIXES = {form.suffix: form for form in Format}


@dataclass(frozen=True)
class Chosen:
    """Selects what to copy: the shown result and runs of its rows (first and last, both included).

    No runs select every row. `provenance` puts the source line in front.
    """

    shown: SortedResult
    runs: Sequence[tuple[int, int]]
    names: Names
    provenance: bool = False

    @property
    def rows(self) -> RowOrder:
        """The chosen rows of the table, in the order shown."""
        if not self.runs:
            return self.shown.rows
        return np.concatenate([self.shown.rows[first : last + 1] for first, last in self.runs])

    def export(self, *, headers: bool = True, decimal_point: str = ".") -> Export:
        """Return the export of the chosen rows."""
        look = self.shown.look
        return Export(
            look.table,
            self.rows,
            provenance_of(look.effective_view, look.coverage, self.names) if self.provenance else None,
            headers=headers,
            decimal_point=decimal_point,
        )


class CopyController(QObject):
    """Starts copies in a worker and reports their end; the window stays usable during a million rows."""

    began = Signal()
    done = Signal(str)  # notice for the user
    failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def copy(self, chosen: Chosen) -> None:
        """Copy the rows as shown, with headers, as TSV, HTML and CSV at once."""
        point = QLocale().decimalPoint()
        self._start(lambda task: prepare(chosen.export(decimal_point=point), task.cancellation))

    def copy_as(self, chosen: Chosen, form: Format) -> None:
        """Copy the rows in one format; TSV and CSV without headers."""
        headers = form not in (Format.TSV, Format.CSV)
        export = chosen.export(
            headers=headers, decimal_point=QLocale().decimalPoint() if form is Format.TSV else "."
        )
        if form is Format.JSON:
            export = replace(export, names=True)
        self._start(lambda task: prepare_as(export, form, task.cancellation))

    def copy_text(self, text: str) -> None:
        """Copy a ready text, such as the totals."""
        QGuiApplication.clipboard().setText(text)
        self.done.emit("Copied")

    def save(self, chosen: Chosen, path: Path) -> None:
        """Save the rows in the format of the file name's ending; TSV for an unknown ending."""
        form = SUFFIXES.get(path.suffix.lower(), Format.TSV)

        def work(task: Task) -> str:
            export = replace(chosen.export(), names=form is Format.JSON)
            save(export, form, path, task.cancellation)
            return f"Saved {_rows(len(export.rows))} to {path.name}"

        self.began.emit()
        self._tasks.start(CHANNEL, work, self.done.emit, self._on_failed)

    def _start(self, work: Callable[[Task], RenderedCopy]) -> None:
        self.began.emit()
        self._tasks.start(CHANNEL, work, self._on_rendered, self._on_failed)

    def _on_rendered(self, rendered: RenderedCopy) -> None:
        put(rendered, QGuiApplication.clipboard())
        self.done.emit(f"Copied {_rows(rendered.rows)} {rendered.note}".rstrip())

    def _on_failed(self, error: UsageViewerError) -> None:
        self.failed.emit(error)


def _rows(count: int) -> str:
    return f"{QLocale().toString(count)} {'row' if count == 1 else 'rows'}"


def proposed_name(shown: SortedResult) -> str:
    """Return a file name without its ending: the dataset, the range, and the zone of its days."""
    view, periods = shown.look.effective_view, shown.look.coverage.periods
    start, end = (datetime.fromtimestamp(moment, periods.zone) for moment in (periods.span.start, periods.span.end))
    zone = zone_name(periods.zone, periods.span.start).replace("/", "-").replace(":", "")
    return f"{view.dataset_name}-{file_name_range(start, end)}-{zone}"
