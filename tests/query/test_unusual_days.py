"""Tests the ranking of unusual days: planted spikes are found, constant and weekly usage gives an empty list."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.rigs.tables import NOVEMBER
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.zones import zone_of
from usage_viewer.query.unusual_days import MOST_LISTED, UnusualDays, find_unusual_days

DAYS, FIRST = 91, 56
COSTS = DATASETS["costs"]
Cell = tuple[int, int]
Amount = Callable[[int, int], Decimal | int | None]


def table_of(amount: Amount, groups: int = 5) -> Table:
    """Return a table of days and line items; None: no row."""
    cells = [(day, group) for day in range(DAYS) for group in range(groups) if amount(day, group) is not None]
    Random(1).shuffle(cells)
    values = np.empty(len(cells), np.object_)
    values[:] = [amount(*cell) for cell in cells]
    span = Span(NOVEMBER.start, NOVEMBER.start + DAYS * 86400)
    days = PeriodColumn(
        np.array([day for day, _ in cells], np.int32), periods(span, Granularity.DAY, zone_of("UTC"))
    )
    labels = tuple(f"m{group}" for group in range(groups))
    lines = GroupColumn(
        COSTS.dimension("line_item"), np.array([group for _, group in cells], np.int32), labels, labels
    )
    figures = NumberColumn(values)
    return Table((days, lines, FigureColumn.build(COSTS.column("amount"), figures, figures.total())), len(cells))


def unusual(amount: Amount, loaded: NDArray[np.bool_] | None = None, groups: int = 5) -> UnusualDays:
    table = table_of(amount, groups)
    return find_unusual_days(
        table, table.figure("amount"), np.ones(DAYS, np.bool_) if loaded is None else loaded, FIRST
    )


def day_of(moment: int) -> int:
    return (moment - NOVEMBER.start) // 86400


def weekly(day: int, group: int) -> Decimal:
    """Return an amount that depends on the weekday alone, as different as days can be."""
    return Decimal(10) ** (day % 7) * (group + 1) / 7


@pytest.mark.parametrize("amount", [lambda day, group: Decimal("12.34"), weekly])
def test_constant_and_purely_weekly_usage_is_not_unusual(amount: Amount) -> None:
    found = unusual(amount)
    assert found.listed == ()
    assert (found.judged, found.not_judged) == (DAYS - FIRST, 0)


def check_spikes(seed: int) -> None:
    random = Random(seed)
    large, scale = random.sample(range(20), 5), Decimal(10) ** random.randrange(-3, 9)
    base = [scale * Decimal(random.uniform(0.01, 0.2)) for _ in range(20)]
    for group in large:
        base[group] = scale * Decimal(random.uniform(0.6, 1))
    noise = {(day, group): random.uniform(0.8, 1.2) for day in range(DAYS) for group in range(20)}
    spikes = {(random.randrange(FIRST, DAYS), group) for group in random.sample(large, 3)}

    def amount(day: int, group: int) -> Decimal:
        usual = base[group] * Decimal(noise[day, group]) * (1 if day % 7 < 5 else Decimal("0.3"))
        return usual * (5 if (day, group) in spikes else 1)

    listed = unusual(amount, groups=20).listed
    ranks = {(day_of(item.day), int(item.groups[0][2][1:])): rank for rank, item in enumerate(listed)}
    assert len(listed) <= MOST_LISTED
    assert all(ranks[cell] < MOST_LISTED / 2 for cell in spikes), ranks
    assert [item.above for item in listed] == sorted((item.above for item in listed), reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_planted_spikes_are_in_the_upper_half(seed: int) -> None:
    check_spikes(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(100, 120))
def test_planted_spikes_of_many_organizations_are_in_the_upper_half(seed: int) -> None:
    for number in range(20):
        check_spikes(1000 * seed + number)


def test_expected_is_the_median_of_the_same_weekday_and_stated_with_its_basis() -> None:
    def amount(day: int, group: int) -> Decimal | None:
        if group:
            return None
        if day == 70:
            return Decimal("100.5")
        return Decimal(day // 7) if day % 7 == 0 else Decimal(1000)

    day = next(item for item in unusual(amount).listed if day_of(item.day) == 70)
    assert (day.actual, day.expected, day.above) == (Decimal("100.5"), Decimal("5.5"), Decimal(95))
    assert (day.weeks, day.highest) == (8, 9)
    assert day.groups == (("line_item", "m0", "m0"),)


def test_group_without_rows_before_is_expected_to_use_nothing() -> None:
    found = unusual(lambda day, group: 7 if (day, group) == (80, 2) else 1 if group == 0 else None)
    assert [(day_of(item.day), item.groups[0][1], item.actual, item.expected) for item in found.listed] == [
        (80, "m2", 7, 0)
    ]


def test_days_that_are_not_loaded_are_neither_judged_nor_compared_with() -> None:
    loaded = np.ones(DAYS, np.bool_)
    loaded[[77 - 7, 77 - 14]] = False
    loaded[78 - 7 * np.arange(1, 6)] = False
    loaded[90] = False

    def amount(day: int, group: int) -> int:
        return 1000 if day in (77, 78, 90) else 1 if loaded[day] else 5000

    found = unusual(amount, loaded, groups=1)
    by_day = {day_of(item.day): item for item in found.listed}
    assert 77 in by_day
    assert (by_day[77].weeks, by_day[77].expected) == (6, 1)
    assert not {78, 90} & by_day.keys()
    assert found.not_judged >= 1


def test_one_earlier_outlier_does_not_hide_a_later_one() -> None:
    found = unusual(lambda day, group: {63: 900, 84: 800}.get(day, 10) if group == 0 else None)
    assert [day_of(item.day) for item in found.listed] == [63, 84]
