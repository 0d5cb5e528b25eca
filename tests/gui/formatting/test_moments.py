"""Tests the texts of buckets, moments and counts."""

import time

import pytest
from PySide6.QtCore import QDate, QDateTime, QLocale

from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket
from usage_viewer.gui.formatting.moments import bucket_text, common_noun, count_text, full_moment_text, moment_text

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
def test_bucket_is_shown_in_utc(bucket: Bucket, text: str) -> None:
    assert bucket_text(bucket, ENGLISH) == text


def test_moment_of_today_has_time_only() -> None:
    now, text, today = 0, "", QDate()
    while QDate.currentDate() != today:  # once more if midnight came in between
        today, now = QDate.currentDate(), int(time.time())
        text = moment_text(now, ENGLISH)
    clock = ENGLISH.toString(QDateTime.fromSecsSinceEpoch(now).time(), QLocale.FormatType.ShortFormat)
    assert text == clock
    assert clock in moment_text(now - 7 * 86400, ENGLISH)
    assert len(moment_text(now - 7 * 86400, ENGLISH)) > len(clock)


def test_full_moment_has_date_and_zone_also_today() -> None:
    now = int(time.time())
    local = QDateTime.fromSecsSinceEpoch(now)
    text = full_moment_text(now, ENGLISH)
    assert text.startswith(ENGLISH.toString(local, QLocale.FormatType.ShortFormat))
    assert text.endswith(f"({local.timeZoneAbbreviation()})")


def test_common_noun_of_equal_and_of_mixed_widths() -> None:
    assert common_noun([BucketWidth.DAY, BucketWidth.DAY]) == "day"
    assert common_noun([BucketWidth.DAY, BucketWidth.HOUR]) == "period"


def test_count_has_group_separator_and_plural() -> None:
    assert [count_text(number, "day", ENGLISH) for number in (0, 1, 1234)] == ["0 days", "1 day", "1,234 days"]
    assert count_text(1234, "day", GERMAN) == "1.234 days"
