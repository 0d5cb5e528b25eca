"""Incomplete data has an amber strip that says what is missing, and a failure is reported once."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.server.faults import Fault, Faults, Request
from usage_viewer.domain.coverage import cover
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.gui.widgets.theme import warning_colour
from usage_viewer.gui.window.incomplete_controller import missing_text
from usage_viewer.keystore import MemoryKeystore

YEAR = DateRange(Preset.LAST_12_MONTHS)


def buttons(widget: QWidget) -> list[str]:
    return [button.text().replace("&", "") for button in widget.findChildren(QPushButton) if button.isVisible()]


def visible_retries(window: WindowUnderTest) -> list[str]:
    return [text for text in buttons(window.page) if "etry" in text or "gain" in text]


def failing(request: Request) -> Fault | None:
    return Fault(status=400, body=b'{"error": {"message": "Boo.", "param": "start_time"}}')


def failing_after(count: int) -> Faults:
    """Fail the usage requests after the first `count`."""
    left = [count]

    def fault(request: Request) -> Fault | None:
        if "/usage/" not in request.path:
            return None
        left[0] -= 1
        return None if left[0] >= 0 else failing(request)

    return fault


def show_year(window: WindowUnderTest) -> None:
    window.workspace.show_view(window.view.with_range(YEAR))


def test_failure_is_told_once_and_the_strip_stays_when_the_banner_is_hidden(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.server.faults = failing_after(3)
    rig.settle(window, lambda: show_year(window))
    page = window.page
    assert page.banner.isVisible()
    assert not page.incomplete.isVisible()
    assert visible_retries(window) == ["Retry"]
    user.click(page.banner.findChildren(QToolButton)[0])
    assert not page.banner.isVisible()
    assert page.incomplete.isVisible()
    assert page.incomplete.title.startswith("Incomplete: ")
    assert " of 36" in page.incomplete.title
    assert page.incomplete.title.endswith(" days loaded")
    assert "Missing: " in page.incomplete.accessibleName()
    assert visible_retries(window) == ["Retry"]
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Retry", page.incomplete)))
    assert not page.incomplete.isVisible()
    assert page.status.text.startswith("Complete: 36")


def test_stopped_load_is_incomplete(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.server.latency = 0.2
    show_year(window)
    rig.qtbot.waitUntil(lambda: window.workspace.fetching)
    assert not window.page.incomplete.isVisible()  # while it loads, the progress is enough
    rig.settle(window, window.workspace.cancel)
    assert window.page.incomplete.isVisible()
    assert buttons(window.page.incomplete) == ["Retry"]
    rig.server.latency = 0
    rig.settle(window, lambda: user.click(user.button("Retry", window.page.incomplete)))
    assert not window.page.incomplete.isVisible()


def test_incomplete_data_without_a_match_is_incomplete(rig: WindowRig) -> None:
    window = rig.start()
    rig.server.latency = 0.2
    show_year(window)
    rig.qtbot.waitUntil(lambda: window.workspace.fetching)
    rig.settle(window, window.workspace.cancel)
    rig.show(window, window.view.only("model", "none such"))
    assert window.page.empty.title == "Nothing matches the filters"
    assert window.page.incomplete.isVisible()


def test_strip_is_amber(rig: WindowRig) -> None:
    window = rig.start()
    strip = window.page.incomplete
    strip.show_message("Incomplete: 27 of 30 days loaded", "Missing: 1 Nov.", [("Re&try", lambda: None)])
    image = strip.grab().toImage()
    assert image.pixelColor(1, image.height() // 2).name() == warning_colour(strip.palette()).name()


def test_nothing_loaded_tells_the_failure_once(rig: WindowRig, user: User) -> None:
    rig.server.faults = failing
    window = rig.start()
    page = window.page
    assert page.banner.isVisible()
    assert page.empty.isVisible()
    assert page.empty.title == "No data for this range yet"
    assert not page.incomplete.isVisible()
    assert not page.notes.isVisible(), page.notes.text  # the names failed with the same error
    assert visible_retries(window) == ["Retry"]
    user.click(page.banner.findChildren(QToolButton)[0])
    assert visible_retries(window) == ["Retry"]
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Retry", page.empty)))
    assert page.table.isVisible()


def test_retry_loads_the_names_too(rig: WindowRig, user: User) -> None:
    rig.server.faults = failing
    window = rig.start()
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Retry", window.page.banner)))
    assert window.workspace.names.by_id
    assert not window.page.notes.isVisible()


def test_without_a_key_the_strip_asks_for_it(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.close(window)
    window = rig.start(MemoryKeystore)
    rig.settle(window, lambda: show_year(window))
    page = window.page
    user.click(page.banner.findChildren(QToolButton)[0])
    assert page.incomplete.isVisible()
    assert buttons(page.incomplete) == ["Enter admin key"]
    user.click(user.button("Enter admin key", page.incomplete))
    assert window.key_page.isVisible()


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ([(0, 3)], "1 – 3 Nov 2026 (UTC)"),
        ([(0, 1), (1, 2), (5, 6)], "1 – 2 Nov 2026; 6 Nov 2026 (UTC)"),
        ([(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)], "1 Nov 2026; 3 Nov 2026; 5 Nov 2026 (UTC) and 2 more"),
    ],
)
def test_missing_ranges_are_listed(missing: list[tuple[int, int]], text: str) -> None:
    start, day = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()), BucketWidth.DAY.seconds
    span = Span(start, start + 30 * day)
    needs = [BucketRun(BucketWidth.DAY, start + first * day, start + last * day) for first, last in missing]
    coverage = cover(periods(span, Granularity.TOTAL, UTC), needs, {}, span.end)
    assert missing_text(coverage, QLocale("en_GB")) == text
