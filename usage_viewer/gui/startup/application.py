"""Starts Qt and the window, raises the one that runs already, or draws the loaded window to a picture.

Importing it loads Qt and little else: `begin` paints the last look before the rest is loaded.
"""

import logging
import os
import signal
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from usage_viewer import __version__
from usage_viewer.app.profile.paths import PROGRAM, ProfilePaths
from usage_viewer.app.settings.startup_table import place_of_last_look, take_last_look
from usage_viewer.domain.admin_key import mask_keys
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.resources import asset

if TYPE_CHECKING:
    from usage_viewer.app.profile.profile import Demo, Profile
    from usage_viewer.gui.sources.erase_controller import Erase
    from usage_viewer.gui.sources.organization_controller import MakeProfile
    from usage_viewer.gui.startup.single_instance import SingleInstance

APP_ID = "io.github.usage_viewer.UsageViewer"
SNAPSHOT_SIZE = (1280, 800)
SNAPSHOT_SECONDS = 120
FIRST_PAINT_SECONDS = 0.3
"""What the first look may take at most, before the rest is loaded whether it is painted or not."""
SWITCH_INTERVAL = 0.001
"""Seconds, instead of 5 ms, after which a busy thread is asked to let others go on; the window is one of these. It
stood still for 16 instead of 146 ms while 50 MB were decoded without pauses.
"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """What the window is started with. `open_demo` starts the stand-in server; it takes a moment."""

    profile: "Profile"
    place: ProfilePaths
    open_demo: "Callable[[], Demo]"
    make_profile: "MakeProfile"
    erase_all: "Erase"
    demo: bool = False
    snapshot: Path | None = None
    open: Path | None = None  # a saved snapshot to be shown


@dataclass(frozen=True)
class Begun:
    """A window with its first look."""

    window: MainWindow
    instance: "SingleInstance"
    application: QApplication


def begin(data_dir: Path) -> Begun | None:
    """Shows the window as it was closed, if that still holds; it has to be handed to `run`.

    Where a last look is, no window is open: one that is has taken it.
    """
    place = place_of_last_look(data_dir)
    look = take_last_look(place) if place is not None and _has_display() else None
    if place is None or look is None:
        return None
    application = make_application(dressed=False)
    window = MainWindow.with_first_look(look)
    window.show()
    until = monotonic() + FIRST_PAINT_SECONDS
    flags = QEventLoop.ProcessEventsFlag
    while not window.first_look_painted and monotonic() < until:
        application.processEvents(flags.AllEvents | flags.WaitForMoreEvents, 20)
    from usage_viewer.gui.startup.single_instance import SingleInstance

    instance = SingleInstance(place)
    instance.raise_requested.connect(window.come_to_front)
    application.setWindowIcon(_icon())
    return Begun(window, instance, application)


def run(launch: Launch, begun: Begun | None = None) -> int:
    """Runs until the window is closed; returns the exit status. `begun` is what `begin` gave."""
    if begun is not None:
        return _run_begun(launch, begun)
    from usage_viewer.gui.startup.single_instance import SingleInstance, raise_running

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
    if alone:
        take_last_look(launch.place)  # it is for a start when no window is open
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow(
        launch.profile,
        launch.place,
        launch.open_demo,
        launch.make_profile,
        remember=alone,
        erase_all=launch.erase_all if alone else None,
    )
    hook = _hooked(window)
    instance = SingleInstance(launch.place) if alone else None
    if instance is not None:
        instance.raise_requested.connect(window.come_to_front)
    if launch.snapshot is not None:
        window.resize(*SNAPSHOT_SIZE)
        picture = Snapshot(window, launch.snapshot)
        hook.raised.connect(picture.give_up)
    window.show()
    window.start(demo=launch.demo, snapshot=launch.open)
    return _until_closed(application, window, instance)


def _run_begun(launch: Launch, begun: Begun) -> int:
    window = begun.window
    QApplication.processEvents()
    if not window.isVisible():  # it was closed meanwhile
        begun.instance.close()
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window.compose(launch.profile, launch.place, launch.open_demo, launch.make_profile, erase_all=launch.erase_all)
    _hooked(window)
    window.start()
    return _until_closed(begun.application, window, begun.instance)


def _hooked(window: MainWindow) -> "ExceptHook":
    """From now on, errors that nobody expected are shown in the window."""
    hook = ExceptHook()
    hook.raised.connect(window.show_unexpected)
    return hook


def _until_closed(application: QApplication, window: MainWindow, instance: "SingleInstance | None") -> int:
    status = application.exec()
    if instance is not None:
        instance.close()
    window.finish()
    return status


def make_application(*, dressed: bool = True) -> QApplication:
    """The process's one; made anew only where there is none. `dressed`: with its icon, which takes time to load."""
    made = QApplication.instance()
    if isinstance(made, QApplication):
        return made
    sys.setswitchinterval(SWITCH_INTERVAL)
    QGuiApplication.setDesktopFileName(APP_ID)
    application = QApplication([PROGRAM])
    application.setApplicationName(PROGRAM)
    application.setApplicationDisplayName("Usage Viewer")
    application.setApplicationVersion(__version__)
    if dressed:
        application.setWindowIcon(_icon())
    return application


def _icon() -> QIcon:
    return QIcon(str(asset("icons/usage-viewer.svg")))


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
