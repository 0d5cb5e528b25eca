"""Buckets and moments as a person reads them."""

from datetime import UTC, datetime

from PySide6.QtCore import QDateTime, QLocale, QTime

from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket
from usage_viewer.gui.formatting.periods import day_text

_SHORT = QLocale.FormatType.ShortFormat


def bucket_text(bucket: Bucket, locale: QLocale) -> str:
    """`Tue, 3 Nov 2026`, with the time for hours and minutes. Buckets are of UTC."""
    start = datetime.fromtimestamp(bucket.start, UTC)
    day = day_text(start, locale)
    if bucket.width is BucketWidth.DAY:
        return day
    return f"{day} {locale.toString(QTime(start.hour, start.minute), _SHORT)}"


def moment_text(moment: int, locale: QLocale) -> str:
    """In this computer's zone: the time alone for today."""
    shown = QDateTime.fromSecsSinceEpoch(moment)
    if shown.date() == QDateTime.currentDateTime().date():
        return locale.toString(shown.time(), _SHORT)
    return locale.toString(shown, _SHORT)


def counted(number: int, noun: str, locale: QLocale) -> str:
    """`1 day`, `1,234 days`."""
    return f"{locale.toString(number)} {noun}{'' if number == 1 else 's'}"


def date_time_text(moment: int) -> str:
    """Returns `2026-11-23 14:02` in this computer's time zone; `moment` is in epoch seconds."""
    return QDateTime.fromSecsSinceEpoch(moment).toString("yyyy-MM-dd HH:mm")
