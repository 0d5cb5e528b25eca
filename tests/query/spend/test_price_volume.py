"""The difference of two bills is the sum of its parts, to the last digit."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_viewer.query.spend.price_volume import (
    NOTHING,
    BillDifference,
    PeriodBill,
    split_difference,
    split_differences,
    sum_differences,
    sum_fractions,
)


def bill(amount: str, quantity: str | None) -> PeriodBill:
    return PeriodBill(Decimal(amount), None if quantity is None else Decimal(quantity))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (bill("10", "100"), bill("30", "300"), BillDifference(volume=Fraction(20))),
        (bill("10", "100"), bill("15", "100"), BillDifference(price=Fraction(5))),
        (bill("10", "100"), bill("24", "200"), BillDifference(volume=Fraction(10), price=Fraction(4))),
        (bill("10", "3"), bill("10", "2"), BillDifference(volume=Fraction(-10, 3), price=Fraction(10, 3))),
        (bill("0", "100"), bill("7", "200"), BillDifference(price=Fraction(7))),
        (bill("7", "100"), bill("0", "200"), BillDifference(volume=Fraction(7), price=Fraction(-14))),
        (NOTHING, bill("7", "70"), BillDifference(new=Fraction(7))),
        (bill("0", "0"), bill("7", None), BillDifference(new=Fraction(7))),
        (bill("7", "70"), NOTHING, BillDifference(gone=Fraction(-7))),
        (bill("7", "70"), bill("0", "0"), BillDifference(gone=Fraction(-7))),
        (bill("-3", None), bill("-5", None), BillDifference(unsplit=Fraction(-2))),
        (bill("3", "10"), bill("5", None), BillDifference(unsplit=Fraction(2))),
        (bill("3", "0"), bill("5", "10"), BillDifference(unsplit=Fraction(2))),
        (bill("3", "10"), bill("-1", "-4"), BillDifference(unsplit=Fraction(-4))),
        (NOTHING, NOTHING, BillDifference()),
    ],
)
def test_parts(first: PeriodBill, second: PeriodBill, expected: BillDifference) -> None:
    assert split_difference(first, second) == expected


def test_keys_of_either_period_come_once_in_order() -> None:
    one, two = bill("1", "1"), bill("2", "2")
    assert split_differences({"b": one, "a": one}, {"c": two, "a": two}) == {
        "b": BillDifference(gone=Fraction(-1)),
        "a": BillDifference(volume=Fraction(1)),
        "c": BillDifference(new=Fraction(2)),
    }


DECIMALS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False)
BILLS = st.dictionaries(
    st.integers(0, 8), st.builds(PeriodBill, DECIMALS, st.none() | st.integers(-5, 10**12).map(Decimal) | DECIMALS)
)


@settings(deadline=None)
@given(BILLS, BILLS)
def test_parts_add_up_to_the_difference(first: Mapping[int, PeriodBill], second: Mapping[int, PeriodBill]) -> None:
    parts = split_differences(first, second)
    for key, part in parts.items():
        before, after = first.get(key, NOTHING), second.get(key, NOTHING)
        assert part.total == Fraction(after.amount) - Fraction(before.amount)
    before_all, after_all = (sum(Fraction(one.amount) for one in bills.values()) for bills in (first, second))
    assert sum_differences(parts.values()).total == after_all - before_all


@settings(deadline=None)
@given(BILLS, BILLS)
def test_periods_in_the_other_order_swap_new_and_gone(
    first: Mapping[int, PeriodBill], second: Mapping[int, PeriodBill]
) -> None:
    forward = sum_differences(split_differences(first, second).values())
    backward = sum_differences(split_differences(second, first).values())
    assert (forward.new, forward.unsplit) == (-backward.gone, -backward.unsplit)
    assert forward.total == -backward.total


@given(st.lists(st.fractions()))
def test_sum_of_fractions(numbers: list[Fraction]) -> None:
    assert sum_fractions(numbers) == sum(numbers, Fraction())
