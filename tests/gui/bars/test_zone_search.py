"""Tests that time zones are found by city, country, abbreviation and offset."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest

from usage_viewer.gui.bars.zone_search import _cities, find_zones, offset_text

ZONES = sorted(available_timezones())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Mumbai", "Asia/Kolkata"),
        ("munich", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("san francisco", "America/Los_Angeles"),
        ("India", "Asia/Kolkata"),
        ("germany", "Europe/Berlin"),
        ("Deutschland", "Europe/Berlin"),
        ("日本", "Asia/Tokyo"),
        ("PDT", "America/Los_Angeles"),
        ("berl", "Europe/Berlin"),
        ("Europe/Paris", "Europe/Paris"),
        ("+5:45", "Asia/Kathmandu"),
        ("5:45", "Asia/Kathmandu"),
        ("UTC+0545", "Asia/Kathmandu"),
        ("gmt -9:30", "Pacific/Marquesas"),
        ("−9:30", "Pacific/Marquesas"),
    ],
)
def test_best_match_is_first(text: str, first: str) -> None:
    assert find_zones(text, ZONES, 2026)[0] == first


@pytest.mark.parametrize(
    ("text", "included", "excluded"),
    [
        ("IST", "Asia/Kolkata", "Europe/Berlin"),
        ("CEST", "Europe/Madrid", "Europe/London"),
        ("+2", "Europe/Berlin", "Asia/Tokyo"),  # in summer
        ("+1", "Europe/Berlin", "Europe/Athens"),  # in winter
        ("-3", "America/Sao_Paulo", "America/New_York"),
        ("United States", "America/Phoenix", "America/Toronto"),
    ],
)
def test_all_matches_are_found(text: str, included: str, excluded: str) -> None:
    found = find_zones(text, ZONES, 2026)
    assert included in found
    assert excluded not in found


def test_a_country_is_better_than_a_zone_that_begins_alike() -> None:
    found = find_zones("india", ZONES, 2026)
    assert found.index("Asia/Kolkata") < found.index("America/Indiana/Knox")


@pytest.mark.parametrize("text", ["Atlantis", "530", "+99", "+5:75"])
def test_no_match(text: str) -> None:
    assert find_zones(text, ZONES, 2026) == []


def test_each_listed_city_has_an_existing_zone() -> None:
    assert set(_cities()) <= set(ZONES)
    for zone, cities in _cities().items():
        for city in cities:
            assert zone in find_zones(city, ZONES, 2026)


def test_offset_follows_the_season_of_the_zone() -> None:
    winter, summer = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    assert [offset_text("Europe/Berlin", moment) for moment in (winter, summer)] == ["UTC+01:00", "UTC+02:00"]
    assert offset_text("America/St_Johns", winter) == "UTC−03:30"
    assert offset_text("Asia/Kolkata", summer) == "UTC+05:30"
    assert offset_text("No/Where", summer) == ""
