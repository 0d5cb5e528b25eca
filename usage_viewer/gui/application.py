"""Starts Qt and the window, raises the one that runs already, or draws the loaded window to a picture."""

import logging
import os
import signal
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from usage_viewer import __version__
from usage_viewer.app.place import PROGRAM, Place
from usage_viewer.app.profile import Demo, Profile
from usage_viewer.assets import asset
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.key import mask_keys
from usage_viewer.gui.erasing import Erase
from usage_viewer.gui.main_window import MainWindow
from usage_viewer.gui.organizations import MakeProfile
from usage_viewer.gui.single_instance import SingleInstance, raise_running

APP_ID = "io.github.usage_viewer.UsageViewer"
SNAPSHOT_SIZE = (1280, 800)
SNAPSHOT_SECONDS = 120
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """What the window is started with. `open_demo` starts the stand-in server; it takes a moment."""

    profile: Profile
    place: Place
    open_demo: Callable[[], Demo]
    make_profile: MakeProfile
    erase_all: Erase
    demo: bool = False
    snapshot: Path | None = None
    open: Path | None = None  # a saved snapshot to be shown


def run(launch: Launch) -> int:
    """Runs until the window is closed; returns the exit status."""
    if not _has_display():
        if launch.snapshot is None:
            sys.stderr.write(
                "usage-viewer: There is no display.\nUse --snapshot FILE.png for a picture, or the table command.\n"
            )
            return 1
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = make_application()
    alone = not launch.demo and launch.snapshot is None and launch.open is None
    if alone and raise_running(launch.place):
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow(
        launch.profile,
        launch.place,
        launch.open_demo,
        launch.make_profile,
        remember=alone,
        erase_all=launch.erase_all if alone else None,
    )
    hook = ExceptHook()
    hook.raised.connect(window.show_unexpected)
    instance = SingleInstance(launch.place) if alone else None
    if instance is not None:
        instance.raise_requested.connect(window.come_to_front)
    if launch.snapshot is not None:
        window.resize(*SNAPSHOT_SIZE)
        picture = Snapshot(window, launch.snapshot)
        hook.raised.connect(picture.give_up)
    window.show()
    window.start(demo=launch.demo, snapshot=launch.open)
    status = application.exec()
    if instance is not None:
        instance.close()
    window.finish()
    return status


def make_application() -> QApplication:
    QGuiApplication.setDesktopFileName(APP_ID)
    application = QApplication([PROGRAM])
    application.setApplicationName(PROGRAM)
    application.setApplicationDisplayName("Usage Viewer")
    application.setApplicationVersion(__version__)
    application.setWindowIcon(QIcon(str(asset("icons/usage-viewer.svg"))))
    return application


def _has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Snapshot(QObject):
    """Draws the window to a picture once it is loaded, and ends the program: with 1 if it couldn't be loaded."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        window.settled.connect(self._on_settled)
        QTimer.singleShot(SNAPSHOT_SECONDS * 1000, self, lambda: self._end(1, "The window didn't load in time."))

    def _on_settled(self, problem: str) -> None:
        # One turn of the event loop, so that everything that was asked for is laid out and painted.
        QTimer.singleShot(100, self, lambda: self._draw(problem))

    def _draw(self, problem: str) -> None:
        picture = self._window.grab()
        with suppress(OSError):  # what can't be made can't be written to
            self._path.parent.mkdir(parents=True, exist_ok=True)
        if not picture.save(str(self._path), "PNG"):
            problem = f"{self._path} can't be written."
        self._end(1 if problem else 0, problem)

    def give_up(self, error: UsageViewerError) -> None:
        """After an error that nobody expected."""
        self._end(1, f"{error.title}. {error.detail}")

    def _end(self, status: int, problem: str) -> None:
        if problem:
            sys.stderr.write(f"usage-viewer: {problem}\n")
        QApplication.exit(status)


class ExceptHook(QObject):
    """Turns an exception that nobody caught into a line in the window; the window stays alive."""

    raised = Signal(object)  # UsageViewerError

    def __init__(self) -> None:
        super().__init__()
        sys.excepthook = self._on_exception

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        log.error("unexpected error", exc_info=(kind, error, trace))
        if not issubclass(kind, Exception):
            QApplication.exit(1)
            return
        detail = mask_keys(f"{kind.__name__}: {error}")
        self.raised.emit(UsageViewerError(detail, hint="The window goes on working."))
