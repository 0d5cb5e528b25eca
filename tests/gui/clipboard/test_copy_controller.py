"""Tests the range in a file's name."""

from datetime import date, datetime

import pytest

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.clipboard.copy_controller import range_name

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
def test_range_in_file_name(chosen: DateRange, name: str) -> None:
    assert range_name(ViewState().with_range(chosen), NOW) == name
