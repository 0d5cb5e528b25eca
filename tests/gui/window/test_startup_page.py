"""Tests a start that first paints the table of the last run."""

from PySide6.QtCore import QModelIndex, Qt

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.app.settings.startup_table import StartupTable, startup_table_path, take_startup_table
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.window.startup_page import StartupPage

HORIZONTAL = Qt.Orientation.Horizontal


def close_and_take(rig: WindowRig, window: WindowUnderTest) -> StartupTable | None:
    """Close a window and return the table that it stored for the next start."""
    rig.close(window)
    return take_startup_table(rig.paths, rig.clock)


def load_early(rig: WindowRig, stored: StartupTable | None) -> WindowUnderTest:
    """Paints a startup page, then loads the window."""
    assert stored is not None
    window = rig.add(WindowUnderTest(stored))
    window.show()
    rig.qtbot.waitUntil(lambda: window.painted, timeout=5000)
    window.load(rig.context())
    return window


def test_startup_table_equals_the_loaded_table(rig: WindowRig) -> None:
    first = rig.start()
    order = (SortKey("input_tokens", True),)
    first.workspace.show_view(first.view.with_order(order))
    rig.qtbot.waitUntil(lambda: first.page.model.view.order == order, timeout=5000)
    stored = close_and_take(rig, first)
    window = load_early(rig, stored)
    startup_page = window.findChild(StartupPage)
    assert startup_page is not None
    early_model = startup_page.table.model()
    early = [
        [early_model.index(row, section, QModelIndex()).data() for section in range(early_model.columnCount())]
        for row in range(early_model.rowCount())
    ]
    labels = [early_model.headerData(section, HORIZONTAL) for section in range(early_model.columnCount())]
    with rig.qtbot.waitSignal(window.settled, timeout=30_000):
        window.start()
        assert startup_page.isVisible()
    model, header = window.page.model, window.page.table.header
    sections = [header.logicalIndex(place) for place in range(header.count()) if not header.isSectionHidden(place)]
    assert labels == [model.headerData(section, HORIZONTAL) for section in sections]
    assert early == [[model.index(row, section).data() for section in sections] for row in range(len(early))]
    assert len(early) == min(model.rowCount(), 60)
    assert stored is not None
    assert stored.totals[0] == window.page.totals.label
    assert stored.heading.startswith("Completions   Last 30 days · ")
    assert window.page.table.isVisible()
    rig.qtbot.waitUntil(lambda: window.findChild(StartupPage) is None, timeout=5000)


def test_startup_table_contains_no_key(rig: WindowRig) -> None:
    rig.close(rig.start())
    text = startup_table_path(rig.paths).read_text()
    assert rig.server.key not in text
    assert "sk-" not in text


def test_erased_data_leaves_no_startup_table(rig: WindowRig) -> None:
    window = rig.start()
    window.workspace.disconnect_key()
    with rig.qtbot.waitSignal(window.workspace.shown, timeout=10_000):
        window.workspace.erase()
    rig.close(window)
    assert not startup_table_path(rig.paths).exists()


def test_search_leaves_no_startup_table(rig: WindowRig) -> None:
    window = rig.start()
    view = window.view.with_search("gpt")
    window.workspace.show_view(view)
    rig.qtbot.waitUntil(lambda: window.page.model.view == view, timeout=5000)
    assert close_and_take(rig, window) is None


def test_window_closes_while_it_shows_only_the_startup_page(rig: WindowRig) -> None:
    stored = close_and_take(rig, rig.start())
    assert stored is not None
    window = WindowUnderTest(stored)
    rig.qtbot.addWidget(window)
    window.show()
    assert window.close()
    assert not window.isVisible()


def test_open_error_replaces_the_startup_page(rig: WindowRig) -> None:
    stored = close_and_take(rig, rig.start())
    rig.paths.database.write_bytes(b"damaged" * 1000)
    window = load_early(rig, stored)
    with rig.qtbot.waitSignal(window.settled, timeout=30_000) as settled:
        window.start()
    assert window.page.isVisible()
    assert settled.args is not None
    assert settled.args[0]
    assert startup_table_path(rig.paths).exists() is False
