"""The line that says where the numbers come from."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from usage_viewer.app.export.provenance import Provenance, provenance_of
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import Filter, ViewState

NOW = int(datetime(2026, 11, 22, 15, tzinfo=UTC).timestamp())
FETCHED = int(datetime(2026, 11, 22, 14, 2, tzinfo=UTC).timestamp())


def covered(view: ViewState, oldest: int | None = FETCHED, newest: int | None = FETCHED) -> Coverage:
    return Coverage(view.periods(NOW), BucketWidth.DAY, (), (), (), 30, 30, 0, 3, oldest, newest)


def test_the_whole_line() -> None:
    view = ViewState(per=Granularity.DAY, filters=(Filter("model", frozenset(["gpt-6-astra"])),))
    assert provenance_of(view, covered(view), Names()).line == (
        "# Usage Viewer · Completions · 2026-10-24 – 2026-11-22 UTC · per day · by Model · "
        "filter: Model: gpt-6-astra · fetched 2026-11-22 14:02 UTC · 30 of 30 days"
    )


def test_filters_have_their_names() -> None:
    names = Names.of([Name("project", "proj_1", "Search"), Name("project", "proj_2", "ads")])
    view = ViewState(
        grouping=(),
        filters=(
            Filter("project_id", frozenset(["proj_1", "proj_2", None]), exclude=True),
            Filter("batch", frozenset(["false"])),
            Filter("model", frozenset()),
        ),
        search="astra",
    )
    made = provenance_of(view, covered(view), names)
    assert made.filters_text == "Project: not (none), ads, Search; Batch: no; Model: nothing; search “astra”"
    assert made.grouping == ""
    assert made.per == "whole range"


@pytest.mark.parametrize(
    ("chosen", "zone", "text"),
    [
        (DateRange.days(date(2026, 11, 3), date(2026, 11, 3)), "UTC", "2026-11-03"),
        (DateRange.days(date(2026, 10, 25), date(2026, 10, 26)), "Europe/Berlin", "2026-10-25 – 2026-10-26"),
        (
            DateRange(None, datetime(2026, 11, 3, 14), datetime(2026, 11, 4)),
            "UTC",
            "2026-11-03 14:00 – 2026-11-04 00:00",
        ),
    ],
)
def test_ranges(chosen: DateRange, zone: str, text: str) -> None:
    view = ViewState(range=chosen, zone=zone)
    made = provenance_of(view, covered(view), Names())
    assert (made.range_text, made.zone) == (text, zone)


def test_the_computers_zone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    view = ViewState(zone="local")
    assert isinstance(view.tzinfo, ZoneInfo)
    assert provenance_of(view, covered(view), Names()).zone == "Asia/Kathmandu"


def test_times_of_fetching() -> None:
    view = ViewState()
    assert provenance_of(view, covered(view, None, None), Names()).fetched_at_text == "nothing fetched"
    spread = provenance_of(view, covered(view, FETCHED - 86400), Names())
    assert spread.fetched_at_text == "fetched 2026-11-21 14:02 – 2026-11-22 14:02 UTC"


def test_what_has_nothing_to_say_is_left_out() -> None:
    assert (
        Provenance("Costs", "2026-11-03", "UTC", "per day").line
        == "# Usage Viewer · Costs · 2026-11-03 UTC · per day"
    )
