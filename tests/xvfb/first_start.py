"""Plays a first start: no key, *Try the demo*, group by project, select all, copy.

Prints "copied" and the number of rows, and ends when its input ends. Its arguments are the program's.
"""

import sys
import threading
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QMetaObject, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from usage_viewer.__main__ import main
from usage_viewer.gui.window.main_window import MainWindow

CTRL = Qt.KeyboardModifier.ControlModifier


class User(QObject):
    """Tries the next step every 50 ms."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._steps: list[Callable[[], bool]] = [self._demo, self._group, self._copy, self._say]
        self._timer = QTimer(self, interval=50)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
        if windows and self._steps:
            self.window = windows[0].parts
            if self._steps[0]():
                del self._steps[0]

    def _demo(self) -> bool:
        page = self.window.key_page
        demo = next(one for one in page.findChildren(QPushButton) if "demo" in one.text())
        if not page.isVisible() or not demo.isEnabled() or "no keyring" not in page.place_text:
            return False
        self._click(demo)
        return True

    def _settled(self) -> bool:
        return self.window.page.totals.isVisible() and self.window.page.totals.label.startswith("Total of")

    def _group(self) -> bool:
        if not self._settled() or self.window.workspace.fetching:
            return False
        self._click(self.window.page.grouping.chips["project_id"])
        return True

    def _copy(self) -> bool:
        if [head.name for head in self.window.page.model.table.heads] != ["model", "project_id"]:
            return False
        self.window.copying.done.connect(self._on_copied)
        self.window.page.window().activateWindow()
        table = self.window.page.table
        table.setFocus()
        QTest.keyClick(table, Qt.Key.Key_A, CTRL)
        QTest.keyClick(table, Qt.Key.Key_C, CTRL)
        return True

    def _on_copied(self, message: str) -> None:
        self.message = message

    def _say(self) -> bool:
        if not hasattr(self, "message"):
            return False
        sys.stdout.write(f"{self.message}\n")
        sys.stdout.flush()
        return True

    def _click(self, target: QWidget) -> None:
        QTest.mouseClick(target, Qt.MouseButton.LeftButton)


def _sit_down(application: QObject) -> None:
    User(application)


def _begin() -> None:
    """Wait for the application and start the user in its thread; the end of the input closes the window."""
    while not isinstance(QCoreApplication.instance(), QApplication):
        threading.Event().wait(0.01)
    application = QCoreApplication.instance()
    assert application is not None
    QTimer.singleShot(0, application, lambda: _sit_down(application))
    sys.stdin.read()
    QMetaObject.invokeMethod(application, "closeAllWindows", Qt.ConnectionType.QueuedConnection)


if __name__ == "__main__":
    threading.Thread(target=_begin, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
