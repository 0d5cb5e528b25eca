"""Formats buckets, moments and counts in the user's locale."""

from collections.abc import Iterable
from datetime import UTC, datetime

from PySide6.QtCore import QDateTime, QLocale, QTime

from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket
from usage_viewer.gui.formatting.periods import day_text

_SHORT = QLocale.FormatType.ShortFormat


def bucket_text(bucket: Bucket, locale: QLocale) -> str:
    """Return the start of a bucket in UTC: `Tue, 3 Nov 2026`, with the time for buckets of an hour or a minute."""
    start = datetime.fromtimestamp(bucket.start, UTC)
    day = day_text(start, locale)
    if bucket.width is BucketWidth.DAY:
        return day
    return f"{day} {locale.toString(QTime(start.hour, start.minute), _SHORT)}"


def moment_text(moment: int, locale: QLocale) -> str:
    """Return date and time of `moment` (epoch seconds) in local time; of today, the time only."""
    local = QDateTime.fromSecsSinceEpoch(moment)
    if local.date() == QDateTime.currentDateTime().date():
        return locale.toString(local.time(), _SHORT)
    return locale.toString(local, _SHORT)


def full_moment_text(moment: int, locale: QLocale) -> str:
    """Return date and time of `moment` (epoch seconds) in local time, with the zone: `27 Nov 2026 16:34 (UTC)`."""
    local = QDateTime.fromSecsSinceEpoch(moment)
    return f"{locale.toString(local, _SHORT)} ({local.timeZoneAbbreviation()})"


def common_noun(widths: Iterable[BucketWidth]) -> str:
    """Return `day`, `hour` or `minute` if all buckets have this width, otherwise `period`."""
    nouns = {width.noun for width in widths}
    return nouns.pop() if len(nouns) == 1 else "period"


def count_text(number: int, noun: str, locale: QLocale) -> str:
    """Return a number with its noun in singular or plural: `1 day`, `1,234 days`."""
    return f"{locale.toString(number)} {noun}{'' if number == 1 else 's'}"


def date_time_text(moment: int) -> str:
    """Return `2026-11-23 14:02` in this computer's time zone; `moment` is in epoch seconds."""
    return QDateTime.fromSecsSinceEpoch(moment).toString("yyyy-MM-dd HH:mm")
