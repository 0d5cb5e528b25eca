"""A process that ends with its first painted window, and prints when that was: `ours FOLDER` or `bare FOLDER`."""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent.parent
NOW = 1_793_577_600.0
"""The evening of the last day that is held."""


def main(kind: str, folder: Path) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QWidget

    watched: list[QObject] = []  # kept as long as the loop runs

    class Watch(QObject):
        """Ends the process after the paint that shows rows, or after any if there is no telling."""

        def __init__(self, table: QWidget, shows: object = None) -> None:
            super().__init__()
            self._shows = shows
            table.installEventFilter(self)

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint and (self._shows is None or len(self._shows.rows)):  # type: ignore[attr-defined]
                QTimer.singleShot(0, _end)
            return False

    if kind == "bare":
        from PySide6.QtWidgets import QApplication, QMainWindow, QTableView

        application = QApplication([])
        window = QMainWindow()
        view = QTableView()
        window.setCentralWidget(view)
        watched.append(Watch(view.viewport()))
        window.resize(1280, 800)
        window.show()
        application.exec()
        return
    sys.path.insert(0, str(ROOT))
    from usage_viewer.app.place import Place
    from usage_viewer.app.profile import Profile
    from usage_viewer.gui.application import make_application
    from usage_viewer.gui.main_window import MainWindow
    from usage_viewer.keystore.session import SessionKeystore

    application = make_application()
    place = Place(folder)
    profile = Profile(
        "default",
        base_url="https://127.0.0.1:9",
        database=place.database,
        keystore=SessionKeystore,
        clock=lambda: NOW,
    )
    main_window = MainWindow(profile, place, _nothing, _nothing, remember=False)  # type: ignore[arg-type]
    main_window.resize(1280, 800)
    watched.append(Watch(main_window.page.table.viewport(), main_window.page.model))
    main_window.show()
    main_window.start()
    application.exec()


def _nothing(*given: object) -> None:
    raise AssertionError("nothing is fetched here")


def _end() -> None:
    print(time.monotonic(), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
