"""Checks sums in any zone, range and period over random facts in a real store, against `zoneinfo`."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest

from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import GroupColumn, PeriodColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

MINUTE, HOUR, DAY = 60, 3600, 86400
NOW = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
UNUSUAL_ZONES = (
    *("Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"),
    *("America/St_Johns", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Casablanca"),
)
ERAS = (
    (date(2011, 12, 26), 11),  # Samoa skips the 30th
    (date(2026, 3, 26), 12),  # Europe loses an hour, Australia gains one (Lord Howe half an hour)
    (date(2026, 10, 23), 12),  # the reverse; North America follows
)
SEEDS = range(24)
CASES = 92
"""Views for each seed: 2,208 in all."""

Fact = tuple[int, tuple[str | None, ...], Any]
"""The start of a bucket (epoch seconds), the values of the dataset's dimensions, a figure."""


@dataclass(frozen=True)
class StoredFacts:
    """A session over one dataset with random facts, and the facts in their finest width."""

    session: StoreSession
    dataset: str
    metric: str
    facts: list[Fact]


def moment(day: date) -> int:
    """Return the start of a UTC day in epoch seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def store_facts(dataset: str, metric: str, widths: tuple[BucketWidth, ...], seed: int) -> StoredFacts:
    """Store random facts of the finest of `widths` in each of `widths`."""
    random, data = Random(seed), DATASETS[dataset]
    finest = min(widths, key=lambda width: width.seconds)
    facts: list[Fact] = []
    for day, days in ERAS:
        chosen = {random.randrange(days * DAY // finest.seconds) for _ in range(300)}
        for number in sorted(chosen):
            values = tuple(
                random.choice(("usd", "usd", "eur")) if item.name == "currency"
                else random.choice(("a", "b", None)) if item.name in ("project_id", "model", "line_item") else None
                for item in data.dimensions
            )  # fmt: skip
            figure: Any = random.randrange(10 ** random.randrange(1, 13))
            if data.metric(metric).kind is Kind.DECIMAL:
                figure = Decimal(figure).scaleb(-9)
            facts.append((moment(day) + number * finest.seconds, values, figure))
    store = Store.open(None)
    for width in widths:
        for day, days in ERAS:
            store.put(batch(dataset, metric, width, facts, moment(day), days), NOW - DAY)
    return StoredFacts(StoreSession(store, clock=lambda: float(NOW)), dataset, metric, facts)


def batch(dataset: str, metric: str, width: BucketWidth, facts: list[Fact], start: int, days: int) -> Batch:
    """Return the buckets of `days` days from `start` (epoch seconds)."""
    data = DATASETS[dataset]
    sums: dict[tuple[int, tuple[str | None, ...]], Any] = defaultdict(int)
    for at, values, figure in facts:
        if start <= at < start + days * DAY:
            sums[width.floor(at), values] += figure
    combinations = list(dict.fromkeys(values for _, values in sums))
    kinds = {Kind.DECIMAL: np.object_}
    metrics = {}
    for item in data.metrics:
        own = item.name == metric
        column = np.array([figure if own else 0 for figure in sums.values()], kinds.get(item.kind, np.int64))
        metrics[item.name] = NumberColumn(column, None if own else np.ones(len(sums), np.bool_))
    return Batch(
        dataset,
        width,
        np.arange(start, start + days * DAY, width.seconds, dtype=np.int64),
        data.group_by,
        combinations,
        np.array([at for at, _ in sums], np.int64),
        np.array([combinations.index(values) for _, values in sums], np.int32),
        metrics,
    )


@pytest.fixture(scope="module")
def stores() -> Iterator[list[StoredFacts]]:
    """Return stores with every width, with only the finer widths, and with only days."""
    widths = (BucketWidth.DAY, BucketWidth.HOUR, BucketWidth.MINUTE)
    stored = [
        store_facts("completions", "input_tokens", widths, 1),
        store_facts("web_search_calls", "num_requests", widths[1:], 2),
        store_facts("images", "images", widths[2:], 3),
        store_facts("costs", "amount", widths[:1], 4),
    ]
    yield stored
    for facts in stored:
        facts.session.close()


def key_of(at: int, per: Granularity, zone: tzinfo) -> object:
    """Return the period of a moment (epoch seconds) by the calendar and the clock of the zone."""
    wall = datetime.fromtimestamp(at, zone)
    match per:
        case Granularity.MINUTE:
            return at // MINUTE
        case Granularity.HOUR:
            return wall.date(), wall.hour, wall.utcoffset()
        case Granularity.DAY:
            return wall.date()
        case Granularity.WEEK:
            return wall.isocalendar()[:2]
        case Granularity.MONTH:
            return wall.year, wall.month
        case _:
            return None


def random_view(random: Random, stored: StoredFacts) -> tuple[ViewState, Callable[[int], bool]]:
    """Return a random view, and a function that tells whether a moment is in its range."""
    name = random.choice(UNUSUAL_ZONES) if random.random() < 0.5 else random.choice(ZONES)
    zone = ZoneInfo(name)
    day, days = random.choice(ERAS)
    grouping = tuple(
        item for item in ("project_id", "model", "line_item") if DATASETS[stored.dataset].has_dimension(item)
    )
    grouping = tuple(random.sample(grouping, random.randint(0, len(grouping))))
    if stored.dataset == "costs":
        grouping = (*grouping, "currency")
    if stored.dataset == "costs" or random.random() < 0.6:
        first = day + timedelta(days=random.randint(1, days - 3))
        last = min(first + timedelta(days=random.randint(0, days)), day + timedelta(days=days - 2))
        date_range = DateRange.days(first, last)
        per = random.choice(
            [
                Granularity.HOUR,
                Granularity.DAY,
                Granularity.DAY,
                Granularity.WEEK,
                Granularity.MONTH,
                Granularity.TOTAL,
            ]
        )
        zone_of_days = UTC if stored.dataset == "costs" else zone
        inside: Callable[[int], bool] = lambda at: first <= datetime.fromtimestamp(at, zone_of_days).date() <= last  # noqa: E731
    else:
        start, end = _moments(random, zone, day, days)
        date_range = DateRange(
            None, *(datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (start, end))
        )
        per = random.choice(
            [Granularity.MINUTE, Granularity.HOUR, Granularity.DAY, Granularity.MONTH, Granularity.TOTAL]
        )
        inside = lambda at: start <= at < end  # noqa: E731
    view = ViewState(stored.dataset, date_range, per, grouping, columns=(stored.metric,), zone=name)
    return view, inside


def _moments(random: Random, zone: tzinfo, day: date, days: int) -> tuple[int, int]:
    """Return two moments that the zone's clock shows once, or for the first time."""
    step = random.choice((MINUTE, 15 * MINUTE, HOUR))
    while True:
        start = moment(day) + random.randrange((days - 2) * DAY // step) * step
        end = start + random.randint(1, 36 * HOUR // step) * step
        walls = [datetime.fromtimestamp(at, zone) for at in (start, end)]
        if not any(wall.fold for wall in walls) and walls[0].replace(tzinfo=None) < walls[1].replace(tzinfo=None):
            return start, end


def figures_of(result: ViewResult, metric: str, per: Granularity, zone: tzinfo) -> dict[tuple[object, ...], Any]:
    """Return the figures of a metric by the clock's period and by group."""
    table = result.table
    heads: list[list[object]] = []
    for column in table.heads:
        if isinstance(column, PeriodColumn):
            starts = column.periods.bounds[:-1][column.index].tolist()
            heads.append([key_of(start, per, zone) for start in starts])
        else:
            assert isinstance(column, GroupColumn)
            heads.append([column.values[code] for code in column.codes.tolist()])
    keys: list[tuple[object, ...]] = list(zip(*heads, strict=True)) if heads else [()] * table.rows
    figures = next(column for column in table.figures if column.name == metric).figures.listed()
    by_key = dict(zip(keys, figures, strict=True))
    assert len(by_key) == table.rows, "two rows have the same period and group"
    return {key: figure for key, figure in by_key.items() if figure is not None}


def check_each_bucket_is_in_one_row(result: ViewResult) -> None:
    """Check that the buckets are read once and that each lies in one period."""
    bounds = result.coverage.periods.bounds
    assert (np.diff(bounds) > 0).all()
    before = int(bounds[0])
    for segment in result.coverage.read:
        assert segment.start >= before, "a bucket is read twice"
        before = segment.end
        starts = np.arange(segment.start, segment.end, segment.width.seconds)
        ends = starts + segment.width.seconds
        first = np.searchsorted(bounds, starts, side="right")
        assert (first == np.searchsorted(bounds, ends, side="left")).all(), "a bucket is in two periods"
    assert before <= bounds[-1]
    assert sum(segment.end - segment.start for segment in result.coverage.read) == bounds[-1] - bounds[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_are_the_sums_of_their_buckets(seed: int, stores: list[StoredFacts]) -> None:
    random = Random(seed)
    for case in range(CASES):
        stored = random.choice(stores)
        view, inside = random_view(random, stored)
        result = stored.session.look(view)
        effective_view = result.effective_view
        zone = ZoneInfo(effective_view.zone)
        if stored.dataset == "costs":
            assert (effective_view.zone, effective_view.per) == (view.zone, view.per) or result.notes
            assert effective_view.per is not Granularity.HOUR
        else:
            assert (effective_view, result.notes) == (view, ())
        check_each_bucket_is_in_one_row(result)
        names = [item.name for item in view.dataset.dimensions]
        expected: dict[tuple[object, ...], Any] = defaultdict(int)
        for at, values, figure in stored.facts:
            if inside(at):
                period = () if view.per is Granularity.TOTAL else (key_of(at, effective_view.per, zone),)
                expected[*period, *(values[names.index(name)] for name in view.grouping)] += figure
        assert figures_of(result, stored.metric, effective_view.per, zone) == expected, (
            f"case {case} of seed {seed}: {view}"
        )


def test_a_day_that_a_zone_skips_has_no_row(stores: list[StoredFacts]) -> None:
    days = DateRange.days(date(2011, 12, 28), date(2012, 1, 1))
    view = ViewState("completions", days, Granularity.DAY, (), columns=("input_tokens",), zone="Pacific/Apia")
    result = stores[0].session.look(view)
    (period,) = (column for column in result.table.heads if isinstance(column, PeriodColumn))
    assert period.labels == ("2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01")
    assert (np.diff(period.periods.bounds) == DAY).all()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
    ],
)
def test_a_day_has_the_hours_of_the_local_clock(
    stores: list[StoredFacts], zone: str, day: date, hours: float
) -> None:
    view = ViewState(
        "completions", DateRange.days(day, day), Granularity.HOUR, (), columns=("input_tokens",), zone=zone
    )
    result = stores[0].session.look(view)
    assert result.coverage.periods.span.end - result.coverage.periods.span.start == hours * HOUR
    assert result.coverage.complete
