"""Copies, saves and prints the shown chart."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from usage_viewer.app.atomic_write import write_atomically
from usage_viewer.app.chart import Chart
from usage_viewer.app.export.save import export_error
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.chart.chart_controller import ChartController
from usage_viewer.gui.chart.chart_export import SIZE, ChartPicture, PictureFormat
from usage_viewer.gui.chart.chart_face import Surface
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

CHANNEL = "copy"
_FILTERS = {"Picture (*.png)": PictureFormat.PNG, "Drawing (*.svg)": PictureFormat.SVG}


class ChartSaving(QObject):
    """Draws the chart as large as it is shown, at least `SIZE`, in the window's colours."""

    done = Signal(str)  # notice for the user
    failed = Signal(object)  # UsageViewerError

    def __init__(
        self,
        controller: ChartController,
        workspace: Workspace,
        tasks: Tasks,
        window: QWidget,
        proposed_name: Callable[[SortedResult], str],
    ) -> None:
        super().__init__(controller)
        self._proposed_name = proposed_name
        self._controller, self._workspace, self._tasks, self._window = controller, workspace, tasks, window
        controller.export_requested.connect(self.export)

    def export(self, what: str) -> None:
        """Copy, save or print the chart; `what` is `copy`, `save` or `print`."""
        chart = self._controller.chart
        if chart is None or (chart.series is None and chart.heat_map is None):
            self.done.emit("There is no chart to take")
            return
        {"copy": self._copy, "save": self._ask_where_to_save, "print": self._print}[what](self.picture(chart))

    def picture(self, chart: Chart) -> ChartPicture:
        """Return the picture of a chart."""
        view = self._controller.pane.view
        size = view.size().expandedTo(SIZE) if view.isVisible() else SIZE
        surface = Surface(
            size.width(),
            size.height(),
            view.font(),
            view.palette(),
            view.isRightToLeft(),
            week_start(view.locale()),
        )
        return ChartPicture.of(chart, self._workspace.names, surface, view.locale())

    def _copy(self, picture: ChartPicture) -> None:
        data = QMimeData()
        data.setImageData(picture.image())
        data.setData("image/svg+xml", QByteArray(picture.svg()))
        data.setText(f"{picture.title}. {picture.description}")
        QGuiApplication.clipboard().setMimeData(data)
        self.done.emit("Copied the chart")

    def _ask_where_to_save(self, picture: ChartPicture) -> None:
        last = self._workspace.last
        name = "chart" if last is None else f"{self._proposed_name(last)}-chart"
        dialog = QFileDialog(self._window, "Save chart", str(Path.home()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(_FILTERS))
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_FILTERS[chosen].value))
        dialog.selectFile(name)
        if dialog.exec() == QFileDialog.DialogCode.Accepted:
            self.save(picture, Path(dialog.selectedFiles()[0]), _FILTERS[dialog.selectedNameFilter()])
        dialog.deleteLater()

    def save(self, picture: ChartPicture, path: Path, otherwise: PictureFormat = PictureFormat.PNG) -> None:
        """Write a file; its ending decides on the format, and an unknown ending takes `otherwise`."""
        form = format_of(path) or otherwise
        content = picture.render(form)

        def work(task: Task) -> str:
            write_picture(content, path)
            return f"Saved the chart to {path.name}"

        self._tasks.start(CHANNEL, work, self.done.emit, self._on_failed)

    def _on_failed(self, error: UsageViewerError) -> None:
        self.failed.emit(error)

    def _print(self, picture: ChartPicture) -> None:
        from PySide6.QtGui import QPageLayout
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(picture.title)
        printer.setPageOrientation(QPageLayout.Orientation.Landscape)
        dialog = QPrintDialog(printer, self._window)
        if dialog.exec() == QPrintDialog.DialogCode.Accepted:
            picture.print(printer)
            self.done.emit("Sent the chart to the printer")
        dialog.deleteLater()


def format_of(path: Path) -> PictureFormat | None:
    """Return the format that a file's ending names; None for any other ending."""
    return next((form for form in PictureFormat if path.suffix.lower() == f".{form.value}"), None)


def write_picture(content: bytes, path: Path) -> None:
    """Write a picture, whole or not at all. Raises ExportError."""
    try:
        write_atomically(path, [content])
    except OSError as error:
        raise export_error(error, path) from error
