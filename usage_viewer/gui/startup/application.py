"""Starts Qt and the window, or raises the window that is open already.

Importing this module loads Qt and little else: `show_startup_page` paints before the rest is loaded.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QLocale, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from usage_viewer import __version__
from usage_viewer.app.profile.paths import PROGRAM
from usage_viewer.app.settings.startup_table import find_startup_table, take_startup_table
from usage_viewer.gui.startup.collection_pause import (
    RESUME_AFTER_MS,
    end_pause,
    pause_collection,
    resume_collection,
)
from usage_viewer.gui.widgets.accessible_popups import show_popups_as_children
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.resources import asset

if TYPE_CHECKING:
    from usage_viewer.gui.startup.exception_hook import ExceptionHook
    from usage_viewer.gui.startup.single_instance import SingleInstance
    from usage_viewer.gui.workspace.app_context import AppContext

APP_ID = "io.github.usage_viewer.UsageViewer"
FIRST_PAINT_SECONDS = 0.3
"""How long the start waits for the startup page to be painted before it loads the rest."""
SWITCH_INTERVAL = 0.001
"""Seconds after which a busy thread lets others run; Python's default is 0.005. While 50 MB were decoded without
pauses, the window stood still for 16 instead of 146 ms.
"""


@dataclass(frozen=True)
class EarlyWindow:
    """A window that shows its startup page and is still to be loaded."""

    window: MainWindow
    instance: "SingleInstance"
    application: QApplication


def show_startup_page(data_dir: Path) -> EarlyWindow | None:
    """Show the window as it was closed if a valid startup table is stored; `run` has to load it.

    No window is open if the table is there, since a window takes it when it starts.
    """
    pause_collection()
    paths = find_startup_table(data_dir)
    table = take_startup_table(paths) if paths is not None and _has_display() else None
    if paths is None or table is None:
        return None
    application = make_application(with_icon=False)
    window = MainWindow(table)
    window.show()
    until = monotonic() + FIRST_PAINT_SECONDS
    flags = QEventLoop.ProcessEventsFlag
    while not window.painted and monotonic() < until:
        application.processEvents(flags.AllEvents | flags.WaitForMoreEvents, 20)
    from usage_viewer.gui.startup.portal import protect_window
    from usage_viewer.gui.startup.single_instance import SingleInstance

    protect_window()
    instance = SingleInstance(paths)
    instance.raise_requested.connect(window.come_to_front)
    application.setWindowIcon(_icon())
    return EarlyWindow(window, instance, application)


def run(context: "AppContext", early: EarlyWindow | None = None) -> int:
    """Run until the window is closed; return the exit status."""
    if early is not None:
        return _run_early(context, early)
    pause_collection()
    from usage_viewer.gui.startup.portal import protect_window
    from usage_viewer.gui.startup.single_instance import OpenWindow, SingleInstance, raise_running

    options = context.options
    if not _has_display():
        if options.screenshot is None:
            sys.stderr.write(
                "usage-viewer: There is no display.\nUse --snapshot FILE.png for a picture, or the table command.\n"
            )
            return 1
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = make_application()
    protect_window()
    if options.own_data:
        found = raise_running(context.paths)
        if found is OpenWindow.RAISED:
            return 0
        if found is OpenWindow.SILENT:
            sys.stderr.write(
                "usage-viewer: Another window of Usage Viewer is open, but it does not answer.\n"
                "If this window can't open the database, end the other process first.\n"
            )
        take_startup_table(context.paths)  # it is only valid for a start without an open window
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow()
    window.load(context)
    hook = _install_hook(window)
    instance = SingleInstance(context.paths) if options.own_data else None
    if instance is not None:
        instance.raise_requested.connect(window.come_to_front)
    if options.screenshot is not None:
        from usage_viewer.gui.startup.screenshot import Screenshot

        screenshot = Screenshot(window, options.screenshot)
        hook.raised.connect(screenshot.give_up)
    window.show()
    window.start()
    return _run_until_closed(application, window, instance)


def _run_early(context: "AppContext", early: EarlyWindow) -> int:
    window = early.window
    QApplication.processEvents()
    if not window.isVisible():  # closed while the program was loading
        early.instance.close()
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window.load(context)
    _install_hook(window)
    window.start()
    return _run_until_closed(early.application, window, early.instance)


def _install_hook(window: MainWindow) -> "ExceptionHook":
    from usage_viewer.gui.startup.exception_hook import ExceptionHook

    hook = ExceptionHook()
    hook.raised.connect(window.show_unexpected)
    return hook


def _run_until_closed(application: QApplication, window: MainWindow, instance: "SingleInstance | None") -> int:
    QTimer.singleShot(RESUME_AFTER_MS, application, resume_collection)
    status = application.exec()
    end_pause()
    if instance is not None:
        instance.close()
    window.finish()
    return status


def make_application(*, with_icon: bool = True) -> QApplication:
    """Return the process's application and create it if there is none; its icon takes time to load."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    sys.setswitchinterval(SWITCH_INTERVAL)
    QGuiApplication.setDesktopFileName(APP_ID)
    application = QApplication([PROGRAM])
    application.setApplicationName(PROGRAM)
    application.setApplicationDisplayName("Usage Viewer")
    application.setApplicationVersion(__version__)
    group_digits_without_language()
    show_popups_as_children()
    if with_icon:
        application.setWindowIcon(_icon())
    return application


def group_digits_without_language() -> None:
    """Make numbers in texts grouped, as the table's are, where the system has no language: the C locale."""
    locale = QLocale()
    if locale.language() is QLocale.Language.C:
        locale.setNumberOptions(QLocale.NumberOption.DefaultNumberOptions)
        QLocale.setDefault(locale)


def _icon() -> QIcon:
    return QIcon(str(asset("icons/usage-viewer.svg")))


def _has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
