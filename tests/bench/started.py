"""Paints a window, prints when, and ends: `bare`, or the program itself with `FOLDER`.

`first` ends with the first paint that shows rows, `whole` with the first paint of the usable table; `close` then
closes the window as a user does, so that it saves its table for the next start.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from usage_viewer.gui.workspace.app_context import AppContext

ROOT = Path(__file__).absolute().parent.parent.parent


def bare() -> None:
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow, QTableView

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint:
                QTimer.singleShot(0, _end)
            return False

    application = QApplication([])
    window = QMainWindow()
    view = QTableView()
    window.setCentralWidget(view)
    watch = Watch()
    view.viewport().installEventFilter(watch)
    window.resize(1280, 800)
    window.show()
    application.exec()


def program(kind: str, folder: str) -> None:
    from usage_viewer.__main__ import main

    _watch(kind)
    main(["--data-dir", folder])


def _watch(kind: str) -> None:
    """Check the tables after each paint."""
    from PySide6.QtCore import QTimer
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QApplication, QTableView

    from usage_viewer.gui.window.startup_page import EarlyTable

    seen: list[QTableView] = []

    def looked_at(view: QTableView) -> None:
        if not seen and view.model().rowCount():
            seen.append(view)
            QTimer.singleShot(0, QApplication.closeAllWindows if kind == "close" else _end)

    def watched(table: type[QTableView]) -> None:
        paint = table.paintEvent

        def painted(view: QTableView, event: QPaintEvent) -> None:
            paint(view, event)
            looked_at(view)

        table.paintEvent = painted  # type: ignore[method-assign]

    if kind == "first":
        watched(EarlyTable)
        return
    from usage_viewer.gui.window.main_window import MainWindow

    load = MainWindow.load

    def loaded(self: MainWindow, context: "AppContext") -> None:
        load(self, context)  # imports the table at its time
        from usage_viewer.gui.table.table_view import TableView

        watched(TableView)

    MainWindow.load = loaded  # type: ignore[method-assign]


def _end() -> None:
    print(time.monotonic(), flush=True)
    os._exit(0)


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if sys.argv[1] == "bare":
        bare()
    else:
        sys.path.insert(0, str(ROOT))
        program(*sys.argv[1:])
