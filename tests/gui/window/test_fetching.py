"""Tests progress, cancellation, failure and retry of a fetch; missing days are never shown as complete."""

import threading
import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QWidget

from tests.rigs.load import slowdown
from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.table import FigureColumn

CTRL = Qt.KeyboardModifier.ControlModifier
YEAR = DateRange(Preset.LAST_12_MONTHS)
WINDOWS = 11
"""Requests for a year by day, 31 days each, when its last 30 days are stored."""


class Gate:
    """Passes the first `open_for` usage requests, and delays or fails the others until it is opened.

    The first request of a year is for a single bucket.
    """

    def __init__(self, open_for: int, fault: Fault | None = None) -> None:
        self.left, self.fault = open_for, fault
        self.reached = threading.Event()
        self._lock = threading.Lock()
        self.opened = threading.Event()

    def __call__(self, request: Request) -> Fault | None:
        if "/usage/" not in request.path or self.opened.is_set():
            return None
        if request.query["limit"] == ["1"] and self.fault is None:  # asks whether the oldest bucket is granted
            return None
        with self._lock:
            self.left -= 1
            if self.left >= 0:
                return None
        self.reached.set()
        if self.fault is None:
            self.opened.wait(10)
        return self.fault


def _show_year(window: WindowUnderTest) -> None:
    window.workspace.show_view(window.workspace.view.with_range(YEAR))


def _input_total(window: WindowUnderTest) -> object:
    column = window.page.model.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    return column.total


def _begin_year(rig: WindowRig, gate: Gate) -> WindowUnderTest:
    """Open a window in which the fetch of a year waits at `gate`, with a part of it shown."""
    window = rig.start()
    rig.server.faults = gate
    _show_year(window)
    rig.qtbot.waitUntil(gate.reached.is_set)
    return window


def test_progress_and_missing_days_are_shown(rig: WindowRig, oracle: Oracle) -> None:
    gate = Gate(4)
    window = _begin_year(rig, gate)
    page = window.page
    try:
        rig.qtbot.waitUntil(lambda: f"4 of {WINDOWS} requests" in page.status.text)
        bar = page.status.findChildren(QProgressBar)[0]
        assert bar.isVisible()
        assert (bar.value(), bar.maximum()) == (4, WINDOWS)
        rig.qtbot.waitUntil(lambda: int(page.status.text.split(" of ")[0]) > 30)
        days = page.status.text.split(" · ")[0]
        assert int(days.split(" ")[2]) > 330
        assert days in page.totals.label
        assert days in page.totals.accessibleName()
    finally:
        rig.settle(window, gate.opened.set)
    assert page.totals.label.startswith("Total of")
    assert not page.status.findChildren(QProgressBar)[0].isVisible()
    assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]


@pytest.mark.parametrize("by_key", [True, False])
def test_cancel_stops_at_once_and_keeps_complete_buckets(rig: WindowRig, user: User, by_key: bool) -> None:
    gate = Gate(4)
    window = _begin_year(rig, gate)
    status = window.page.status
    rig.qtbot.waitUntil(lambda: "4 of 11" in status.text)
    began = time.monotonic()
    if by_key:
        user.key(Qt.Key.Key_Period, CTRL)
    else:
        user.click(user.button("Cancel", status))
    rig.qtbot.waitUntil(lambda: not window.workspace.fetching, timeout=int(300 * slowdown()))
    assert time.monotonic() - began < 0.3 * slowdown()
    rig.qtbot.wait(100)
    assert "Stopped. Press Refresh (F5) to load the rest." in status.text
    loaded, _, whole = status.text.partition(" of ")
    assert 30 < int(loaded) < int(whole.split(" ")[0])
    assert window.page.totals.label.startswith(f"{loaded} of ")
    assert window.page.table.isVisible()
    asked = len(rig.usage_requests())
    gate.opened.set()
    rig.qtbot.wait(300)
    assert len(rig.usage_requests()) == asked, "a request was made after the cancellation"
    rig.settle(window, lambda: user.key(Qt.Key.Key_F5))
    assert window.page.totals.label.startswith("Total of")


def test_retry_after_a_failure_requests_only_the_rest(rig: WindowRig, user: User, oracle: Oracle) -> None:
    gate = Gate(5, Fault(status=400, body=b'{"error": {"message": "Boo.", "param": "start_time"}}'))
    window = _begin_year(rig, gate)
    banner = window.page.banner
    rig.qtbot.waitUntil(banner.isVisible)
    assert banner.error is not None
    assert "refused" in banner.error.title
    assert banner.error.hint
    assert "Boo." in banner.error.detail
    rig.qtbot.waitUntil(lambda: not window.workspace.fetching and not window.tasks.busy("look"))
    loaded = int(window.page.status.text.split(" of ")[0])
    assert 30 < loaded < 330
    assert window.page.totals.label.startswith(f"{loaded} of ")
    gate.opened.set()
    before = len(rig.usage_requests())
    rig.settle(window, lambda: user.click(user.button("Retry", banner)))
    assert not banner.isVisible()
    asked = rig.usage_requests()[before:]
    assert len(asked) == WINDOWS - 4, "a stored window was requested again"
    assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]


