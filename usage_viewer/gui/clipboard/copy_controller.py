"""Copies and saves the shown rows: a worker renders them for the clipboard or writes a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtGui import QGuiApplication

from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.zones import zone_name
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.ranges import file_name_range
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks

if TYPE_CHECKING:
    from usage_viewer.app.export import Export, Format
    from usage_viewer.app.session.session import Session
    from usage_viewer.gui.clipboard.clipboard import RenderedCopy

# The window imports this module when it starts; what only a copy needs is imported in functions.

CHANNEL = "copy"


@dataclass(frozen=True)
class Chosen:
    """Selects what to copy: the shown result and runs of its rows (first and last, both included).

    No runs select every row. `provenance` puts the source line in front. `listed_by` is the session that lists the
    cells of a pivot one below the other; None: as wide as it is.
    """

    shown: SortedResult
    runs: Sequence[tuple[int, int]]
    names: Names
    provenance: bool = False
    listed_by: "Session | None" = None

    @property
    def rows(self) -> RowOrder:
        """The chosen rows of the table, in the order shown."""
        if not self.runs:
            return self.shown.rows
        return np.concatenate([self.shown.rows[first : last + 1] for first, last in self.runs])

    def export(self, form: "Format | None" = None, *, totals: bool = False) -> "Export":
        """Return the export of the chosen rows; `form` is the format of a file or of a copy in one format.

        A workbook always has totals and the source.
        """
        from usage_viewer.app.export import Export, Format, provenance_of_result, totals_of
        from usage_viewer.app.pivot_list import list_cells

        look, rows, locale = self.shown.look, self.rows, QLocale()
        if self.listed_by is not None and look.effective_view.pivot is not None:
            look, rows = list_cells(self.listed_by, look, rows)
        view = look.effective_view
        is_workbook = form is Format.XLSX
        return Export(
            look.table,
            rows,
            provenance_of_result(look, self.names) if self.provenance or is_workbook else None,
            decimal_point=locale.decimalPoint(),
            names=form is Format.JSON,
            shown=ShownNumbers(locale),
            totals=totals_of(look.table, rows, view.dataset, look.coverage) if totals or is_workbook else None,
        )


class ShownNumbers:
    """Writes numbers as the table does, never abbreviated."""

    def __init__(self, locale: QLocale) -> None:
        self._form = NumberFormat(locale)

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> list[str]:
        """Return the text of each number, in HTML."""
        write = self._form.writer(kind, unit)
        return list(map(write, figures.listed()))

    def amounts(self, figures: NumberColumn, units: Sequence[int], decimals: int) -> list[str]:
        """Return the text of each amount of money, in HTML: the cents that the table shows."""
        return [
            "" if value is None else self._form.amount(value, count, decimals)
            for value, count in zip(figures.listed(), units, strict=True)
        ]


class CopyController(QObject):
    """Starts copies in a worker and reports their end; the window stays usable during a million rows."""

    began = Signal()
    done = Signal(str)  # notice for the user
    failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def copy(self, chosen: Chosen, *, totals: bool = False) -> None:
        """Copy the rows as shown, with headers, as TSV, HTML and CSV at once; `totals` adds their totals."""
        from usage_viewer.gui.clipboard.clipboard import prepare

        self._start(lambda task: prepare(chosen.export(totals=totals), task.cancellation))

    def copy_as(self, chosen: Chosen, form: "Format") -> None:
        """Copy the rows in one format; TSV and CSV without headers."""
        from usage_viewer.app.export import Format
        from usage_viewer.gui.clipboard.clipboard import prepare_as

        export = replace(chosen.export(form), headers=form not in (Format.TSV, Format.CSV))
        self._start(lambda task: prepare_as(export, form, task.cancellation))

    def copy_cell(self, text: str) -> None:
        """Copy the value of one cell."""
        from usage_viewer.gui.clipboard.clipboard import prepare_cell, put

        put(prepare_cell(text), QGuiApplication.clipboard())
        self.done.emit(f"Copied {text}")

    def copy_text(self, text: str) -> None:
        """Copy a ready text, such as the totals."""
        QGuiApplication.clipboard().setText(text)
        self.done.emit("Copied")

    def save(self, chosen: Chosen, path: Path, form: "Format") -> None:
        """Save the rows."""
        from usage_viewer.app.export import save

        def work(task: Task) -> str:
            export = replace(chosen.export(form), decimal_point=".")
            save(export, form, path, task.cancellation)
            return f"Saved {_rows(len(export.rows))} to {path.name}"

        self.began.emit()
        self._tasks.start(CHANNEL, work, self.done.emit, self._on_failed)

    def _start(self, work: "Callable[[Task], RenderedCopy]") -> None:
        self.began.emit()
        self._tasks.start(CHANNEL, work, self._on_rendered, self._on_failed)

    def _on_rendered(self, rendered: "RenderedCopy") -> None:
        from usage_viewer.gui.clipboard.clipboard import put

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
