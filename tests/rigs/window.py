"""Opens the program's window on the stand-in server; all code between them is the program's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget
from pytestqt.exceptions import TimeoutError
from pytestqt.qtbot import QtBot

from tests.rigs.clock import Clock, Pace
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import PeriodColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import VALUE_ROLE
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.workspace.app_context import AppContext, EraseAll, LaunchOptions
from usage_viewer.keystore import Keystore, MemoryKeystore

if TYPE_CHECKING:
    from usage_viewer.gui.clipboard.copy_controller import CopyController
    from usage_viewer.gui.sources.key_page import KeyPage
    from usage_viewer.gui.sources.organization_controller import OrganizationController
    from usage_viewer.gui.sources.snapshot_controller import SnapshotController
    from usage_viewer.gui.sources.source_controller import SourceController
    from usage_viewer.gui.verification.verifier import BackgroundVerifier
    from usage_viewer.gui.window.actions import Actions
    from usage_viewer.gui.window.main_page import MainPage
    from usage_viewer.gui.workspace.tasks import Tasks
    from usage_viewer.gui.workspace.workspace import Workspace

CHANNELS = ("open", "key", "look", "names", "fetch", "verify", "identities", "records", "copy", "demo", "snapshot")
TIMEOUT = 60_000
"""Milliseconds after which a signal that does not arrive fails a test."""


class WindowUnderTest(MainWindow):
    """Has short names for the parts of a loaded window; only tests know where the parts are."""

    @property
    def tasks(self) -> "Tasks":
        return self.parts.tasks

    @property
    def workspace(self) -> "Workspace":
        return self.parts.workspace

    @property
    def view(self) -> ViewState:
        """Returns the view that is asked for."""
        return self.workspace.view

    @property
    def page(self) -> "MainPage":
        return self.parts.page

    @property
    def key_page(self) -> "KeyPage":
        return self.parts.key_page

    @property
    def commands(self) -> "Actions":
        return self.parts.actions

    @property
    def source(self) -> "SourceController":
        return self.parts.source

    @property
    def organizations(self) -> "OrganizationController":
        return self.parts.organizations

    @property
    def snapshots(self) -> "SnapshotController":
        return self.parts.snapshots

    @property
    def copying(self) -> "CopyController":
        return self.parts.copying

    @property
    def verifier(self) -> "BackgroundVerifier":
        return self.parts.verifier

    @property
    def error(self) -> UsageViewerError | None:
        """Returns the error in the banner."""
        return self.page.banner.error

    @property
    def dialog(self) -> FormDialog:
        """Returns the dialog that is open."""
        return next(dialog for dialog in self.findChildren(FormDialog) if dialog.isVisible())


@dataclass
class WindowRig:
    """A server, a data directory, two clocks and the windows on them, which are closed at the end."""

    qtbot: QtBot
    server: DemoServer
    data_dir: Path
    clock: Clock = field(default_factory=Clock)
    pace: Pace = field(default_factory=Pace)
    windows: list[WindowUnderTest] = field(default_factory=list)
    others: dict[str, Callable[[str], Profile]] = field(default_factory=dict)
    """Builds the profile of another organization from its name, by its id."""

    def __post_init__(self) -> None:
        self.server.clock = self.clock

    @property
    def paths(self) -> ProfilePaths:
        """Returns the files of the first organization."""
        return ProfilePaths(self.data_dir)

    def profile(self, keystore: Callable[[], Keystore] | None = None) -> Profile:
        """Build the first organization's profile; by default its keystore has the server's key."""
        keys = MemoryKeystore(AdminKey.parse(self.server.key))
        return Profile(
            self.paths.profile,
            base_url=self.server.base_url,
            database=self.paths.database,
            keystore=keystore or (lambda: keys),
            clock=self.clock,
        )

    def context(
        self,
        keystore: Callable[[], Keystore] | None = None,
        *,
        erase_all: EraseAll | None = None,
        snapshot: Path | None = None,
    ) -> AppContext:
        """Build what the window is loaded with, as `__main__` does."""
        return AppContext(
            profile=self.profile(keystore),
            paths=self.paths,
            make_profile=self.make_profile,
            open_demo=self.open_demo,
            forget_keys=lambda id: self.make_profile(Organization(id, id)).keystore.forget(),
            erase_all=erase_all,
            options=LaunchOptions(snapshot=snapshot),
            seconds=self.pace,
        )

    def start(self, keystore: Callable[[], Keystore] | None = None, *, wait: bool = True) -> WindowUnderTest:
        """Open a window as the program does and wait until it has settled."""
        return self.open(self.context(keystore), wait=wait)

    def open(self, context: AppContext, *, wait: bool = True) -> WindowUnderTest:
        """Open a window with a context of the test's own."""
        window = self.add(WindowUnderTest())
        window.load(context)
        window.show()
        if wait:
            self.settle(window, window.start)
        else:
            window.start()
        return window

    def add(self, window: WindowUnderTest) -> WindowUnderTest:
        """Close this window at the end of the test."""
        self.windows.append(window)
        return window

    def make_profile(self, organization: Organization) -> Profile:
        """Build another organization's profile: the test's own, or one on the same server without a key."""
        if organization.id in self.others:
            return self.others[organization.id](organization.label)
        return Profile(
            organization.id,
            label=organization.label,
            base_url=organization.base_url or self.server.base_url,
            database=ProfilePaths(self.data_dir, organization.id).database,
            keystore=MemoryKeystore,
            clock=self.clock,
        )

    def open_demo(self) -> Demo:
        """Return the demo without starting a server."""
        return SharedServerDemo(self.server)

    def settle(self, window: MainWindow, act: Callable[[], object]) -> None:
        """Acts, then waits until everything that was asked for is shown."""
        try:
            with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
                act()
        except TimeoutError as error:
            raise AssertionError(f"the window has not settled: {_describe(window)}") from error

    def show(self, window: WindowUnderTest, view: ViewState) -> None:
        """Show a view and wait until it is shown."""
        self.settle(window, lambda: window.workspace.show_view(view))

    def usage_requests(self) -> list[dict[str, list[str]]]:
        """Return the parameters of all requests for grouped usage; requests for totals are left out."""
        return [
            request.query
            for request in self.server.requests
            if "/usage/" in request.path and "group_by" in request.query
        ]

    def close(self, window: WindowUnderTest) -> None:
        """Close a window as the end of the program does."""
        if window in self.windows:
            self.windows.remove(window)
            window.close()
            window.finish()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


