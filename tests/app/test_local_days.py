"""Any zone, range and period over random facts in a real store: each bucket in one row, sums as `zoneinfo` says."""

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
ODD = (
    *("Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"),
    *("America/St_Johns", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Casablanca"),
)
ERAS = (
    (date(2011, 12, 26), 11),  # Samoa skips the 30th
    (date(2026, 3, 26), 12),  # an hour is lost in Europe, won in Australia (half an hour on Lord Howe)
    (date(2026, 10, 23), 12),  # the other way round; North America follows
)
SEEDS = range(24)
CASES = 92
"""For each seed: 2,208 in all."""

Fact = tuple[int, tuple[str | None, ...], Any]
"""A minute, the values of the dataset's dimensions, a figure."""


@dataclass(frozen=True)
class HeldBuckets:
    """What a store holds of one dataset: its facts at their finest, and the widths that they are held in."""

    session: StoreSession
    dataset: str
    metric: str
    facts: list[Fact]


def moment(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def made(dataset: str, metric: str, widths: tuple[BucketWidth, ...], seed: int) -> HeldBuckets:
    """Facts of random minutes (days, where there are no others), in each of `widths`."""
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
    return HeldBuckets(StoreSession(store, clock=lambda: float(NOW)), dataset, metric, facts)


def batch(dataset: str, metric: str, width: BucketWidth, facts: list[Fact], start: int, days: int) -> Batch:
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
def stores() -> Iterator[list[HeldBuckets]]:
    """All widths held; the finer ones alone, out of which the coarser are made; and days alone."""
    every = (BucketWidth.DAY, BucketWidth.HOUR, BucketWidth.MINUTE)
    held = [
        made("completions", "input_tokens", every, 1),
        made("web_search_calls", "num_requests", every[1:], 2),
        made("images", "images", every[2:], 3),
        made("costs", "amount", every[:1], 4),
    ]
    yield held
    for one in held:
        one.session.close()


def key_of(at: int, per: Granularity, zone: tzinfo) -> object:
    """What the calendar and the clock of the zone say of a moment's period."""
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


def a_view(random: Random, held: HeldBuckets) -> tuple[ViewState, Callable[[int], bool]]:
    """A view, and whether a moment is in its range."""
    name = random.choice(ODD) if random.random() < 0.5 else random.choice(ZONES)
    zone = ZoneInfo(name)
    day, days = random.choice(ERAS)
    grouping = tuple(
        item for item in ("project_id", "model", "line_item") if DATASETS[held.dataset].has_dimension(item)
    )
    grouping = tuple(random.sample(grouping, random.randint(0, len(grouping))))
    if held.dataset == "costs":
        grouping = (*grouping, "currency")
    if held.dataset == "costs" or random.random() < 0.6:
        first = day + timedelta(days=random.randint(1, days - 3))
        last = min(first + timedelta(days=random.randint(0, days)), day + timedelta(days=days - 2))
        chosen = DateRange.days(first, last)
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
        zone_of_days = UTC if held.dataset == "costs" else zone
        inside: Callable[[int], bool] = lambda at: first <= datetime.fromtimestamp(at, zone_of_days).date() <= last  # noqa: E731
    else:
        start, end = _moments(random, zone, day, days)
        chosen = DateRange(None, *(datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (start, end)))
        per = random.choice(
            [Granularity.MINUTE, Granularity.HOUR, Granularity.DAY, Granularity.MONTH, Granularity.TOTAL]
        )
        inside = lambda at: start <= at < end  # noqa: E731
    view = ViewState(held.dataset, chosen, per, grouping, columns=(held.metric,), zone=name)
    return view, inside


def _moments(random: Random, zone: tzinfo, day: date, days: int) -> tuple[int, int]:
    """Two that the zone's clock shows once, or for the first time."""
    step = random.choice((MINUTE, 15 * MINUTE, HOUR))
    while True:
        start = moment(day) + random.randrange((days - 2) * DAY // step) * step
        end = start + random.randint(1, 36 * HOUR // step) * step
        walls = [datetime.fromtimestamp(at, zone) for at in (start, end)]
        if not any(wall.fold for wall in walls) and walls[0].replace(tzinfo=None) < walls[1].replace(tzinfo=None):
            return start, end


def shown(look: ViewResult, metric: str, per: Granularity, zone: tzinfo) -> dict[tuple[object, ...], Any]:
    """The rows' figures by what the clock says of their period, and group."""
    table = look.table
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
    found = dict(zip(keys, figures, strict=True))
    assert len(found) == table.rows, "a period and group is there twice"
    return {key: figure for key, figure in found.items() if figure is not None}


def check_each_bucket_is_in_one_row(look: ViewResult) -> None:
    bounds = look.coverage.periods.bounds
    assert (np.diff(bounds) > 0).all()
    before = int(bounds[0])
    for segment in look.coverage.read:
        assert segment.start >= before, "read twice"
        before = segment.end
        starts = np.arange(segment.start, segment.end, segment.width.seconds)
        ends = starts + segment.width.seconds
        first = np.searchsorted(bounds, starts, side="right")
        assert (first == np.searchsorted(bounds, ends, side="left")).all(), "a bucket is in two periods"
    assert before <= bounds[-1]
    assert sum(segment.end - segment.start for segment in look.coverage.read) == bounds[-1] - bounds[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_are_the_sums_of_their_buckets(seed: int, stores: list[HeldBuckets]) -> None:
    random = Random(seed)
    for case in range(CASES):
        held = random.choice(stores)
        view, inside = a_view(random, held)
        look = held.session.look(view)
        answered = look.effective_view
        zone = ZoneInfo(answered.zone)
        if held.dataset == "costs":
            assert (answered.zone, answered.per) == (view.zone, view.per) or look.notes
            assert answered.per is not Granularity.HOUR
        else:
            assert (answered, look.notes) == (view, ())
        check_each_bucket_is_in_one_row(look)
        names = [item.name for item in view.dataset.dimensions]
        expected: dict[tuple[object, ...], Any] = defaultdict(int)
        for at, values, figure in held.facts:
            if inside(at):
                period = () if view.per is Granularity.TOTAL else (key_of(at, answered.per, zone),)
                expected[*period, *(values[names.index(name)] for name in view.grouping)] += figure
        assert shown(look, held.metric, answered.per, zone) == expected, f"case {case} of seed {seed}: {view}"


def test_a_day_that_a_zone_skips_has_no_row_and_loses_nothing(stores: list[HeldBuckets]) -> None:
    days = DateRange.days(date(2011, 12, 28), date(2012, 1, 1))
    view = ViewState("completions", days, Granularity.DAY, (), columns=("input_tokens",), zone="Pacific/Apia")
    look = stores[0].session.look(view)
    (period,) = (column for column in look.table.heads if isinstance(column, PeriodColumn))
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
def test_days_have_the_hours_that_the_clock_gives_them(
    stores: list[HeldBuckets], zone: str, day: date, hours: float
) -> None:
    view = ViewState(
        "completions", DateRange.days(day, day), Granularity.HOUR, (), columns=("input_tokens",), zone=zone
    )
    look = stores[0].session.look(view)
    assert look.coverage.periods.span.end - look.coverage.periods.span.start == hours * HOUR
    assert look.coverage.complete
