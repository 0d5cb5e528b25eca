"""Tests comparisons of stored usage against plain Python, and like for like where a period has not ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.rigs.charts import combination
from tests.rigs.usage import Row, Usage, expected, synthetic
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.compared_view import ComparedView, sides
from usage_viewer.domain.comparison import Comparison, Shift, counterparts
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NEW_OR_GONE, Filter
from usage_viewer.store import Store

DAY, HOUR = 86400, 3600
FIRST = datetime(2026, 1, 1)
START = int(FIRST.replace(tzinfo=UTC).timestamp())
DAYS = 150
AFTER = START + 300 * DAY
"""A time at which all buckets are final."""


def costs(seed: int) -> Usage:
    """Return costs of `DAYS` days: line items come and go, some amounts are credits."""
    random = Random(seed)
    usage = Usage("costs", BucketWidth.DAY, [START + day * DAY for day in range(DAYS)])
    for start in usage.starts:
        for line in random.sample(range(9), random.randrange(7)):
            amount = Decimal(random.randrange(-(10**6), 10**14)).scaleb(-random.randrange(12))
            key = combination("costs", line_item=f"m{line}", project_id=random.choice("ab"), currency="usd")
            usage.rows.append(Row(start, key, {"amount": amount}))
    return usage


@contextmanager
def session_of(*usages: Usage, now: int = AFTER) -> Iterator[StoreSession]:
    """Open a session on stored usage, whose clock stands at `now` (epoch seconds)."""
    store = Store.open(None)
    for usage in usages:
        store.put(usage.batch(), now)
    session = StoreSession(store, clock=lambda: now)
    yield session
    session.close()


def plain_cells(table: Table, column: ColumnKey) -> dict[tuple[object, ...], Any]:
    """Return the numbers of a column that are not missing, by the period's index and the values of the groups."""
    heads = [[head.value(row) for row in range(table.rows)] for head in table.heads]
    keys: list[tuple[object, ...]] = list(zip(*heads, strict=True)) if heads else [()] * table.rows
    numbers = table.figure(column).figures.listed()
    return {key: number for key, number in zip(keys, numbers, strict=True) if number is not None}


def one_month_back(moment: datetime, months: int) -> datetime:
    """Return the same day of an earlier month, or the end of that month."""
    first = moment.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return min(first + (moment - moment.replace(day=1)), after)


def other_range(chosen: DateRange, compare: Comparison) -> DateRange:
    """Return the compared range of a custom range, computed without the program's code."""
    assert chosen.start is not None
    assert chosen.end is not None
    if compare is Comparison.PREVIOUS:
        if chosen.start.day == chosen.end.day == 1:
            months = (chosen.end.year - chosen.start.year) * 12 + chosen.end.month - chosen.start.month
            return DateRange(None, one_month_back(chosen.start, months), chosen.start)
        return DateRange(None, chosen.start - (chosen.end - chosen.start), chosen.start)
    if compare is Comparison.WEEKDAY:
        return DateRange(None, chosen.start - timedelta(days=364), chosen.end - timedelta(days=364))
    months = 1 if compare is Comparison.MONTH else 12
    start, end = one_month_back(chosen.start, months), one_month_back(chosen.end, months)
    return DateRange(None, start if start < end else end - (chosen.end - chosen.start), end)


def random_view(random: Random, dataset: str) -> ViewState:
    first = FIRST + timedelta(days=random.randrange(40, DAYS - 2))
    last = first + timedelta(days=random.randrange(1, 40))
    if random.random() < 0.2:
        first = first.replace(day=1)
        last = one_month_back((first + timedelta(days=70)).replace(day=1), random.randrange(2))
    dimensions = ("line_item", "project_id") if dataset == "costs" else ("model", "project_id", "batch")
    return ViewState(
        dataset,
        DateRange(None, first, last),
        per=random.choice([Granularity.TOTAL, Granularity.DAY, Granularity.WEEK, Granularity.MONTH]),
        grouping=tuple(random.sample(dimensions, random.randrange(len(dimensions) + 1))),
        filters=(Filter("project_id", frozenset(["a", "project_id-b"])),) if random.random() < 0.3 else (),
        columns=("amount",) if dataset == "costs" else ("input_tokens", "num_model_requests", "cached_share"),
        compare=random.choice([Comparison.PREVIOUS, Comparison.MONTH, Comparison.YEAR, Comparison.WEEKDAY]),
    )