@dataclass
class User:
    """Does what a person can do with mouse and keyboard."""

    rig: WindowRig

    @property
    def _qtbot(self) -> QtBot:
        return self.rig.qtbot

    def click(self, target: QWidget) -> None:
        """Clicks the middle of a widget."""
        self._qtbot.mouseClick(target, Qt.MouseButton.LeftButton)

    def key(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, *, times: int = 1
    ) -> None:
        """Presses a key, which goes to the widget with the focus."""
        for _ in range(times):
            self._qtbot.keyClick(self.focus, key, modifiers)

    def type(self, text: str) -> None:
        """Types text, which goes to the widget with the focus."""
        self._qtbot.keyClicks(self.focus, text)

    @property
    def focus(self) -> QWidget:
        """Returns the widget that gets the keys: in the open popup, or else in the window."""
        popup = QApplication.activePopupWidget()
        if popup is not None:
            return cast("QWidget | None", popup.focusWidget()) or popup
        active = QApplication.activeWindow()
        if active is None or not active.isVisible():
            # A window system activates the window below a popup that closes; the offscreen platform doesn't.
            self.activate(self.rig.windows[-1])
        widget = QApplication.focusWidget()
        assert widget is not None, "nothing has the focus"
        return widget

    def activate(self, window: QWidget) -> None:
        """Activates a window, as a window system does when it opens."""
        window.activateWindow()
        self._qtbot.waitUntil(window.isActiveWindow)

    def pick(self, text: str, menu: QMenu | None = None) -> None:
        """Clicks an entry of the open menu; `text` has no mnemonics."""
        menu = menu or self.menu
        action = entry(menu, text)
        assert action.isEnabled(), f"{text} is disabled"
        self._qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())

    def confirm(self, dialog: FormDialog) -> None:
        """Types the text that a removing dialog asks for and clicks its button."""
        self._qtbot.keyClicks(dialog.typed, dialog.to_type)
        self.click(dialog.button)

    @property
    def menu(self) -> QMenu:
        """Returns the open menu."""
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        return menu

    def button(self, text: str, within: QWidget) -> QPushButton:
        """Return the visible button with this text, without mnemonics."""
        return next(
            button
            for button in within.findChildren(QPushButton)
            if button.text().replace("&", "") == text and button.isVisibleTo(within)
        )

    def header_point(self, window: WindowUnderTest, name: str) -> QPoint:
        """Return the middle of a column's header."""
        header = window.page.table.header
        section = window.page.model.section(name)
        x = header.sectionViewportPosition(section) + header.sectionSize(section) // 2
        return QPoint(x, header.height() // 2)

    def sort(self, window: WindowUnderTest, name: str, *, add: bool = False) -> None:
        """Clicks a column's header; `add` sorts by it in addition."""
        modifier = Qt.KeyboardModifier.ControlModifier if add else Qt.KeyboardModifier.NoModifier
        viewport = window.page.table.header.viewport()
        self._qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, modifier, self.header_point(window, name))

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        """Drags from `start` to `end` in eight steps."""
        self._mouse(widget, QEvent.Type.MouseButtonPress, start)
        for step in range(1, 9):
            self._mouse(widget, QEvent.Type.MouseMove, start + (end - start) * (step / 8))
        self._mouse(widget, QEvent.Type.MouseButtonRelease, end)

    def _mouse(self, widget: QWidget, kind: QEvent.Type, place: QPoint) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind is QEvent.Type.MouseMove else left
        pressed = none if kind is QEvent.Type.MouseButtonRelease else left
        point, screen = QPointF(place), QPointF(widget.mapToGlobal(place))
        event = QMouseEvent(kind, point, screen, button, pressed, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)


