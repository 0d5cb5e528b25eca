"""Verified stays verified: after a restart, with a new key, and again by itself when something changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.verification import Bucket
from usage_viewer.gui.verification import verifier
from usage_viewer.keystore import MemoryKeystore

DAY = 86400


def totals_requests(rig: WindowRig) -> list[dict[str, list[str]]]:
    """Return the requests for totals without grouping."""
    return [
        request.query
        for request in rig.server.requests
        if "start_time" in request.query and "group_by" not in request.query and request.query.get("limit") != ["1"]
    ]


def badge(window: WindowUnderTest) -> str:
    return window.page.status.badge.text()


def settled_days(rig: WindowRig, days: int = 20) -> DateRange:
    """Return days that ended more than 72 hours ago."""
    today = datetime.fromtimestamp(rig.clock(), UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return DateRange(None, today - timedelta(days=40 + days), today - timedelta(days=40))


def show_settled(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, replace(window.view, range=settled_days(rig)))


def test_settled_data_is_verified_after_a_restart_without_a_request(rig: WindowRig) -> None:
    window = rig.start()
    show_settled(rig, window)
    before = badge(window)
    assert before.startswith("Verified ")
    rig.close(window)
    rig.clock.ahead = 20 * DAY
    rig.server.requests.clear()
    window = rig.start()
    assert badge(window) == before
    assert totals_requests(rig) == []


def test_recent_days_are_verified_again_by_themselves_after_a_restart(rig: WindowRig) -> None:
    window = rig.start()
    rig.close(window)
    rig.clock.ahead = 3600  # the last four days are fetched again
    rig.server.requests.clear()
    window = rig.start()
    assert badge(window).startswith("Verified ")
    assert len(totals_requests(rig)) == 1


def test_badge_says_when_the_background_verification_runs(rig: WindowRig) -> None:
    texts: list[tuple[str, str]] = []
    window = rig.start(wait=False)
    window.verifier.state_changed.connect(
        lambda state: texts.append((badge(window), window.page.status.badge.accessibleDescription()))
    )
    rig.qtbot.waitUntil(lambda: badge(window).startswith("Verified "), timeout=10_000)
    assert any(text == "Verifying…" and "in the background" in spoken for text, spoken in texts)


def test_only_changed_hours_are_compared_again(rig: WindowRig) -> None:
    window = rig.start()
    today = datetime.fromtimestamp(rig.clock(), UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    hours = replace(
        window.view,
        range=DateRange(None, today - timedelta(days=29), today + timedelta(days=1)),
        per=Granularity.HOUR,
        grouping=(),
    )
    rig.show(window, hours)
    assert badge(window).startswith("Verified ")
    session, coverage = window.workspace.session, window.workspace.last
    assert session is not None
    assert coverage is not None
    in_full = session.requests_to_verify(hours, coverage.look.coverage)
    assert in_full > 3
    rig.clock.ahead = 600
    rig.server.requests.clear()
    rig.settle(window, window.workspace.refresh)
    assert badge(window).startswith("Verified ")
    assert 0 < len(totals_requests(rig)) < in_full


def test_background_verification_is_bounded(rig: WindowRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "MAX_AUTOMATIC_REQUESTS", 0)
    window = rig.start()
    assert badge(window) == "Not verified yet"
    assert totals_requests(rig) == []


def test_failed_background_verification_is_not_repeated_for_the_same_data(rig: WindowRig) -> None:
    def failing(request: Request) -> Fault | None:
        is_total = request.query.get("bucket_width") == ["1d"] and "group_by" not in request.query
        return Fault(status=404) if is_total else None

    rig.server.faults = failing
    window = rig.start()
    asked = len(totals_requests(rig))
    assert asked
    rig.show(window, window.view.toggled("project_id"))
    rig.show(window, window.view.toggled("project_id"))
    assert len(totals_requests(rig)) == asked
    assert badge(window) == "Not verified yet"


def test_data_loaded_elsewhere_is_verified_by_itself(rig: WindowRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "MAX_AUTOMATIC_REQUESTS", 0)
    window = rig.start()
    rig.close(window)
    monkeypatch.setattr(verifier, "MAX_AUTOMATIC_REQUESTS", 60)
    window = rig.start()
    assert badge(window).startswith("Verified ")


def test_a_new_key_leaves_verified_totals_verified(rig: WindowRig, user: User) -> None:
    keys = MemoryKeystore(AdminKey.parse(ADMIN_KEY))
    window = rig.start(lambda: keys)
    before = badge(window)
    assert before.startswith("Verified ")
    window.commands.replace_key.trigger()
    rig.server.requests.clear()
    user.type(ADMIN_KEY)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert badge(window) == before


def test_days_do_not_vouch_for_hours(rig: WindowRig) -> None:
    """A verification of days ends while the same range is shown by the hour."""
    window = rig.start()
    session = window.workspace.session
    assert session is not None
    today = datetime.fromtimestamp(rig.clock(), UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    days = replace(
        window.view,
        range=DateRange(None, today - timedelta(days=9), today - timedelta(days=8)),
        per=Granularity.DAY,
    )
    rig.show(window, days)
    by_hour = replace(days, per=Granularity.HOUR)
    for _ in session.fetch(by_hour):
        pass
    rig.server.latency = 0.3
    window.verifier.verify()
    assert badge(window) == "Verifying…"
    rig.settle(window, lambda: window.workspace.show_view(by_hour))
    last = window.workspace.last
    assert last is not None
    (run,) = last.look.coverage.read
    assert run.width is BucketWidth.HOUR
    assert window.verifier.state.completeness == session.completeness(by_hour)
    assert window.verifier.state.completeness.buckets == 24


def test_refetched_bucket_is_not_verified_until_it_is_compared(
    rig: WindowRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = rig.start()
    monkeypatch.setattr(verifier, "MAX_AUTOMATIC_REQUESTS", 0)
    rig.clock.ahead = 600
    rig.settle(window, window.workspace.refresh)
    assert badge(window) == "Partly verified"
    rig.close(window)
    window = rig.start()
    assert badge(window) == "Partly verified"
    day = int(rig.clock()) // DAY * DAY - 12 * DAY
    rig.settle(window, lambda: window.verifier.refetch([Bucket(day, BucketWidth.DAY)]))
    assert badge(window).startswith("Verified ")
