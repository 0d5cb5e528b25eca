"""Runs the program and obeys lines of its input: `close`, or `report`, which prints the status bar."""

import sys
import threading
import time
from functools import partial

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from usage_viewer.__main__ import main
from usage_viewer.gui.window.main_window import MainWindow


def _window() -> MainWindow:
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow))


def _obey(line: str) -> None:
    if line == "close":
        _window().close()
    elif line == "report":
        sys.stdout.write(f"{_window().parts.page.status.text}\n")
        sys.stdout.flush()


def _listen() -> None:
    while not isinstance(QCoreApplication.instance(), QApplication):
        time.sleep(0.01)
    application = QCoreApplication.instance()
    assert application is not None
    for line in sys.stdin:
        QTimer.singleShot(0, application, partial(_obey, line.strip()))


if __name__ == "__main__":
    threading.Thread(target=_listen, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