def _describe(window: MainWindow) -> str:
    """Return the running work and the visible texts, to find out what a window waits for."""
    tasks, page = window.parts.tasks, window.parts.page
    busy = [name for name in CHANNELS if tasks.busy(name)]
    return f"{tasks.busy_count} tasks in {busy}; {page.status.text!r}; {page.banner.accessibleName()!r}"


def below(menu: QMenu, *texts: str) -> QMenu:
    """Return the menu that the entries with these texts lead to."""
    for text in texts:
        inner = entry(menu, text).menu()
        assert isinstance(inner, QMenu)
        menu = inner
    return menu


def entry(menu: QMenu, text: str) -> QAction:
    """Return the menu's action with this text, without mnemonics and keys."""
    return next(item for item in menu.actions() if item.text().replace("&", "").partition("\t")[0] == text)


Figures = dict[str, int | None]
Sums = dict[tuple[object, ...], Figures]


@dataclass
class Oracle:
    """Computes the same sums in plain Python from the sample organization, in UTC."""

    organization: SyntheticOrganization
    clock: Clock
    _rows: dict[tuple[object, ...], list[dict[str, Any]]] = field(default_factory=dict)

    def _read(self, *window: Any) -> list[dict[str, Any]]:
        if window not in self._rows:
            rows = self._rows[window] = list(self.organization.rows(*window))
            for row in rows:
                row.update({name: _text(value) for name, value in row.items() if isinstance(value, bool)})
        return self._rows[window]

    def sums(self, view: ViewState) -> Sums:
        """Return sums by the start of the period (not for the whole range) and the values of the grouping."""
        now = int(self.clock())
        span = view.range.resolve(now, UTC)
        start, end = span.start, span.end
        width = BucketWidth.HOUR if view.per is Granularity.HOUR else BucketWidth.DAY
        metrics = [metric.name for metric in view.dataset.metrics]
        sums: Sums = {}
        for row in self._read(view.dataset_name, start, end, width, now):
            if not all(item.passes(row[item.dimension]) for item in view.filters):
                continue
            key = (*_period(view.per, row["bucket"], start), *(row[name] for name in view.grouping))
            group = sums.setdefault(key, dict.fromkeys(metrics))
            for name in metrics:
                value = row[name]
                if value is not None:
                    group[name] = value + (group[name] or 0)
        return sums

    def totals(self, view: ViewState) -> Figures:
        """Return the total of each metric."""
        sums = list(self.sums(replace(view, per=Granularity.TOTAL, grouping=())).values())
        return sums[0] if sums else {}


def _text(value: bool) -> str:
    return "true" if value else "false"


def _period(per: Granularity, bucket: int, start: int) -> tuple[int, ...]:
    """Return the start of a bucket's period, which is never before the range; nothing for the whole range."""
    day = datetime.fromtimestamp(bucket, UTC)
    if per is Granularity.TOTAL:
        return ()
    if per is Granularity.MONTH:
        return (max(start, int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp())),)
    if per is Granularity.WEEK:
        first = QLocale().firstDayOfWeek().value - 1
        return (max(start, bucket - (day.weekday() - first) % 7 * 86400),)
    return (bucket,)


def shown_sums(window: WindowUnderTest) -> Sums:
    """Return all figures of the table's model by period and group."""
    model = window.page.model
    sums: Sums = {}
    for row in range(model.rowCount()):
        cells: Mapping[str, Any] = {
            column.name: model.index(row, place).data(VALUE_ROLE) for place, column in enumerate(model.columns)
        }
        key = tuple(
            int(column.periods.bounds[cells[column.name]])
            if isinstance(column, PeriodColumn)
            else cells[column.name]
            for column in model.table.heads
        )
        assert key not in sums
        sums[key] = {column.name: cells[column.name] for column in model.table.figures}
    return sums


@dataclass
class SharedServerDemo:
    """The demo on the server that the test has started."""

    server: DemoServer

    @property
    def profile(self) -> Profile:
        """Builds the demo's profile."""
        key = AdminKey.parse(self.server.key)
        return Profile(
            "demo",
            base_url=self.server.base_url,
            database=None,
            keystore=lambda: MemoryKeystore(key, description="Demo: no key needed."),
        )

    def close(self) -> None:
        """Leaves the server to the test."""
