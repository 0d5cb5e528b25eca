"""Tests the window without a mouse: focus order, accessible names, unique keys, and every step of the work."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.network_errors import RequestRefused
from usage_viewer.keystore import Keystore

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def _walk(user: User, key: Qt.Key, start: QWidget) -> list[QWidget]:
    """Return the widgets that a key moves the focus through, from `start` back to `start`."""
    start.setFocus()
    seen = [user.focus]
    for _ in range(60):
        user.key(key)
        if user.focus is seen[0]:
            return seen
        assert user.focus not in seen, "the focus order skips widgets"
        seen.append(user.focus)
    raise AssertionError("the focus does not return to its start")


def _reachable(window: WindowUnderTest) -> set[QWidget]:
    """Return all visible widgets that take the focus by Tab."""
    return {
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.window() is window
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    }


@pytest.fixture
def crowded(rig: WindowRig) -> WindowUnderTest:
    """Open a window with as many visible controls as possible: filters, a banner with buttons, a search."""
    window = rig.start()
    view = window.workspace.view.only("model", "o5").excluding("batch", "true").with_search("o")
    rig.settle(window, lambda: window.workspace.show_view(view.toggled("project_id")))
    window.page.banner.show_error(RequestRefused("Boo."), [("Re&try", lambda: None)])
    QApplication.processEvents()
    return window


def test_tab_order_is_left_to_right_and_top_to_bottom(crowded: WindowUnderTest, user: User) -> None:
    order = _walk(user, Qt.Key.Key_Tab, crowded.page.dataset)
    assert set(order) == _reachable(crowded)
    assert len(order) > 20
    places = [(_line(widget, crowded), widget.mapTo(crowded, QPoint(0, 0)).x()) for widget in order]
    assert places == sorted(places), [widget.accessibleName() for widget in order]
    back = _walk(user, Qt.Key.Key_Backtab, crowded.page.dataset)
    assert back == [order[0], *reversed(order[1:])]


def _line(widget: QWidget, window: WindowUnderTest) -> int:
    """Return the number of the row of the window that a widget is in, from the top."""
    page = window.page
    chart = window.parts.chart.controller
    assert chart is not None, "the chart is not loaded"
    parts = (page.grouping, page.filters, page.banner, chart.pane.figure, chart.pane.heat_map, chart.pane.view)
    lines = {
        **dict(zip(parts, (1, 2, 3, 4, 4, 5), strict=True)),
        page.pivot: 1,
        page.totals: 7,
        page.pane: 6,
        page.status: 8,
    }
    return next((line for part, line in lines.items() if widget is part or part.isAncestorOf(widget)), 0)


def test_focusable_widgets_have_accessible_names(crowded: WindowUnderTest, user: User) -> None:
    for widget in _walk(user, Qt.Key.Key_Tab, crowded.page.dataset):
        spoken = QAccessible.queryAccessibleInterface(widget)
        assert spoken is not None
        name = spoken.text(QAccessible.Text.Name)
        assert name, widget
        assert not name.startswith("&")
        described = (widget.accessibleDescription(), widget.toolTip(), spoken.text(QAccessible.Text.Description))
        assert any(described), name


def test_key_page_has_accessible_names(
    rig: WindowRig, user: User, system_keystore: Callable[[], Keystore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    window = rig.start(system_keystore)
    order = _walk(user, Qt.Key.Key_Tab, user.focus)
    assert set(order) == _reachable(window)
    names = [QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) for widget in order]
    assert names == ["Admin key", "Connect", "Try the demo"]
    assert all(widget.accessibleDescription() for widget in order)
    user.type("sk-admin-0123456789abcdefghij")
    field = QAccessible.queryAccessibleInterface(order[0])
    assert "0123456789" not in field.text(QAccessible.Text.Value)


def _tree(interface: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield interface
    for number in range(min(interface.childCount(), 200)):
        child = interface.child(number)
        if child.isValid():
            yield from _tree(child)


def test_accessible_tree_has_roles_names_and_cells(crowded: WindowUnderTest) -> None:
    top = QAccessible.queryAccessibleInterface(crowded)
    roles = Counter(one.role() for one in _tree(top) if not one.state().invisible)
    assert roles[QAccessible.Role.Table] == 1
    assert roles[QAccessible.Role.EditableText] == 1
    table = QAccessible.queryAccessibleInterface(crowded.page.table)
    assert table.text(QAccessible.Text.Name) == "Usage"
    model = crowded.page.model
    columns = table.childCount() // (model.rowCount() + 1)
    assert table.childCount() == columns * (model.rowCount() + 1)  # headers, then the rows
    spare = columns - model.columnCount()
    for place, column in enumerate(model.columns, spare):
        sorted_text = ", sorted descending" if column.name == "input_tokens" else ""
        assert table.child(place).text(QAccessible.Text.Name) == column.label + sorted_text
        cell = table.child(columns + place)
        assert cell.role() == QAccessible.Role.Cell
        shown = str(model.index(0, place - spare).data())
        assert cell.text(QAccessible.Text.Name) == ("not given" if shown == "–" else shown)
    totals = QAccessible.queryAccessibleInterface(crowded.page.totals)
    assert "Input: " in totals.text(QAccessible.Text.Name)
    for button in crowded.page.findChildren(QAbstractButton):
        if button.isVisible() and button.focusPolicy() != Qt.FocusPolicy.NoFocus:
            assert QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name)


def _menu_actions(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        inner = action.menu()
        if not action.isSeparator():
            yield action
        if isinstance(inner, QMenu):
            yield from _menu_actions(inner)


def _menus(menu: QMenu) -> Iterator[QMenu]:
    yield menu
    for action in menu.actions():
        if isinstance(below := action.menu(), QMenu):
            yield from _menus(below)


def test_every_menu_entry_has_a_key(crowded: WindowUnderTest) -> None:
    menu = crowded.page._buttons["more"].menu()
    for action in _menu_actions(menu):
        assert "&" in action.text() or action.shortcuts(), action.text()
    per = crowded.page.per.menu_actions["day"].parent()
    assert isinstance(per, QMenu)
    dataset = crowded.page.dataset.menu_actions["costs"].parent()
    assert isinstance(dataset, QMenu)
    for level in (per, dataset, *_menus(menu)):
        letters = Counter(
            QKeySequence.mnemonic(action.text()).toString() for action in level.actions() if "&" in action.text()
        )
        assert max(letters.values()) == 1, letters


def _window_of(shortcut: QShortcut) -> QWidget | None:
    parent = shortcut.parent()
    return parent.window() if isinstance(parent, QWidget) else None


def test_no_key_has_two_meanings(crowded: WindowUnderTest) -> None:
    keys: list[tuple[str, str]] = [
        (key.toString(), action.text()) for action in crowded.commands.all for key in action.shortcuts()
    ]
    for shortcut in crowded.findChildren(QShortcut):
        if _window_of(shortcut) is crowded:
            keys += [(key.toString(), str(shortcut.parent())) for key in QShortcut.keys(shortcut)]
    for button in crowded.page.findChildren(QAbstractButton):
        if button.window() is crowded and not button.shortcut().isEmpty():
            keys.append((button.shortcut().toString(), button.accessibleName() or button.text()))
    for label in crowded.page.findChildren(QLabel):
        if label.buddy() is not None and label.window() is crowded:
            keys.append((QKeySequence.mnemonic(label.text()).toString(), label.text()))
    twice = {
        key: [what for one, what in keys if one == key]
        for key, count in Counter(k for k, _ in keys).items()
        if count > 1
    }
    assert not twice


def test_shortcut_dialog_lists_every_key(crowded: WindowUnderTest, user: User) -> None:
    user.key(Qt.Key.Key_F1)
    sheet = QApplication.activeModalWidget()
    assert sheet is not None
    texts = " ".join(label.text() for label in sheet.findChildren(QLabel))
    native = QKeySequence.SequenceFormat.NativeText
    for action in crowded.commands.all:
        if action.shortcuts():
            assert action.shortcut().toString(native) in texts
    for shortcut in crowded.page.findChildren(QShortcut):
        if _window_of(shortcut) is crowded:
            assert shortcut.key().toString(native) in texts
    for button in crowded.page.findChildren(QAbstractButton):
        key = button.shortcut().toString(native)
        if button.window() is crowded and key and "&" not in button.text():
            assert key in texts
    user.rig.qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_R, Qt.Key.Key_M, Qt.Key.Key_P, Qt.Key.Key_Z])
def test_escape_closes_a_popup_and_restores_the_focus(rig: WindowRig, user: User, key: Qt.Key) -> None:
    window = rig.start()
    table = window.page.table
    table.setFocus()
    user.key(key, ALT)
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    user.key(Qt.Key.Key_Escape)
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert user.focus is table


def test_escape_closes_the_menu_and_restores_the_focus(rig: WindowRig, user: User) -> None:
    window = rig.start()
    opened: list[str] = []

    def leave() -> None:
        opened.append(type(QApplication.activePopupWidget()).__name__)
        user.key(Qt.Key.Key_Escape)

    QTimer.singleShot(300, window, leave)
    user.key(Qt.Key.Key_O, ALT)
    rig.qtbot.waitUntil(lambda: opened == ["QMenu"])
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert user.focus is window.page.table


def test_escape_in_a_checklist_returns_to_the_filter_bar(rig: WindowRig, user: User) -> None:
    window = rig.start()
    user.key(Qt.Key.Key_L, ALT)
    user.key(Qt.Key.Key_Return)
    user.key(Qt.Key.Key_Down)
    user.key(Qt.Key.Key_Return)
    assert window.page.filters.checklist.isVisible()
    user.key(Qt.Key.Key_Escape)
    assert not window.page.filters.checklist.isVisible()
    assert user.focus is window.page.filters.add_chip
    assert not window.workspace.view.filters


@pytest.mark.secret_service
def test_every_step_works_with_the_keyboard(
    rig: WindowRig,
    user: User,
    secret_service: object,
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)  # type: ignore[attr-defined]
    window = rig.start(system_keystore)
    model = window.page.model
    user.type(ADMIN_KEY)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert user.focus is window.page.table  # the arrow keys work at once
    user.key(Qt.Key.Key_G, ALT)
    user.key(Qt.Key.Key_Tab)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Space))
    assert window.workspace.view.grouping == ("model", "project_id")
    user.key(Qt.Key.Key_P, ALT)
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    rig.settle(window, lambda: user.key(Qt.Key.Key_W))
    assert window.workspace.view.per.value == "week"
    user.key(Qt.Key.Key_L, ALT)
    user.key(Qt.Key.Key_Return)
    user.key(Qt.Key.Key_Down, times=3)
    user.key(Qt.Key.Key_Return)
    assert window.page.filters.checklist.isVisible()
    user.type("o5")
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert [item.dimension for item in window.workspace.view.filters] == ["model"]
    _until(lambda: user.focus is window.page.table, lambda: user.key(Qt.Key.Key_Tab))
    user.key(Qt.Key.Key_Home, CTRL)
    table = window.page.table
    output = model.section("output_tokens")
    _until(lambda: table.currentIndex().column() == output, lambda: user.key(Qt.Key.Key_Right))
    rig.settle(window, lambda: user.key(Qt.Key.Key_S, CTRL | SHIFT))
    assert window.workspace.view.order[0].column.name == "output_tokens"
    user.key(Qt.Key.Key_Home, CTRL)
    user.key(Qt.Key.Key_Down, SHIFT, times=2)
    rig.qtbot.waitUntil(lambda: "3 rows" in window.page.status.text)
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_C, CTRL)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 4
    assert lines[0].split("\t")[:3] == ["Week (UTC)", "Model", "Project"]
    assert all(line.split("\t")[1].startswith("o5") for line in lines[1:])


def _until(reached: Callable[[], bool], step: Callable[[], None]) -> None:
    for _ in range(40):
        if reached():
            return
        step()
    raise AssertionError("the state was not reached")