def check_pair(session: StoreSession, usage: Usage, view: ViewState) -> None:
    result = session.look(view)
    table, names = result.table, [name for name in view.columns if name != "cached_share"]
    own = expected(usage.rows, replace(view, compare=Comparison.NONE), names)
    if view.per is not Granularity.TOTAL and len(result.coverage.periods) == 1:
        own = {(0, *key): cells for key, cells in own.items()}
    plain = replace(view, compare=Comparison.NONE, range=other_range(view.range, view.compare))
    before = expected(usage.rows, replace(plain, per=Granularity.TOTAL), names)
    for name in names:
        shown, old = plain_cells(table, ColumnKey(name)), plain_cells(table, ColumnKey(name, compared=True))
        changed = plain_cells(table, ColumnKey(name, change=ChangeKind.AMOUNT))
        assert shown == {key: cells[name] for key, cells in own.items() if cells[name] is not None}
        totals: dict[tuple[object, ...], Any] = {}
        for key, number in old.items():
            group = key if view.per is Granularity.TOTAL else key[1:]
            totals[group] = totals.get(group, 0) + number
        assert totals == {key: cells[name] for key, cells in before.items() if cells[name] is not None}
        keys = shown.keys() | old.keys()
        assert changed == {key: shown.get(key, 0) - old.get(key, 0) for key in keys}
        sums = [table.figure(ColumnKey(name, compared=compared)).total or 0 for compared in (False, True)]
        change = table.figure(ColumnKey(name, change=ChangeKind.AMOUNT))
        assert sum(changed.values()) == (change.total or 0) == Decimal(sums[0]) - Decimal(sums[1])
        assert Decimal(sums[1]) == sum(map(Decimal, totals.values()))
    if table.heads:
        marks = [table.by_key[ColumnKey(NEW_OR_GONE)].value(row) for row in range(table.rows)]
        assert marks.count("gone") == table.rows - len(own)
        assert all((mark == "gone") == (row >= len(own)) for row, mark in enumerate(marks))


def check_pairs(seed: int, count: int) -> None:
    random, usages = (
        Random(seed),
        [costs(seed), synthetic(START, DAYS, width=BucketWidth.DAY, rows_each=6, seed=seed)],
    )
    with session_of(*usages) as session:
        for _ in range(count):
            usage = random.choice(usages)
            check_pair(session, usage, random_view(random, usage.dataset))


@pytest.mark.parametrize("seed", range(5))
def test_changes_add_up_to_the_change_of_the_totals(seed: int) -> None:
    check_pairs(seed, 12)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(10, 20))
def test_changes_of_a_thousand_pairs_add_up(seed: int) -> None:
    check_pairs(seed, 100)


def test_share_of_quotients_is_their_difference() -> None:
    view = ViewState(
        range=DateRange(None, datetime(2026, 3, 2), datetime(2026, 3, 9)),
        columns=("cached_share",),
        compare=Comparison.PREVIOUS,
    )
    with session_of(synthetic(START, DAYS, width=BucketWidth.DAY, rows_each=6)) as session:
        table = session.look(view).table
    now, old = (plain_cells(table, ColumnKey("cached_share", compared=old)) for old in (False, True))
    changes = plain_cells(table, ColumnKey("cached_share", change=ChangeKind.AMOUNT))
    assert changes == {key: now[key] - old[key] for key in now.keys() & old.keys()}
    assert table.find_figure(ColumnKey("cached_share", change=ChangeKind.SHARE)) is None


