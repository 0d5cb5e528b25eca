"""Tests the line that states the source of the numbers."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from usage_viewer.app.export.provenance import Provenance, provenance_of
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter

NOW = int(datetime(2026, 11, 22, 15, tzinfo=UTC).timestamp())
FETCHED = int(datetime(2026, 11, 22, 14, 2, tzinfo=UTC).timestamp())


def covered(view: ViewState, oldest: int | None = FETCHED, newest: int | None = FETCHED) -> Coverage:
    """Return the complete coverage of 30 days."""
    return Coverage(view.periods(NOW), BucketWidth.DAY, (), (), (), 30, 30, 0, 3, oldest, newest)


def test_full_line() -> None:
    view = ViewState(per=Granularity.DAY, filters=(Filter("model", frozenset(["gpt-6-astra"])),))
    assert provenance_of(view, covered(view), Names()).line == (
        "# Usage Viewer · Completions · 2026-10-24 – 2026-11-22 UTC · per day · by Model · "
        "filter: Model: gpt-6-astra · loaded 2026-11-22 14:02 UTC · Complete: 30 days"
    )


def test_filters_have_names() -> None:
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
    provenance = provenance_of(view, covered(view), names)
    assert provenance.filters_text == "Project: not (none), ads, Search; Batch: no; Model: nothing; search “astra”"
    assert provenance.grouping == ""
    assert provenance.per == "whole range"


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
def test_range_text(chosen: DateRange, zone: str, text: str) -> None:
    view = ViewState(range=chosen, zone=zone)
    provenance = provenance_of(view, covered(view), Names())
    assert (provenance.range_text, provenance.zone) == (text, zone)


def test_local_zone_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    view = ViewState(zone="local")
    assert isinstance(view.tzinfo, ZoneInfo)
    assert provenance_of(view, covered(view), Names()).zone == "Asia/Kathmandu"


def test_times_of_loading() -> None:
    view = ViewState()
    assert provenance_of(view, covered(view, None, None), Names()).fetched_at_text == "no data loaded"
    two_days = provenance_of(view, covered(view, FETCHED - 86400), Names())
    assert two_days.fetched_at_text == "loaded 2026-11-21 14:02 – 2026-11-22 14:02 UTC"


def test_empty_parts_are_left_out() -> None:
    assert (
        Provenance("Costs", "2026-11-03", "UTC", "per day").line
        == "# Usage Viewer · Costs · 2026-11-03 UTC · per day"
    )
