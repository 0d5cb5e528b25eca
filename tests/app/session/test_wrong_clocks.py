"""Tests that no wrong clock, own or server's, makes growing usage final or hides what the server has reported."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.sessions import open_store_session
from usage_viewer.app.profile.profile import Profile
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.network_errors import BucketError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.keystore import MemoryKeystore

HOUR, DAY = 3600, 86400
FIRST = 1_793_491_200
"""2026-11-01 UTC, the first of the days that are looked at."""

DAYS = 30
YEAR_9999 = 253_402_300_799
WRONG = (0, 0, 0, -2 * HOUR, 3 * HOUR, -3 * DAY, 10 * DAY, -400 * DAY, 400 * DAY, -FIRST - 99 * DAY)
"""Seconds by which a clock may be wrong: mostly right, a wrong zone, a resumed machine, an empty battery."""


def tokens(start: int, real: int) -> int:
    """Return a day's input tokens as the server reports them at `real`: they grow until the day is final."""
    return 100 + max(0, min(real, start + DAY + SETTLED_AFTER - HOUR) - start) // 60


class World:
    """A server whose days grow, and a profile on it; each has its own clock."""

    def __init__(self, database: Path) -> None:
        self.real = FIRST + 5 * DAY + 11 * HOUR
        self.own_error = self.server_error = 0
        self.reported: dict[int, int] = {}
        self.server = DemoServer(sample_organization(self.real), clock=lambda: self.real)
        self.database = database

    def __enter__(self) -> "World":
        self.server.__enter__()
        self.server.faults = lambda request: Fault(
            edit=self._grow,
            headers={"Date": formatdate(min(max(0, self.real + self.server_error), YEAR_9999), usegmt=True)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def _grow(self, page: Any) -> Any:
        for bucket in page["data"]:
            start = bucket["start_time"]
            if start > self.real:
                bucket["results"] = []
                continue
            self.reported[start] = tokens(start, self.real)
            row = {"object": "organization.usage.completions.result", "num_model_requests": 1, "output_tokens": 0}
            bucket["results"] = [{**row, "input_tokens": self.reported[start]}]
        return page

    def run(self, first: date = date(2026, 11, 1), days: int = DAYS) -> dict[int, int]:
        """Start the program, fetch some days and return the input tokens that it shows for each."""
        key = AdminKey.parse(self.server.key)
        profile = Profile(
            "default",
            base_url=self.server.base_url,
            database=self.database,
            keystore=lambda: MemoryKeystore(key),
            clock=lambda: max(0, self.real + self.own_error),
        )
        session = open_store_session(profile)
        chosen = DateRange.days(first, first + timedelta(days=days - 1))
        view = ViewState(range=chosen, per=Granularity.DAY, grouping=(), columns=("input_tokens",))
        self.reported.clear()
        try:
            session.connect(profile.source(key))
            list(session.fetch(view))
            table = session.look(view).table
        finally:
            session.close()
        assert table.period is not None
        starts = table.period.periods.bounds[table.period.index].tolist()
        return dict(zip(starts, table.figures[0].figures.listed(), strict=True))

    def truth(self) -> dict[int, int]:
        """Return what a program with right clocks shows."""
        return {start: tokens(start, self.real) for start in range(FIRST, min(self.real, FIRST + DAYS * DAY), DAY)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "usage.duckdb") as running:
        yield running


@pytest.mark.parametrize("own_error", [0, 10 * DAY])
@pytest.mark.parametrize("server_error", [0, 10 * DAY, 400 * DAY])
def test_a_clock_that_was_once_ahead_makes_nothing_final(world: World, own_error: int, server_error: int) -> None:
    world.own_error, world.server_error = own_error, server_error
    with suppress(BucketError):  # days that have not begun are missing
        world.run()
    world.own_error = world.server_error = 0
    world.real += HOUR
    assert world.run() == world.truth()
    world.real += 20 * DAY
    assert world.run() == world.truth()


@pytest.mark.parametrize(("own_error", "server_error"), [(0, 10 * DAY), (10 * DAY, 0), (-3 * DAY, 0)])
def test_a_month_later_nothing_is_final_that_a_wrong_clock_has_fetched(
    world: World, own_error: int, server_error: int
) -> None:
    world.own_error, world.server_error = own_error, server_error
    with suppress(BucketError):
        world.run()
    world.own_error = world.server_error = 0
    world.real += 31 * DAY
    assert world.run() == world.truth()


def test_days_fetched_when_both_clocks_were_ahead_are_fetched_again_a_month_later(world: World) -> None:
    """A start in between, which looks at other days, shows that a clock was wrong."""
    world.own_error = world.server_error = 10 * DAY
    world.run(days=6)  # until today
    world.own_error = world.server_error = 0
    world.real += HOUR
    world.run(date(2026, 10, 1), 3)
    world.real += 31 * DAY
    assert world.run() == world.truth()


@pytest.mark.parametrize("server_error", [-3 * DAY, -FIRST, -400 * DAY, YEAR_9999])
def test_a_wrong_date_of_the_server_hides_nothing_that_it_reported(world: World, server_error: int) -> None:
    world.server_error = server_error
    assert world.run() == world.truth()


def _histories(world: World, seed: int, steps: int) -> None:
    """Move both clocks at random.

    What the server reports is shown at once, unless an error says that it left days out; all is shown once both
    clocks are right.
    """
    random = Random(seed)
    for _ in range(steps):
        world.real += random.choice([600, HOUR, DAY, 5 * DAY])
        world.own_error, world.server_error = random.choice(WRONG), random.choice((*WRONG, YEAR_9999))
        try:
            shown = world.run()
        except BucketError:
            continue
        looked_at = {start: count for start, count in world.reported.items() if FIRST <= start < FIRST + DAYS * DAY}
        assert {start: shown.get(start) for start in looked_at} == looked_at, (
            seed,
            datetime.fromtimestamp(world.real, UTC),
        )
    world.own_error = world.server_error = 0
    world.real += 600
    assert world.run() == world.truth(), seed


@pytest.mark.parametrize("seed", range(12))
def test_random_clocks(world: World, seed: int) -> None:
    _histories(world, seed, 3)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_two_hundred_histories_of_random_clocks(world: World, seed: int) -> None:
    _histories(world, seed, 8)
