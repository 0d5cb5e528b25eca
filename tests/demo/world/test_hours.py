"""Tests the usage by hour and minute, generated in any order."""

import numpy as np
import pytest

from usage_viewer.demo.world.combinations import make_combinations
from usage_viewer.demo.world.directory import make_directory
from usage_viewer.demo.world.hours import HourlyUsage, LevelUsage
from usage_viewer.demo.world.rhythm import HOUR, Events
from usage_viewer.demo.world.rows import UsageRows
from usage_viewer.domain.catalog import API_DATASETS

COMPLETIONS = make_combinations(API_DATASETS["completions"], make_directory(1), 1, 120, 15.0)


@pytest.fixture
def events(now: int) -> Events:
    return Events(now)


@pytest.fixture
def hours(events: Events) -> HourlyUsage:
    return HourlyUsage(COMPLETIONS, 1, events)


def _same(one: UsageRows, other: UsageRows) -> bool:
    return (
        np.array_equal(one.at, other.at)
        and np.array_equal(one.combination, other.combination)
        and all(np.array_equal(values, other.metrics[name]) for name, values in one.metrics.items())
    )


def test_rows_of_a_window_do_not_depend_on_earlier_calls(hours: HourlyUsage, events: Events, now: int) -> None:
    end = now // HOUR
    whole = hours.hours(end - 1000, end)
    fresh = HourlyUsage(COMPLETIONS, 1, events).hours(end - 437, end - 401)
    assert len(fresh) > 100
    assert _same(fresh, whole.between((end - 437) * HOUR, (end - 401) * HOUR))


def test_window_has_minutes_at_its_ends(hours: HourlyUsage, now: int) -> None:
    day = now // 86400 * 86400
    start, end = day + 8 * HOUR + 17 * 60, day + 11 * HOUR + 3 * 60
    minutes, window = hours.minutes(start, end), hours.window(start, end)
    assert minutes.at.min() >= start
    assert minutes.at.max() < end
    for name, values in minutes.metrics.items():
        assert values.sum() == window.metrics[name].sum()
    assert minutes.metrics["num_model_requests"].sum() > 0
    inner = hours.window(day + 9 * HOUR + 120, day + 9 * HOUR + 300)
    assert _same(inner, hours.minutes(day + 9 * HOUR + 120, day + 9 * HOUR + 300))


def test_empty_window_has_no_rows(hours: HourlyUsage, now: int) -> None:
    moment = now // 60 * 60
    assert len(hours.window(moment, moment)) == 0
    assert len(hours.minutes(moment, moment)) == 0


def test_about_15_combinations_are_used_in_an_average_hour(hours: HourlyUsage, now: int) -> None:
    end = now // HOUR
    rows = hours.hours(end - 365 * 24, end)
    assert 13 < len(rows) / (365 * 24) < 17


def test_incident_and_outage_are_in_the_rows(hours: HourlyUsage, events: Events) -> None:
    assert len(hours.hours(events.outage, events.outage + 1)) == 0
    assert len(hours.hours(events.outage - 1, events.outage)) > 0
    incident = hours.hours(events.incident.start, events.incident.stop)
    is_runaway = incident.combination == COMPLETIONS.runaway
    assert is_runaway.sum() == len(events.incident)
    requests = incident.metrics["num_model_requests"]
    assert requests[is_runaway].sum() > 3 * requests[~is_runaway].sum()


def test_usage_is_within_the_lifetime_of_its_combination(hours: HourlyUsage, now: int) -> None:
    rows = hours.hours(now // HOUR - 300 * 24, now // HOUR)
    assert bool(np.all(rows.at // HOUR >= COMPLETIONS.since[rows.combination]))
    assert bool(np.all(rows.at // HOUR < COMPLETIONS.until[rows.combination]))


def test_levels_depend_on_their_time_only(now: int) -> None:
    combinations = make_combinations(API_DATASETS["vector_stores"], make_directory(1), 1, 24, 3.0)
    levels = LevelUsage(combinations, 1)
    day = now // 86400 * 86400
    both = levels.at(np.array([0, 1]), np.array([day, day + HOUR]))
    later = levels.at(np.array([1]), np.array([day + HOUR]))
    assert len(later) > 5
    assert both.take(both.at == 1).metrics["usage_bytes"].tolist() == later.metrics["usage_bytes"].tolist()
