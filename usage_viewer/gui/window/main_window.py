"""Defines the window: a shell with pages, of which the startup page is painted before the rest is loaded.

Importing this module loads Qt and little else, so that the startup page appears early.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.startup_table import StartupTable, save_startup_table
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.widgets.spacing import UNIT
from usage_viewer.gui.window.startup_page import StartupPage

if TYPE_CHECKING:
    from usage_viewer.gui.window.window_parts import WindowParts
    from usage_viewer.gui.workspace.app_context import AppContext

SIZE = QSize(150 * UNIT, 92 * UNIT)
LEAST_SIZE = QSize(70 * UNIT, 50 * UNIT)
_FRAME = QSize(2 * UNIT, 6 * UNIT)
"""Room that the frame and the title bar of a new window may take, in logical pixels."""


class MainWindow(QMainWindow):
    """Shows one page at a time. `load` builds everything but the startup page, `start` opens the data."""

    settled = Signal(str)  # everything that was asked for is shown; "" or why it can't be

    def __init__(self, startup_table: StartupTable | None = None) -> None:
        super().__init__()
        self._parts: WindowParts | None = None
        self._startup_page: StartupPage | None = None
        self._captured: StartupTable | None = None
        self._pages = QStackedWidget(self)
        self.setCentralWidget(self._pages)
        room = self.screen().availableGeometry().size() - _FRAME
        self.setMinimumSize(LEAST_SIZE.boundedTo(room))
        self.resize(SIZE.boundedTo(room))
        self.setWindowTitle("Usage Viewer")
        if startup_table is not None:
            self._show_startup_page(startup_table)

    def _show_startup_page(self, stored: StartupTable) -> None:
        if stored.scheme != "system":
            from usage_viewer.gui.widgets.theme import use_scheme

            use_scheme(stored.scheme)
        self._startup_page = StartupPage(stored)
        self._pages.addWidget(self._startup_page)
        self.setWindowTitle(stored.title)
        self._restore_geometry(stored.geometry)

    @property
    def painted(self) -> bool:
        """Returns whether the startup page, if there is one, has been painted."""
        return self._startup_page is None or self._startup_page.painted

    @property
    def parts(self) -> "WindowParts":
        """Returns the pages and controllers of a loaded window."""
        assert self._parts is not None, "the window is not loaded"
        return self._parts

    def load(self, context: "AppContext") -> None:
        """Import and build all pages and controllers."""
        from usage_viewer.gui.window.window_parts import WindowParts

        parts = self._parts = WindowParts(context, self)
        self._pages.addWidget(parts.page)
        self._pages.addWidget(parts.key_page)
        parts.page_requested.connect(self._show_page)
        parts.startup_ended.connect(self._end_startup)
        parts.title_changed.connect(self.setWindowTitle)
        parts.settled.connect(self.settled)
        if self._startup_page is None:
            self._restore_geometry(parts.settings.current.geometry)

    def start(self) -> None:
        """Open what the launch options say, after the first paint."""
        parts, options = self.parts, self.parts.context.options

        def open_source() -> None:
            if options.snapshot is not None:
                parts.snapshots.open(options.snapshot)
            elif options.demo:
                parts.demo.toggle()
            else:
                parts.source.open_own()

        QTimer.singleShot(0, self, open_source)

    def finish(self) -> None:
        """End all work within a bounded time and store the startup table."""
        parts = self.parts
        parts.close()
        if self._captured is not None and parts.context.options.own_data:
            paths = ProfilePaths(parts.context.paths.data_dir, parts.source.own_profile.name)
            with suppress(OSError):  # then the next start has no early page
                save_startup_table(paths, self._captured)

    def show_unexpected(self, error: UsageViewerError) -> None:
        """Show an error that no code expected; the window stays usable."""
        self.parts.errors.show_alone(error)

    def come_to_front(self) -> None:
        """Raise the window when the program is started a second time."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Capture the startup table and write the settings."""
        if self._parts is not None:
            self._captured = self._capture(self._parts)
            self._parts.settings.save_geometry(self.saveGeometry())
            self._parts.settings.write()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Reload an old result when the window comes to the front."""
        super().changeEvent(event)
        if self._parts is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._parts.workspace.reload_if_outdated()

    def _capture(self, parts: "WindowParts") -> StartupTable | None:
        """Return the visible table if the next start begins with the same organization."""
        from usage_viewer.gui.window.startup_capture import capture_startup_table

        if parts.workspace.profile is not parts.source.own_profile or parts.settings.paused:
            return None
        geometry = self.saveGeometry().toBase64().toStdString()
        scheme = parts.settings.current.colour_scheme.value
        return capture_startup_table(parts.workspace, parts.page, geometry=geometry, scheme=scheme)

    def _show_page(self, page: QWidget) -> None:
        changed = self._pages.currentWidget() is not page
        self._pages.setCurrentWidget(page)
        self.parts.actions.of_table.setEnabled(page is self.parts.page)
        if changed and page is self.parts.page:
            self.parts.page.focus_table()  # Qt would give the focus to the first button
        startup_page, self._startup_page = self._startup_page, None
        if startup_page is not None:
            self._pages.removeWidget(startup_page)
            startup_page.deleteLater()

    def _end_startup(self) -> None:
        if self._startup_page is not None:
            self._show_page(self.parts.page)

    def _restore_geometry(self, geometry: str) -> None:
        if geometry:
            # Qt fits it to the screens of today: another one may have been there when it was saved.
            # Qt's decoder accepts any text: a damaged one restores nothing.
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "ignore")))
