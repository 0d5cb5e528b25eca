"""Tests the range as a part of a file name."""

from datetime import UTC, date, datetime

import pytest

from usage_viewer.domain.date_range import DateRange
from usage_viewer.gui.formatting.ranges import file_name_range

NOW = 1_794_700_800  # 15 November 2026, 0:00 UTC


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (DateRange.days(date(2026, 11, 3), date(2026, 11, 9)), "2026-11-03_2026-11-09"),
        (DateRange.days(date(2026, 11, 3), date(2026, 11, 3)), "2026-11-03_2026-11-03"),
        (
            DateRange(None, datetime(2026, 11, 3, 14), datetime(2026, 11, 3, 15, 30)),
            "2026-11-03T1400_2026-11-03T1530",
        ),
    ],
)
def test_file_name_range(chosen: DateRange, name: str) -> None:
    assert file_name_range(*chosen.wall(NOW, UTC)) == name