def test_rate_limit_wait_is_shown(rig: WindowRig) -> None:
    window = rig.start()
    gate = Gate(0, Fault(status=429, headers={"retry-after": "4"}, body=b'{"error": {"message": "Slow."}}'))
    rig.server.faults = gate
    _show_year(window)
    rig.qtbot.waitUntil(lambda: "Rate limited; retrying in" in window.page.status.text)
    assert window.workspace.fetching
    assert not window.page.banner.isVisible()
    # The notice stays as long as the wait; other messages disappear after a while.
    assert " 4 s" in window.page.status.text


def test_key_revoked_during_a_fetch(rig: WindowRig, user: User) -> None:
    revoked = b'{"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}'
    gate = Gate(3, Fault(status=401, body=revoked))
    window = _begin_year(rig, gate)
    banner = window.page.banner
    rig.qtbot.waitUntil(banner.isVisible)
    rig.qtbot.waitUntil(lambda: not window.workspace.fetching)
    assert window.page.table.isVisible()  # downloaded data stays visible
    user.click(user.button("Enter another key", banner))
    assert window.key_page.isVisible()
    gate.opened.set()
    user.type(ADMIN_KEY)
    user.key(Qt.Key.Key_Return)
    rig.qtbot.waitUntil(window.page.isVisible)
    assert not banner.isVisible()
    rig.qtbot.waitUntil(lambda: window.page.totals.label.startswith("Total of"))
    assert window.page.totals.label.startswith("Total of")


def test_reload_fetches_final_days_too(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.server.requests.clear()
    rig.settle(window, lambda: user.key(Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier))
    (request,) = rig.usage_requests()
    days = (int(request["end_time"][0]) - int(request["start_time"][0])) // 86400
    assert days == 30
    rig.server.requests.clear()
    rig.settle(window, window.workspace.reload)
    assert rig.usage_requests() == []


def test_refresh_fetches_only_buckets_that_may_grow(rig: WindowRig, user: User) -> None:
    window = rig.start()
    before = len(rig.usage_requests())
    rig.clock.ahead = 60
    rig.settle(window, lambda: user.key(Qt.Key.Key_F5))
    asked = rig.usage_requests()[before:]
    assert len(asked) == 1
    assert int(asked[0]["limit"][0]) <= 5  # days that ended less than 72 h ago
    before = len(rig.usage_requests())
    rig.settle(window, lambda: user.click(window.page.grouping.chips["batch"]))
    assert len(rig.usage_requests()) == before


def test_window_reloads_after_five_minutes_in_the_background(rig: WindowRig) -> None:
    window = rig.start()
    before = len(rig.usage_requests())
    other = QWidget()
    rig.qtbot.addWidget(other)
    other.show()
    _activate(rig, other)
    _activate(rig, window)
    rig.qtbot.wait(100)
    assert len(rig.usage_requests()) == before
    rig.clock.ahead = 301
    _activate(rig, other)
    rig.settle(window, lambda: _activate(rig, window))
    asked = rig.usage_requests()[before:]
    assert len(asked) == 1
    assert int(asked[0]["limit"][0]) <= 5


def _activate(rig: WindowRig, window: QWidget) -> None:
    window.activateWindow()
    rig.qtbot.waitUntil(window.isActiveWindow)


def test_arriving_rows_keep_scroll_position_and_current_row(rig: WindowRig, user: User) -> None:
    window = rig.start()
    view = window.workspace.view.with_grouping(["model", "project_id", "user_id"]).with_order(())
    rig.settle(window, lambda: window.workspace.show_view(view))
    table = window.page.table
    gate = Gate(3)
    rig.server.faults = gate
    _show_year(window)
    rig.qtbot.waitUntil(lambda: "3 of 11" in window.page.status.text)
    rig.qtbot.wait(300)
    table.setFocus()
    table.setCurrentIndex(window.page.model.index(12, 0))
    table.verticalScrollBar().setValue(150)
    row = [str(window.page.model.index(12, place).data()) for place in range(3)]
    rig.settle(window, gate.opened.set)
    assert table.verticalScrollBar().value() == 150
    assert table.hasFocus()
    now = table.currentIndex().row()
    assert [str(window.page.model.index(now, place).data()) for place in range(3)] == row


@pytest.fixture
def refusing(organization: SyntheticOrganization) -> Callable[[], DemoServer]:
    return lambda: DemoServer(organization, key=ADMIN_KEY, refused=RefusedGroupings.of("api_source"))


def test_refused_dimension_is_disabled_with_a_reason(
    rig: WindowRig, oracle: Oracle, refusing: Callable[[], DemoServer]
) -> None:
    with refusing() as server:
        server.clock = rig.clock
        rig.server = server
        window = rig.start()
        chip = window.page.grouping.chips["api_source"]
        assert not chip.isEnabled()
        assert "Not available for this organization" in chip.toolTip()
        assert "Not available for this organization" in chip.accessibleDescription()
        assert _input_total(window) == oracle.totals(window.workspace.view)["input_tokens"]
        assert all("api_source" not in one["group_by"] for one in rig.usage_requests()[-1:])
        rig.close(window)
        before = len(rig.usage_requests())
        rig.clock.ahead = 400
        window = rig.start()  # the refusal is stored
        assert not window.page.grouping.chips["api_source"].isEnabled()
        assert all("api_source" not in one["group_by"] for one in rig.usage_requests()[before:])
        rig.close(window)
