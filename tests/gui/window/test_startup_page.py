"""A start that paints first what the window showed when it was closed."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.startup_table import path_of, take_last_look
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.view import SortKey
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.window.startup_page import StartupPage
from usage_viewer.keystore import MemoryKeystore

if TYPE_CHECKING:
    from tests.rigs.window import Desk

HORIZONTAL = Qt.Orientation.Horizontal


def closed(desk: "Desk", window: MainWindow) -> dict[str, Any] | None:
    """What it leaves to the next start."""
    desk.close(window)
    return take_last_look(ProfilePaths(desk.data_dir), desk.clock)


def composed(desk: "Desk", look: dict[str, Any]) -> MainWindow:
    window = MainWindow.with_first_look(look)
    desk.windows.append(window)
    window.show()
    desk.qtbot.waitUntil(lambda: window.first_look_painted, timeout=5000)
    profile = desk.profile(lambda: MemoryKeystore(AdminKey.parse(desk.server.key)))
    window.compose(profile, ProfilePaths(desk.data_dir), desk.open_demo, desk.make_profile)
    return window


def test_the_first_look_is_what_the_store_says(desk: "Desk") -> None:
    first = desk.start()
    order = (SortKey("input_tokens", True),)
    first.workspace.show_view(first.workspace.view.with_order(order))
    desk.qtbot.waitUntil(lambda: first.page.model.view.order == order, timeout=5000)
    look = closed(desk, first)
    assert look is not None
    window = composed(desk, look)
    shown = window.findChild(StartupPage)
    assert shown is not None
    table = shown.table.model()
    early = [
        [table.index(row, section, QModelIndex()).data() for section in range(table.columnCount())]
        for row in range(table.rowCount())
    ]
    labels = [table.headerData(section, HORIZONTAL) for section in range(table.columnCount())]
    with desk.qtbot.waitSignal(window.settled, timeout=30_000):
        window.start()
        assert shown.isVisible()
    model, header = window.page.model, window.page.table.header
    sections = [header.logicalIndex(place) for place in range(header.count()) if not header.isSectionHidden(place)]
    assert labels == [model.headerData(section, HORIZONTAL) for section in sections]
    assert early == [[model.index(row, section).data() for section in sections] for row in range(len(early))]
    assert len(early) == min(model.rowCount(), 60)
    assert look["totals"][0] == window.page.totals.label
    assert look["heading"].startswith("Completions   Last 30 days · ")
    assert window.page.table.isVisible()
    desk.qtbot.waitUntil(lambda: window.findChild(StartupPage) is None, timeout=5000)


def test_no_key_is_in_it(desk: "Desk") -> None:
    window = desk.start()
    desk.close(window)
    text = path_of(ProfilePaths(desk.data_dir)).read_text()
    assert desk.server.key not in text
    assert "sk-" not in text


def test_nothing_is_left_of_what_was_erased(desk: "Desk") -> None:
    window = desk.start()
    window.workspace.disconnect_key()
    with desk.qtbot.waitSignal(window.workspace.shown, timeout=10_000):
        window.workspace.erase()
    desk.close(window)
    assert not path_of(ProfilePaths(desk.data_dir)).exists()


def test_what_is_fetched_or_can_not_be_asked_again_is_not_left(desk: "Desk") -> None:
    window = desk.start()
    view = window.workspace.view.with_search("gpt")
    window.workspace.show_view(view)
    desk.qtbot.waitUntil(lambda: window.page.model.view == view, timeout=5000)
    assert closed(desk, window) is None


def test_a_window_closed_at_its_first_look_ends(desk: "Desk") -> None:
    look = closed(desk, desk.start())
    assert look is not None
    window = MainWindow.with_first_look(look)
    desk.qtbot.addWidget(window)
    window.show()
    assert window.close()
    assert not window.isVisible()


def test_a_database_that_can_not_be_opened_ends_the_first_look(desk: "Desk") -> None:
    look = closed(desk, desk.start())
    assert look is not None
    ProfilePaths(desk.data_dir).database.write_bytes(b"damaged" * 1000)
    window = composed(desk, look)
    with desk.qtbot.waitSignal(window.settled, timeout=30_000) as settled:
        window.start()
    assert window.page.isVisible()
    assert settled.args is not None
    assert settled.args[0]
    assert path_of(ProfilePaths(desk.data_dir)).exists() is False
