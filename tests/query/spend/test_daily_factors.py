"""The mean relative price of a day's usage: known where the usage explains the bill, else None."""

from decimal import Decimal
from fractions import Fraction

from usage_viewer.domain.spend import Factor, UsageClass
from usage_viewer.query.spend.daily_factors import are_steady, daily_mean_factors, measured_factors
from usage_viewer.query.spend.prices import PricePeriod

ORDINARY, BATCH, PRIORITY = UsageClass(False, "default"), UsageClass(True, None), UsageClass(False, "priority")
HALF = {BATCH: Factor(Fraction(1, 2), measured=True)}
YES, NO = [True], [False]


def test_ordinary_usage_has_the_factor_1_even_if_the_quantities_differ() -> None:
    used = {1: {ORDINARY: 100, UsageClass(False, None): 5}, 2: {}}
    assert daily_mean_factors([1, 2], [False, False], [False, False], used, {}) == [1, 1]
    assert daily_mean_factors([1], NO, NO, {}, {}) == [1]
    assert daily_mean_factors([1], NO, NO, {1: {PRIORITY: 7}}, {}, tier="priority") == [1]


def test_batches_count_at_their_measured_factor() -> None:
    used = {1: {ORDINARY: 100, BATCH: 100}}
    assert daily_mean_factors([1], YES, YES, used, HALF) == [Fraction(3, 4)]


def test_unknown_where_the_usage_does_not_explain_the_bill() -> None:
    used = {1: {ORDINARY: 100, BATCH: 100}, 2: {ORDINARY: 100}}
    assert daily_mean_factors([1], NO, YES, used, HALF) == [None]  # a batch may be billed on another day
    assert daily_mean_factors([1], YES, NO, used, HALF) == [None]  # another line item may bill the batch
    assert daily_mean_factors([2], YES, NO, used, HALF) == [1]
    assert daily_mean_factors([3], YES, YES, used, HALF) == [None]
    assert daily_mean_factors([1], YES, YES, used, {BATCH: Factor(Fraction(1, 2), measured=False)}) == [None]
    assert daily_mean_factors([1], YES, YES, {1: {PRIORITY: 9}}, {}) == [None]


def test_factors_are_measured_from_the_amounts_of_days() -> None:
    days = list(range(20700, 20720))
    used = {day: {ORDINARY: 1_000_000 + 1000 * day, BATCH: 10_000 * (day % 7 + 1)} for day in days}
    amounts = [Decimal(2 * used[day][ORDINARY] + used[day][BATCH]) * Decimal("0.000001") for day in days]
    found = measured_factors(days, amounts, [True] * len(days), used, {})
    assert found[BATCH] == Factor(Fraction(1, 2), measured=True)
    known = {ORDINARY: Factor(Fraction(1), measured=True), **HALF}
    assert measured_factors(days, amounts, [False] * len(days), used, known) is known


def test_prices_that_change_within_three_days_are_no_prices() -> None:
    days = list(range(10))
    periods = [PricePeriod(0, 2, Fraction(1), Fraction(1)), PricePeriod(3, 9, Fraction(2), Fraction(1))]
    assert are_steady(periods, days)
    assert not are_steady(periods, [0, 1, 3, 4, 5])
    assert are_steady(periods[:1], [0])
    assert are_steady([], days)
