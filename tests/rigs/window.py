"""A real window on a real server: everything between them is what a user runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.rigs.clock import Clock
from usage_viewer.app.profile import organizations as listed
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import PeriodColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import VALUE_ROLE
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import Keystore, MemoryKeystore

TIMEOUT = 60_000
"""Milliseconds after which something that never comes fails a test."""


@dataclass
class Desk:
    """What a user sits at: a server, a data directory, a keyring, and windows that are closed at the end."""

    qtbot: QtBot
    server: DemoServer
    data_dir: Path
    clock: Clock = field(default_factory=Clock)
    windows: list[MainWindow] = field(default_factory=list)
    others: dict[str, Callable[[str], Profile]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.clock = self.clock

    def profile(self, keystore: Callable[[], Keystore]) -> Profile:
        place = ProfilePaths(self.data_dir)
        return Profile(
            place.profile,
            base_url=self.server.base_url,
            database=place.database,
            keystore=keystore,
            clock=self.clock,
        )

    def start(self, keystore: Callable[[], Keystore] | None = None, *, wait: bool = True) -> MainWindow:
        """A window as a start of the program makes it; by default with the server's key in memory."""
        window = self.make(keystore)
        if wait:
            with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
                window.start()
        else:
            window.start()
        return window

    def make(self, keystore: Callable[[], Keystore] | None = None) -> MainWindow:
        """The same, before it is told what to begin with."""
        keys = MemoryKeystore(AdminKey.parse(self.server.key)) if keystore is None else None
        window = MainWindow(
            self.profile(keystore or (lambda: keys or MemoryKeystore())),
            ProfilePaths(self.data_dir),
            self.open_demo,
            self.make_profile,
        )
        self.windows.append(window)
        window.show()
        return window

    def make_profile(self, one: listed.Organization) -> Profile:
        """Of another organization: what a test has put there, or the same server with no key."""
        if one.id in self.others:
            return self.others[one.id](one.label)
        return Profile(
            one.id,
            label=one.label,
            base_url=one.base_url or self.server.base_url,
            database=ProfilePaths(self.data_dir, one.id).database,
            keystore=MemoryKeystore,
            clock=self.clock,
        )

    def open_demo(self) -> Demo:
        return DemoAtHand(self.server)

    def settle(self, window: MainWindow, act: Callable[[], object]) -> None:
        """Acts, then waits until everything that was asked for is shown."""
        with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
            act()

    def asked(self) -> list[dict[str, list[str]]]:
        """The parameters of every request for usage by group so far; those that only prove sums aside."""
        return [
            request.query
            for request in self.server.requests
            if "/usage/" in request.path and "group_by" in request.query
        ]

    def close(self, window: MainWindow) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.close()
            window.finish()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


@dataclass
class Hands:
    """What a user does with a window: only what a mouse and a keyboard can."""

    desk: Desk

    @property
    def _qtbot(self) -> QtBot:
        return self.desk.qtbot

    def click(self, target: QWidget) -> None:
        self._qtbot.mouseClick(target, Qt.MouseButton.LeftButton)

    def key(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, *, times: int = 1
    ) -> None:
        """To whatever has the focus, as the keyboard does."""
        for _ in range(times):
            self._qtbot.keyClick(self.focus, key, modifiers)

    def type(self, text: str) -> None:
        self._qtbot.keyClicks(self.focus, text)

    @property
    def focus(self) -> QWidget:
        """What hears the keyboard: within the popup that is open, else in the window."""
        popup = QApplication.activePopupWidget()
        if popup is not None:
            return cast("QWidget | None", popup.focusWidget()) or popup
        active = QApplication.activeWindow()
        if active is None or not active.isVisible():
            # A window system gives the keyboard back when a popup closes; the offscreen platform has none.
            self.activate(self.desk.windows[-1])
        widget = QApplication.focusWidget()
        assert widget is not None, "nothing has the focus"
        return widget

    def activate(self, window: QWidget) -> None:
        """Gives the keyboard to a window, as a window system does when one opens."""
        window.activateWindow()
        self._qtbot.waitUntil(window.isActiveWindow)

    def pick(self, text: str, menu: QMenu | None = None) -> None:
        """Clicks an entry of the menu that is open; mnemonics aside."""
        menu = menu or self.menu
        action = entry(menu, text)
        assert action.isEnabled(), f"{text} is grey"
        self._qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())

    @property
    def menu(self) -> QMenu:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        return menu

    def button(self, text: str, within: QWidget) -> QPushButton:
        return next(
            one
            for one in within.findChildren(QPushButton)
            if one.text().replace("&", "") == text and one.isVisibleTo(within)
        )

    def head(self, window: MainWindow, name: str) -> QPoint:
        """The middle of a column's head."""
        header = window.page.table.header
        place = window.page.model.section(name)
        return QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) // 2, header.height() // 2)

    def sort(self, window: MainWindow, name: str, *, add: bool = False) -> None:
        modifier = Qt.KeyboardModifier.ControlModifier if add else Qt.KeyboardModifier.NoModifier
        viewport = window.page.table.header.viewport()
        self._qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, modifier, self.head(window, name))

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        """In steps, as a hand does."""
        self._mouse(widget, QEvent.Type.MouseButtonPress, start)
        for step in range(1, 9):
            self._mouse(widget, QEvent.Type.MouseMove, start + (end - start) * (step / 8))
        self._mouse(widget, QEvent.Type.MouseButtonRelease, end)

    def _mouse(self, widget: QWidget, kind: QEvent.Type, place: QPoint) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind is QEvent.Type.MouseMove else left
        held = none if kind is QEvent.Type.MouseButtonRelease else left
        point, screen = QPointF(place), QPointF(widget.mapToGlobal(place))
        event = QMouseEvent(kind, point, screen, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)


def entry(menu: QMenu, text: str) -> QAction:
    return next(one for one in menu.actions() if one.text().replace("&", "").partition("\t")[0] == text)


NumberColumn = dict[str, int | None]
Sums = dict[tuple[object, ...], NumberColumn]


@dataclass
class Oracle:
    """The same answers in plain Python, from the organization itself; UTC."""

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
        """By the start of the period (unless it is the whole range) and the grouping's values."""
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

    def totals(self, view: ViewState) -> NumberColumn:
        sums = list(self.sums(replace(view, per=Granularity.TOTAL, grouping=())).values())
        return sums[0] if sums else {}


def _text(value: bool) -> str:
    return "true" if value else "false"


def _period(per: Granularity, bucket: int, start: int) -> tuple[int, ...]:
    """The start of the period that a bucket lies in; the first one begins with the range."""
    day = datetime.fromtimestamp(bucket, UTC)
    if per is Granularity.TOTAL:
        return ()
    if per is Granularity.MONTH:
        return (max(start, int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp())),)
    if per is Granularity.WEEK:
        first = QLocale().firstDayOfWeek().value - 1
        return (max(start, bucket - (day.weekday() - first) % 7 * 86400),)
    return (bucket,)


def shown_sums(window: MainWindow) -> Sums:
    """What the table shows, as the model gives it; derived figures too."""
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
class DemoAtHand:
    """The demo as the program opens it, but on the server that runs already."""

    server: DemoServer

    @property
    def profile(self) -> Profile:
        key = AdminKey.parse(self.server.key)
        return Profile(
            "demo",
            base_url=self.server.base_url,
            database=None,
            keystore=lambda: MemoryKeystore(key, description="The demo needs no key of yours."),
        )

    def close(self) -> None:
        """The server belongs to the test."""
