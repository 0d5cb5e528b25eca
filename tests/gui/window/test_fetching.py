"""How a fetch goes: seen, stopped, failed, taken up again; what is missing is never shown as complete."""

import html
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QWidget

from tests.rigs.load import slowdown
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.table import FigureColumn
from usage_viewer.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands, Oracle

CTRL = Qt.KeyboardModifier.ControlModifier
YEAR = DateRange(Preset.LAST_12_MONTHS)
WINDOWS = 11
"""Of a year by day, 31 days each, when its last 30 days are held."""


class Gate:
    """Lets the first `open_for` requests for usage through, and holds or spoils the others until it is opened."""

    def __init__(self, open_for: int, fault: Fault | None = None) -> None:
        self.left, self.fault = open_for, fault
        self.held = threading.Event()
        self._lock = threading.Lock()
        self.opened = threading.Event()

    def __call__(self, request: Request) -> Fault | None:
        if "/usage/" not in request.path or self.opened.is_set():
            return None
        with self._lock:
            self.left -= 1
            if self.left >= 0:
                return None
        self.held.set()
        if self.fault is None:
            self.opened.wait(10)
        return self.fault


def _show_year(window: MainWindow) -> None:
    window.workspace.show_view(window.workspace.view.with_range(YEAR))


def _input_total(window: MainWindow) -> object:
    column = window.page.model.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    return column.total


def _begin_year(desk: "Desk", gate: Gate) -> MainWindow:
    """A window in which a year's fetch has come to a halt behind `gate`, with something shown of it."""
    window = desk.start()
    desk.server.faults = gate
    _show_year(window)
    desk.qtbot.waitUntil(gate.held.is_set)
    return window


def test_progress_is_determinate_and_what_is_missing_is_said(desk: "Desk", oracle: "Oracle") -> None:
    gate = Gate(4)
    window = _begin_year(desk, gate)
    page = window.page
    try:
        desk.qtbot.waitUntil(lambda: f"4 of {WINDOWS} windows" in page.status.text)
        bar = page.status.findChildren(QProgressBar)[0]
        assert bar.isVisible()
        assert (bar.value(), bar.maximum()) == (4, WINDOWS)
        desk.qtbot.waitUntil(lambda: int(page.status.text.split(" of ")[0]) > 30)
        days = page.status.text.split(" · ")[0]
        assert int(days.split(" ")[2]) > 330
        assert days in page.totals.label
        assert days in page.totals.accessibleName()
    finally:
        desk.settle(window, gate.opened.set)
    assert page.totals.label.startswith("Total of")
    assert not page.status.findChildren(QProgressBar)[0].isVisible()
    assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]


@pytest.mark.parametrize("by_key", [True, False])
def test_cancel_stops_at_once_and_keeps_what_is_complete(desk: "Desk", hands: "Hands", by_key: bool) -> None:
    gate = Gate(4)
    window = _begin_year(desk, gate)
    status = window.page.status
    desk.qtbot.waitUntil(lambda: "4 of 11" in status.text)
    began = time.monotonic()
    if by_key:
        hands.key(Qt.Key.Key_Period, CTRL)
    else:
        hands.click(hands.button("Cancel", status))
    desk.qtbot.waitUntil(lambda: not window.workspace.fetching, timeout=int(300 * slowdown()))
    assert time.monotonic() - began < 0.3 * slowdown()
    desk.qtbot.wait(100)
    assert "Stopped. Refresh fetches the rest." in status.text
    held, _, whole = status.text.partition(" of ")
    assert 30 < int(held) < int(whole.split(" ")[0])
    assert window.page.totals.label.startswith(f"{held} of ")
    assert window.page.table.isVisible()
    asked = len(desk.asked())
    gate.opened.set()
    desk.qtbot.wait(300)
    assert len(desk.asked()) == asked, "something went on asking"
    desk.settle(window, lambda: hands.key(Qt.Key.Key_F5))  # the rest is to be had when asked for
    assert window.page.totals.label.startswith("Total of")


def test_a_fault_midway_is_named_and_retry_asks_only_for_the_rest(
    desk: "Desk", hands: "Hands", oracle: "Oracle"
) -> None:
    gate = Gate(5, Fault(status=400, body=b'{"error": {"message": "Boo.", "param": "start_time"}}'))
    window = _begin_year(desk, gate)
    banner = window.page.banner
    desk.qtbot.waitUntil(banner.isVisible)
    assert banner.error is not None
    assert "refused" in banner.error.title
    assert banner.error.hint
    assert "Boo." in banner.error.detail
    desk.qtbot.waitUntil(lambda: not window.workspace.fetching and not window.tasks.busy("look"))
    held = int(window.page.status.text.split(" of ")[0])
    assert 30 < held < 330
    assert window.page.totals.label.startswith(f"{held} of ")
    gate.opened.set()
    before = len(desk.asked())
    desk.settle(window, lambda: hands.click(hands.button("Retry", banner)))
    assert not banner.isVisible()
    asked = desk.asked()[before:]
    assert len(asked) == WINDOWS - 5, "what was held was asked for again"
    assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]


