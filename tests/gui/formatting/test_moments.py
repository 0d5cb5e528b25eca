"""Buckets and moments as they are read."""

import time

import pytest
from PySide6.QtCore import QDate, QDateTime, QLocale

from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket
from usage_viewer.gui.formatting.moments import bucket_text, counted, moment_text

ENGLISH, GERMAN = QLocale("en_GB"), QLocale("de_DE")
T0 = 1_793_491_200  # Sunday, 2026-11-01 00:00 UTC


@pytest.mark.parametrize(
    ("bucket", "text"),
    [
        (Bucket(T0, BucketWidth.DAY), "Sun, 1 Nov 2026"),
        (Bucket(T0 + 14 * 3600, BucketWidth.HOUR), "Sun, 1 Nov 2026 14:00"),
        (Bucket(T0 + 14 * 3600 + 300, BucketWidth.MINUTE), "Sun, 1 Nov 2026 14:05"),
    ],
)
def test_buckets_are_of_utc(bucket: Bucket, text: str) -> None:
    assert bucket_text(bucket, ENGLISH) == text


def test_of_today_the_time_alone() -> None:
    now, text, today = 0, "", QDate()
    while QDate.currentDate() != today:  # once more if midnight came in between
        today, now = QDate.currentDate(), int(time.time())
        text = moment_text(now, ENGLISH)
    clock = ENGLISH.toString(QDateTime.fromSecsSinceEpoch(now).time(), QLocale.FormatType.ShortFormat)
    assert text == clock
    assert clock in moment_text(now - 7 * 86400, ENGLISH)
    assert len(moment_text(now - 7 * 86400, ENGLISH)) > len(clock)


def test_counts_are_grouped_and_plural() -> None:
    assert [counted(number, "day", ENGLISH) for number in (0, 1, 1234)] == ["0 days", "1 day", "1,234 days"]
    assert counted(1234, "day", GERMAN) == "1.234 days"
