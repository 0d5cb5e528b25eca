"""Zones by name, the local zone, and times that a zone skips."""

import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.zones import end_of_day, iso, local_zone, moment_of, zone_name, zone_of


def test_day_ends_at_midnight_of_the_zone() -> None:
    late = int(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp())
    assert iso(end_of_day(late, UTC)) == "2026-11-24T00:00:00Z"
    assert iso(end_of_day(late, zone_of("Asia/Kolkata"))) == "2026-11-24T18:30:00Z"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        zone_of(name)


def test_the_local_zone_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert local_zone() == ZoneInfo("Asia/Tokyo")
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert local_zone() == ZoneInfo("Europe/Berlin")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no TZ of this form")
def test_local_zone_without_rules_keeps_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-3:30")
    time.tzset()
    try:
        assert zone_name(local_zone(), 0) == "UTC+03:30"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_zone_without_a_name_is_named_by_its_offset() -> None:
    rules = next(path for root in TZPATH if (path := Path(root, "Asia", "Tokyo")).exists())
    with rules.open("rb") as file:
        assert zone_name(ZoneInfo.from_file(file, key="local"), 0) == "UTC+09:00"


def test_skipped_time_becomes_the_end_of_the_gap() -> None:
    berlin = zone_of("Europe/Berlin")
    assert iso(moment_of(datetime(2026, 3, 29, 2, 30), berlin)) == "2026-03-29T01:00:00Z"
