"""Tests office hours, growth, the incident and the outage."""

from datetime import UTC, datetime

import numpy as np

from usage_viewer.demo.world.rhythm import CURVES, HOUR, PEOPLE, Events, calibrate, growth, hour_of_week


def _hour(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // HOUR


def test_week_begins_on_monday() -> None:
    hours = np.array([_hour("2026-11-23T00:00"), _hour("2026-11-29T23:00"), _hour("2026-11-30T00:00")])
    assert hour_of_week(hours).tolist() == [0, 167, 0]


def test_people_work_in_the_daytime_of_weekdays() -> None:
    people = CURVES[PEOPLE]
    assert people[10] > 5 * people[5 * 24 + 10]  # Saturday
    assert people[10] > 20 * people[2]  # night


def test_growth_is_steady_and_limited() -> None:
    hours = np.arange(_hour("2025-11-23T00:00"), _hour("2026-11-23T00:00"))
    factor = growth(hours)
    assert bool(np.all(np.diff(factor) > 0))
    assert 1.5 < factor[-1] / factor[0] < 3


def test_incident_is_about_three_weeks_before_the_anchor() -> None:
    for day in range(40):
        anchor = _hour("2026-11-23T00:00") + 24 * day
        events = Events(anchor * HOUR)
        begin = datetime.fromtimestamp(events.incident.start * HOUR, UTC)
        assert begin.strftime("%A %H:%M") == "Wednesday 02:00"
        assert 18 <= (anchor - events.incident.start) / 24 + 1 <= 26
        assert events.incident.stop < events.outage < anchor


def test_calibration_reaches_the_requested_mean() -> None:
    weights, kinds, lives = np.linspace(0.01, 1, 200), np.arange(200, dtype=np.int8) % 3, np.full(200, 0.8)
    activity = calibrate(weights, kinds, lives, 25.0)
    shares = np.minimum(activity[:, None] * CURVES[kinds], 1.0).mean(axis=1)
    assert abs(float((shares * lives).sum()) - 25.0) < 1e-6
