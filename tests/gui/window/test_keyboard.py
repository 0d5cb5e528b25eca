"""The keyboard alone: the way from control to control, what each is called, every key once, and the whole job."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.errors import RequestRefused
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import Keystore

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def _walk(hands: "Hands", key: Qt.Key, start: QWidget) -> list[QWidget]:
    """The widgets that a key leads through, from `start` until it comes round."""
    start.setFocus()
    seen = [hands.focus]
    for _ in range(60):
        hands.key(key)
        if hands.focus is seen[0]:
            return seen
        assert hands.focus not in seen, "the way goes in a circle that leaves some out"
        seen.append(hands.focus)
    raise AssertionError("the way doesn't come round")


def _reachable(window: MainWindow) -> set[QWidget]:
    """Everything in sight that takes the focus by Tab."""
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
def crowded(desk: "Desk") -> MainWindow:
    """A window with as many controls in sight as can be: filters, a banner with its buttons, a selection."""
    window = desk.start()
    view = window.workspace.view.only("model", "o5").excluding("batch", "true").with_search("o")
    desk.settle(window, lambda: window.workspace.show_view(view.toggled("project_id")))
    window.page.banner.show_error(RequestRefused("Boo."), [("Re&try", lambda: None)])
    QApplication.processEvents()
    return window


def test_tab_goes_everywhere_from_left_to_right_and_from_top_to_bottom(crowded: MainWindow, hands: "Hands") -> None:
    there = _walk(hands, Qt.Key.Key_Tab, crowded.page.dataset)
    assert set(there) == _reachable(crowded)
    assert len(there) > 20
    places = [(_line(widget, crowded), widget.mapTo(crowded, QPoint(0, 0)).x()) for widget in there]
    assert places == sorted(places), [widget.accessibleName() for widget in there]
    back = _walk(hands, Qt.Key.Key_Backtab, crowded.page.dataset)
    assert back == [there[0], *reversed(there[1:])]


def _line(widget: QWidget, window: MainWindow) -> int:
    """The band of the window that a widget stands in: bars, banner, table, totals, status."""
    page = window.page
    for number, part in enumerate(
        (page.grouping, page.filters, page.banner, page.pane, page.totals, page.status), 1
    ):
        if widget is part or part.isAncestorOf(widget):
            return number if part is not page.pane or not page.totals.isAncestorOf(widget) else 5
    return 5 if widget is page.totals else 0


def test_whatever_has_the_focus_says_what_it_is(crowded: MainWindow, hands: "Hands") -> None:
    for widget in _walk(hands, Qt.Key.Key_Tab, crowded.page.dataset):
        spoken = QAccessible.queryAccessibleInterface(widget)
        assert spoken is not None
        name = spoken.text(QAccessible.Text.Name)
        assert name, widget
        assert not name.startswith("&")
        described = (widget.accessibleDescription(), widget.toolTip(), spoken.text(QAccessible.Text.Description))
        assert any(described), name


def test_the_key_page_says_what_it_is(
    desk: "Desk", hands: "Hands", system_keystore: Callable[[], Keystore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    window = desk.start(system_keystore)
    there = _walk(hands, Qt.Key.Key_Tab, hands.focus)
    assert set(there) == _reachable(window)
    names = [QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) for widget in there]
    assert names == ["Admin key", "Connect", "Try the demo"]
    assert all(widget.accessibleDescription() for widget in there)
    hands.type("sk-admin-0123456789abcdefghij")
    field = QAccessible.queryAccessibleInterface(there[0])
    assert "0123456789" not in field.text(QAccessible.Text.Value)


def _tree(interface: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield interface
    for number in range(min(interface.childCount(), 200)):
        child = interface.child(number)
        if child.isValid():
            yield from _tree(child)


def test_the_accessible_tree_has_roles_names_and_readable_cells(crowded: MainWindow) -> None:
    top = QAccessible.queryAccessibleInterface(crowded)
    roles = Counter(one.role() for one in _tree(top) if not one.state().invisible)
    assert roles[QAccessible.Role.Table] == 1
    assert roles[QAccessible.Role.EditableText] == 1
    table = QAccessible.queryAccessibleInterface(crowded.page.table)
    assert table.text(QAccessible.Text.Name) == "Usage"
    model = crowded.page.model
    columns = table.childCount() // (model.rowCount() + 1)
    assert table.childCount() == columns * (model.rowCount() + 1)  # heads, and then row by row
    spare = columns - model.columnCount()
    for place, column in enumerate(model.columns, spare):
        assert table.child(place).text(QAccessible.Text.Name) == column.label
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


def test_every_entry_of_the_menu_has_a_key(crowded: MainWindow) -> None:
    menu = crowded.page._buttons["more"].menu()
    for action in _menu_actions(menu):
        assert "&" in action.text() or action.shortcuts(), action.text()
    per = crowded.page.per.menu_actions["day"].parent()
    assert isinstance(per, QMenu)
    for level in [menu, per, *(action.menu() for action in menu.actions() if isinstance(action.menu(), QMenu))]:
        assert isinstance(level, QMenu)
        letters = Counter(
            QKeySequence.mnemonic(action.text()).toString() for action in level.actions() if "&" in action.text()
        )
        assert max(letters.values()) == 1, letters


def _window_of(shortcut: QShortcut) -> QWidget | None:
    parent = shortcut.parent()
    return parent.window() if isinstance(parent, QWidget) else None


def test_no_key_means_two_things(crowded: MainWindow) -> None:
    keys: list[tuple[str, str]] = [
        (key.toString(), action.text()) for action in crowded.actions_.all for key in action.shortcuts()
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


def test_the_sheet_lists_every_key(crowded: MainWindow, hands: "Hands") -> None:
    hands.key(Qt.Key.Key_F1)
    sheet = QApplication.activeModalWidget()
    assert sheet is not None
    told = " ".join(label.text() for label in sheet.findChildren(QLabel))
    native = QKeySequence.SequenceFormat.NativeText
    for action in crowded.actions_.all:
        if action.shortcuts():
            assert action.shortcut().toString(native) in told
    for shortcut in crowded.page.findChildren(QShortcut):
        if _window_of(shortcut) is crowded:
            assert shortcut.key().toString(native) in told
    for button in crowded.page.findChildren(QAbstractButton):
        key = button.shortcut().toString(native)
        if button.window() is crowded and key and "&" not in button.text():
            assert key in told
    hands.desk.qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_R, Qt.Key.Key_P, Qt.Key.Key_Z])
def test_esc_goes_back_to_where_the_keyboard_was(desk: "Desk", hands: "Hands", key: Qt.Key) -> None:
    window = desk.start()
    table = window.page.table
    table.setFocus()
    hands.key(key, ALT)
    desk.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    hands.key(Qt.Key.Key_Escape)
    desk.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert hands.focus is table


def test_the_menu_gives_the_keyboard_back(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    opened: list[str] = []

    def leave() -> None:
        opened.append(type(QApplication.activePopupWidget()).__name__)
        hands.key(Qt.Key.Key_Escape)

    QTimer.singleShot(300, window, leave)
    hands.key(Qt.Key.Key_O, ALT)
    desk.qtbot.waitUntil(lambda: opened == ["QMenu"])
    desk.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert hands.focus is window.page.table


def test_esc_in_a_checklist_goes_back_to_the_filters(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    hands.key(Qt.Key.Key_L, ALT)
    hands.key(Qt.Key.Key_Return)
    hands.key(Qt.Key.Key_Down)
    hands.key(Qt.Key.Key_Return)
    assert window.page.filters.checklist.isVisible()
    hands.key(Qt.Key.Key_Escape)
    assert not window.page.filters.checklist.isVisible()
    assert hands.focus is window.page.filters.add_chip
    assert not window.workspace.view.filters


@pytest.mark.secret_service
def test_the_whole_job_with_the_keyboard(
    desk: "Desk",
    hands: "Hands",
    secret_service: object,
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)  # type: ignore[attr-defined]
    window = desk.start(system_keystore)
    model = window.page.model
    hands.type(ADMIN_KEY)
    desk.settle(window, lambda: hands.key(Qt.Key.Key_Return))
    assert hands.focus is window.page.table  # the arrows walk in it at once
    hands.key(Qt.Key.Key_G, ALT)
    hands.key(Qt.Key.Key_Tab)
    desk.settle(window, lambda: hands.key(Qt.Key.Key_Space))
    assert window.workspace.view.grouping == ("model", "project_id")
    hands.key(Qt.Key.Key_P, ALT)
    desk.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    desk.settle(window, lambda: hands.key(Qt.Key.Key_W))
    assert window.workspace.view.per.value == "week"
    hands.key(Qt.Key.Key_L, ALT)
    hands.key(Qt.Key.Key_Return)
    hands.key(Qt.Key.Key_Down, times=4)
    hands.key(Qt.Key.Key_Return)
    assert window.page.filters.checklist.isVisible()
    hands.type("o5")
    desk.settle(window, lambda: hands.key(Qt.Key.Key_Return))
    assert [item.dimension for item in window.workspace.view.filters] == ["model"]
    _until(lambda: hands.focus is window.page.table, lambda: hands.key(Qt.Key.Key_Tab))
    hands.key(Qt.Key.Key_Home, CTRL)
    table = window.page.table
    output = model.section("output_tokens")
    _until(lambda: table.currentIndex().column() == output, lambda: hands.key(Qt.Key.Key_Right))
    desk.settle(window, lambda: hands.key(Qt.Key.Key_S, CTRL | SHIFT))
    assert window.workspace.view.order[0].column.name == "output_tokens"
    hands.key(Qt.Key.Key_Home, CTRL)
    hands.key(Qt.Key.Key_Down, SHIFT, times=2)
    desk.qtbot.waitUntil(lambda: "3 rows" in window.page.status.text)
    with desk.qtbot.waitSignal(window.copying.done):
        hands.key(Qt.Key.Key_C, CTRL)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 4
    assert lines[0].split("\t")[:3] == ["Week (UTC)", "Model", "Project"]
    assert all(line.split("\t")[1].startswith("o5") for line in lines[1:])


def _until(reached: Callable[[], bool], step: Callable[[], None]) -> None:
    for _ in range(40):
        if reached():
            return
        step()
    raise AssertionError("it is not reached")