def test_a_wait_is_said(desk: "Desk") -> None:
    window = desk.start()
    gate = Gate(0, Fault(status=429, headers={"retry-after": "4"}, body=b'{"error": {"message": "Slow."}}'))
    desk.server.faults = gate
    _show_year(window)
    desk.qtbot.waitUntil(lambda: "Rate limited, next try in" in window.page.status.text)
    assert window.workspace.fetching
    assert not window.page.banner.isVisible()
    # The notice stays as long as the wait does, though other messages go after a while.
    assert " 4 s" in window.page.status.text


def test_a_key_that_is_revoked_midway(desk: "Desk", hands: "Hands") -> None:
    revoked = b'{"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}'
    gate = Gate(3, Fault(status=401, body=revoked))
    window = _begin_year(desk, gate)
    banner = window.page.banner
    desk.qtbot.waitUntil(banner.isVisible)
    desk.qtbot.waitUntil(lambda: not window.workspace.fetching)
    assert window.page.table.isVisible()  # what was fetched can still be looked at
    hands.click(hands.button("Enter another key", banner))
    assert window.key_page.isVisible()
    gate.opened.set()
    hands.type(ADMIN_KEY)
    hands.key(Qt.Key.Key_Return)
    desk.qtbot.waitUntil(window.page.isVisible)
    assert not banner.isVisible()
    desk.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert window.page.totals.label.startswith("Total of")


def test_refresh_fetches_only_what_may_still_grow(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    before = len(desk.asked())
    desk.clock.ahead = 60
    desk.settle(window, lambda: hands.key(Qt.Key.Key_F5))
    asked = desk.asked()[before:]
    assert len(asked) == 1
    assert int(asked[0]["limit"][0]) <= 5  # days that ended less than 72 h ago
    before = len(desk.asked())
    desk.settle(window, lambda: hands.click(window.page.grouping.chips["batch"]))
    assert len(desk.asked()) == before


def test_back_in_front_after_five_minutes(desk: "Desk") -> None:
    window = desk.start()
    before = len(desk.asked())
    other = QWidget()
    desk.qtbot.addWidget(other)
    other.show()
    _activate(desk, other)
    _activate(desk, window)
    desk.qtbot.wait(100)
    assert len(desk.asked()) == before
    desk.clock.ahead = 301
    _activate(desk, other)
    desk.settle(window, lambda: _activate(desk, window))
    asked = desk.asked()[before:]
    assert len(asked) == 1
    assert int(asked[0]["limit"][0]) <= 5


def _activate(desk: "Desk", window: QWidget) -> None:
    window.activateWindow()
    desk.qtbot.waitUntil(window.isActiveWindow)


def test_rows_that_arrive_leave_the_place_where_it_was(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    view = window.workspace.view.with_grouping(["model", "project_id", "user_id"]).with_order(())
    desk.settle(window, lambda: window.workspace.show_view(view))
    table = window.page.table
    gate = Gate(3)
    desk.server.faults = gate
    _show_year(window)
    desk.qtbot.waitUntil(lambda: "3 of 11" in window.page.status.text)
    desk.qtbot.wait(300)
    table.setFocus()
    table.setCurrentIndex(window.page.model.index(12, 0))
    table.verticalScrollBar().setValue(150)
    row = [str(window.page.model.index(12, place).data()) for place in range(3)]
    desk.settle(window, gate.opened.set)
    assert table.verticalScrollBar().value() == 150
    assert table.hasFocus()
    now = table.currentIndex().row()
    assert [str(window.page.model.index(now, place).data()) for place in range(3)] == row


@pytest.fixture
def refusing(organization: SyntheticOrganization) -> Callable[[], DemoServer]:
    return lambda: DemoServer(organization, key=ADMIN_KEY, refused=("api_source",))


def test_a_refused_dimension_is_grey_and_says_why(
    desk: "Desk", oracle: "Oracle", refusing: Callable[[], DemoServer]
) -> None:
    with refusing() as server:
        server.clock = desk.clock
        desk.server = server
        window = desk.start()
        chip = window.page.grouping.chips["api_source"]
        assert not chip.isEnabled()
        assert html.escape("can't group by it") in chip.toolTip()
        assert "can't group by it" in chip.accessibleDescription()
        assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]
        assert all("api_source" not in one["group_by"] for one in desk.asked()[-1:])
        desk.close(window)
        before = len(desk.asked())
        desk.clock.ahead = 400
        window = desk.start()  # remembered: it isn't asked for again
        assert not window.page.grouping.chips["api_source"].isEnabled()
        assert all("api_source" not in one["group_by"] for one in desk.asked()[before:])
        desk.close(window)