@pytest.mark.parametrize(
    ("preset", "compare", "first", "last"),
    [
        (Preset.THIS_MONTH, Comparison.PREVIOUS, "2026-04-01 00:00", "2026-04-20 14:00"),
        (Preset.THIS_MONTH, Comparison.YEAR, "2025-05-01 00:00", "2025-05-20 14:00"),
        (Preset.THIS_WEEK, Comparison.PREVIOUS, "2026-05-11 00:00", "2026-05-13 14:00"),
        (Preset.LAST_7_DAYS, Comparison.WEEKDAY, "2025-05-15 00:00", "2025-05-21 14:00"),
        (Preset.LAST_MONTH, Comparison.PREVIOUS, "2026-03-01 00:00", "2026-04-01 00:00"),
        (Preset.YESTERDAY, Comparison.PREVIOUS, "2026-05-18 00:00", "2026-05-19 00:00"),
    ],
)
def test_open_period_is_compared_with_the_same_elapsed_part(
    preset: Preset, compare: Comparison, first: str, last: str
) -> None:
    now = int(datetime(2026, 5, 20, 14, 40, tzinfo=UTC).timestamp())
    for per in (Granularity.TOTAL, Granularity.DAY, Granularity.HOUR):
        other = ComparedView.of(ViewState(range=DateRange(preset), per=per, compare=compare))
        assert other is not None
        span = other.periods(now).span
        assert [f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}" for moment in (span.start, span.end)] == [
            first,
            last,
        ]


def test_costs_of_an_open_day_are_compared_with_a_whole_day_and_it_is_said() -> None:
    now = START + 100 * DAY + 5 * HOUR
    usage = replace(costs(1), starts=[START + day * DAY for day in range(101)])
    usage.rows = [row for row in usage.rows if row.bucket <= now]
    view = ViewState("costs", DateRange(Preset.LAST_7_DAYS), compare=Comparison.PREVIOUS, grouping=())
    with session_of(usage, now=now) as session:
        result = session.look(view)
    assert result.compared is not None
    assert result.compared.coverage.periods.span.end == START + 94 * DAY
    assert "Today has not ended: the compared period has a whole day in its place." in result.notes


@pytest.mark.parametrize(
    ("hour", "minute", "preset", "dataset", "sentence"),
    [
        (
            14,
            40,
            Preset.TODAY,
            "completions",
            "Compared up to 14:00 today with 19 May 2026 00:00 to 19 May 2026 14:00.",
        ),
        (
            0,
            20,
            Preset.TODAY,
            "completions",
            "This hour has not ended: the compared period has a whole hour in its place.",
        ),
        (14, 40, None, "costs", "Today has not ended: the compared period has a whole day in its place."),
        (14, 40, None, "completions", "Compared up to 14:00 today with 1 Apr 2026 00:00 to 20 Apr 2026 14:00."),
    ],
)
def test_end_of_the_compared_part_is_said(
    hour: int, minute: int, preset: Preset | None, dataset: str, sentence: str
) -> None:
    now = int(datetime(2026, 5, 20, hour, minute, tzinfo=UTC).timestamp())
    month = DateRange(None, datetime(2026, 5, 1), datetime(2026, 6, 1))
    view = ViewState(
        dataset, month if preset is None else DateRange(preset), grouping=(), compare=Comparison.PREVIOUS
    )
    with session_of(now=now) as session:
        assert sentence in session.look(view).notes


def test_missing_days_of_the_compared_period_are_named_and_fetched() -> None:
    usage = costs(2)
    usage.starts = [start for start in usage.starts if start >= START + 40 * DAY]
    usage.rows = [row for row in usage.rows if row.bucket >= START + 40 * DAY]
    chosen = DateRange(None, FIRST + timedelta(days=45), FIRST + timedelta(days=55))
    view = ViewState("costs", chosen, grouping=(), compare=Comparison.PREVIOUS)
    with session_of(usage) as session:
        result = session.look(view)
        own, other = sides(view)
        assert not session.coverage(own).to_fetch
        assert session.coverage(other).to_fetch == result.to_fetch
    assert (result.coverage.complete, result.complete) == (True, False)
    assert any(note.startswith("Compared period incomplete: 5 of 10 days") for note in result.notes)
    assert "What is not loaded counts as 0 in the changes." in result.notes


