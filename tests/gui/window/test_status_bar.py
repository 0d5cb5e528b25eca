"""Tests which texts of the status bar stay and which disappear."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PySide6.QtCore import QLocale
from pytestqt.qtbot import QtBot

from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.domain.coverage import HeldBuckets, cover
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.gui.window import status_bar as status_bar
from usage_viewer.gui.window.status_bar import StatusBar, coverage_text


@pytest.fixture
def line(qtbot: QtBot) -> StatusBar:
    line = StatusBar()
    qtbot.addWidget(line)
    line.resize(900, 32)
    line.show()
    return line


def test_wait_notice_stays_until_data_arrives(
    line: StatusBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_bar, "MESSAGE_SECONDS", 0.02)
    line.show_fetching(True)
    line.show_progress(Progress(1, 5))
    line.show_progress(Progress(1, 5, notice="Rate limited, retrying in 60 s"))
    qtbot.wait(80)
    line.show_progress(Progress(1, 5, stored=True))
    assert "retrying in 60 s" in line.text
    line.show_progress(Progress(2, 5))
    assert "next try" not in line.text
    assert "2 of 5 requests" in line.text


def test_end_of_a_fetch_removes_only_its_own_notice(line: StatusBar) -> None:
    line.show_fetching(True)
    line.show_progress(Progress(0, 1, notice="Rate limited, retrying in 4 s"))
    line.show_fetching(False)
    assert line.text == ""
    line.show_fetching(True)
    line.show_message("Copied 3 rows")
    line.show_fetching(False)
    assert line.text == "Copied 3 rows"


def test_messages_disappear_after_a_while(line: StatusBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_bar, "MESSAGE_SECONDS", 0.02)
    line.show_message("Copied 3 rows")
    qtbot.waitUntil(lambda: line.text == "")


def test_load_time_of_an_earlier_day_has_its_date() -> None:
    fetched = int((datetime.now(UTC) - timedelta(days=3)).timestamp())
    day = BucketWidth.DAY.floor(fetched) - BucketWidth.DAY.seconds
    span = Span(day, day + BucketWidth.DAY.seconds)
    held = {BucketWidth.DAY: HeldBuckets(np.array([day]), np.array([fetched]))}
    needs = [BucketRun(BucketWidth.DAY, span.start, span.end)]
    text = coverage_text(cover(periods(span, Granularity.TOTAL, UTC), needs, held, fetched), QLocale("en_US"))
    assert text.startswith("Complete: 1 day · loaded ")
    here = datetime.fromtimestamp(fetched, UTC).astimezone()
    assert f"{here.month}/{here.day}/{here:%y}" in text
