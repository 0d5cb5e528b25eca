"""Draws the loaded window to a PNG file and ends the program."""

import sys
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.window.main_window import MainWindow

SIZE = (1280, 800)
TIMEOUT_SECONDS = 120
LAYOUT_MS = 100
"""Milliseconds after the window has settled in which it lays out and paints what it shows."""


class Screenshot(QObject):
    """Exits with status 1 if the window can't load or the file can't be written."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        window.resize(*SIZE)
        window.settled.connect(self._on_settled)
        QTimer.singleShot(TIMEOUT_SECONDS * 1000, self, lambda: self._end(1, "The window didn't load in time."))

    def _on_settled(self, problem: str) -> None:
        QTimer.singleShot(LAYOUT_MS, self, lambda: self._draw(problem))

    def _draw(self, problem: str) -> None:
        picture = self._window.grab()
        with suppress(OSError):  # saving the picture reports it
            self._path.parent.mkdir(parents=True, exist_ok=True)
        if not picture.save(str(self._path), "PNG"):
            problem = f"{self._path} can't be written."
        self._end(1 if problem else 0, problem)

    def give_up(self, error: UsageViewerError) -> None:
        """End the program after an error that no code expected."""
        self._end(1, f"{error.title}. {error.detail}")

    def _end(self, status: int, problem: str) -> None:
        if problem:
            sys.stderr.write(f"usage-viewer: {problem}\n")
        QApplication.exit(status)