def test_amounts_in_different_currencies_are_rows_of_their_own_and_have_no_total() -> None:
    usage = costs(3)
    usage.rows = [
        row if row.bucket < START + 50 * DAY else replace(row, combination=(*row.combination[:5], "eur", None))
        for row in usage.rows
    ]
    chosen = DateRange(None, FIRST + timedelta(days=50), FIRST + timedelta(days=60))
    view = ViewState("costs", chosen, grouping=(), columns=("amount",), compare=Comparison.PREVIOUS)
    with session_of(usage) as session:
        result = session.look(view)
        old = session.look(replace(view, compare=Comparison.NONE, range=other_range(chosen, view.compare)))
    table = result.table
    assert [group.name for group in table.groups] == ["currency"]
    before = plain_cells(table, ColumnKey("amount", compared=True))
    assert before == {("usd",): old.table.figure("amount").total}
    assert plain_cells(table, ColumnKey("amount", change=ChangeKind.AMOUNT))["usd",] == -before["usd",]
    assert [column.total for column in table.figures] == [None] * 4
    assert [column.label for column in table.figures][:2] == ["Amount", "Amount, before"]
    assert result.effective_view.grouping == ()


def test_day_that_the_earlier_month_lacks_is_compared_with_nothing() -> None:
    march = ViewState(range=DateRange(None, datetime(2026, 3, 27), datetime(2026, 4, 2)), per=Granularity.DAY)
    other = ComparedView.of(replace(march, compare=Comparison.MONTH))
    assert other is not None
    moved = other.moved_bounds(AFTER)
    days = [datetime.fromtimestamp(moment, UTC) for moment in moved.tolist()]
    assert [day.strftime("%m-%d") for day in days] == [
        "02-27",
        "02-28",
        "03-01",
        "03-01",
        "03-01",
        "03-01",
        "03-02",
    ]
    assert counterparts(moved).tolist() == [0, 1, 5]
    assert len(other.periods(AFTER)) == 3


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])  # whose 29 March 2026 has 23 hours
def test_days_that_the_earlier_month_lacks_are_compared_with_its_last_ones(zone: str) -> None:
    days_of_march = DateRange(None, datetime(2026, 3, 29), datetime(2026, 3, 31))
    march = ViewState(range=days_of_march, per=Granularity.DAY, zone=zone)
    other = ComparedView.of(replace(march, compare=Comparison.MONTH))
    assert other is not None
    days = [datetime.fromtimestamp(moment, march.tzinfo) for moment in other.periods(AFTER).bounds.tolist()]
    assert [f"{day:%m-%d %H:%M}" for day in days] == ["02-27 00:00", "02-28 00:00", "03-01 00:00"]


def test_days_of_a_zone_keep_their_clock_times() -> None:
    view = ViewState(
        range=DateRange(None, datetime(2026, 4, 1), datetime(2026, 4, 8)), per=Granularity.DAY, zone="Europe/Berlin"
    )
    other = ComparedView.of(replace(view, compare=Comparison.MONTH))
    assert other is not None
    walls = [datetime.fromtimestamp(moment, view.tzinfo) for moment in other.periods(AFTER).bounds.tolist()]
    assert [(wall.month, wall.day, wall.hour) for wall in walls] == [(3, day, 0) for day in range(1, 9)]
    assert np.diff(other.periods(AFTER).bounds).tolist() == [DAY] * 7


def test_there_is_no_period_before_the_first_year() -> None:
    with pytest.raises(InputError):
        Shift(months=12).moved(datetime(1, 1, 1))


def test_comparison_of_empty_tables_is_empty() -> None:
    with session_of() as session:
        result = session.look(ViewState(compare=Comparison.PREVIOUS))
    assert result.table.rows == 0
    assert not result.complete
