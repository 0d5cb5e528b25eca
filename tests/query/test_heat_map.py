"""Tests the heat map of hour by weekday, on days of 23 and 25 hours too."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.rigs.charts import chart_of, stored
from usage_viewer.app.chart import ChartFace
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.query.heat_map import DAYS, HOURS, HeatMap

BERLIN = ZoneInfo("Europe/Berlin")


def hourly(
    first: datetime, last: datetime, *, missing: int | None = None
) -> tuple[HeatMap, Counter[tuple[int, int]]]:
    """Return the heat map of a range with 1 token in each hour, and how often each hour of the week occurs."""
    start = int(first.replace(tzinfo=BERLIN).timestamp())
    hours = (int(last.replace(tzinfo=BERLIN).timestamp()) - start) // 3600
    view = ViewState(range=DateRange(None, first, last), per=Granularity.HOUR, zone="Europe/Berlin")
    skipped = () if missing is None else (missing,)
    with stored(
        [[1]] * hours, width=BucketWidth.HOUR, start=start, skipped=skipped, now=start + 400 * 86400
    ) as session:
        chart = chart_of(session, view, "input_tokens", face=ChartFace.HEAT_MAP)
    moments = [datetime.fromtimestamp(start + hour * 3600, BERLIN) for hour in range(hours)]
    assert chart.heat_map is not None
    return chart.heat_map, Counter((moment.weekday(), moment.hour) for moment in moments)


@pytest.mark.parametrize(
    ("first", "hours"),
    [(datetime(2026, 3, 23), 7 * 24 - 1), (datetime(2026, 10, 19), 7 * 24 + 1), (datetime(2026, 6, 1), 7 * 24)],
)
def test_every_hour_counts_once_whatever_the_clock_does(first: datetime, hours: int) -> None:
    heat, occurrences = hourly(first, first + timedelta(days=7))
    assert sum(map(sum, heat.sums)) == hours
    for day in range(DAYS):
        for hour in range(HOURS):
            assert heat.seconds[day][hour] == 3600 * occurrences[day, hour]
            assert heat.average(day, hour) == (1 if occurrences[day, hour] else None)


def test_hour_that_is_not_loaded_is_left_out_and_counted() -> None:
    heat, _ = hourly(datetime(2026, 6, 1), datetime(2026, 6, 2), missing=5)
    assert heat.average(0, 5) is None
    assert heat.lacking[0][5] == 1
    assert heat.average(0, 4) == 1


def test_hour_that_has_not_ended_is_left_out() -> None:
    view = ViewState(range=DateRange(None, datetime(2026, 6, 1), datetime(2026, 6, 2)), per=Granularity.HOUR)
    start = int(datetime(2026, 6, 1, tzinfo=ZoneInfo("UTC")).timestamp())
    with stored([[7]] * 3, width=BucketWidth.HOUR, start=start, now=start + 2 * 3600 + 1800) as session:
        heat = chart_of(session, view, "input_tokens", face=ChartFace.HEAT_MAP).heat_map
    assert heat is not None
    assert heat.average(0, 1) == 7
    assert heat.average(0, 2) is None
    assert heat.lacking[0][2] == 0
