"""Factors of batches and tiers are measured exactly where the rows of costs prove them, else assumed."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_viewer.domain.spend import Factor, UsageClass
from usage_viewer.query.spend.factors import CENT, BilledCells, assumed_factor, measure_factors, rounding_unit

PLAIN, BATCH = UsageClass(False, None), UsageClass(True, None)
DEFAULT, FLEX, PRIORITY = UsageClass(False, "default"), UsageClass(False, "flex"), UsageClass(False, "priority")
HALF, ONE = Fraction(1, 2), Fraction(1)

Row = tuple[int, Mapping[UsageClass, int]]
"""A day, and tokens by class."""


def make_cells(
    rows: Sequence[Row], factors: Mapping[UsageClass, Fraction], prices: Mapping[int, int], unit: int = 1
) -> BilledCells:
    """Bill the rows at the day's price (10^-12 a token), each amount rounded to a multiple of `unit`."""
    classes = tuple(dict.fromkeys(one for _, tokens in rows for one in tokens))
    amounts = np.empty(len(rows), np.object_)
    amounts[:] = [
        round(prices[day] * sum((factors.get(one, ONE) * count for one, count in tokens.items()), 0 * ONE) / unit)
        * unit
        for day, tokens in rows
    ]
    counts = [[tokens.get(one, 0) for one in classes] for _, tokens in rows]
    days = np.array([day for day, _ in rows], np.int64)
    return BilledCells(days, amounts, classes, np.array(counts, np.int64).reshape(len(rows), len(classes)))


def measured(value: Fraction | int) -> Factor:
    return Factor(Fraction(value), measured=True)


def test_pure_rows_of_one_day_are_enough() -> None:
    cells = make_cells([(1, {PLAIN: 1_234_567}), (1, {BATCH: 7_654_321})], {BATCH: HALF}, {1: 2_500_000})
    assert measure_factors(cells) == {PLAIN: measured(1), BATCH: measured(HALF)}


def test_price_changes_between_the_days_do_not_matter() -> None:
    rows = [(day, {one: 10_000 + 17 * day}) for day in range(40) for one in (PLAIN, BATCH)]
    cells = make_cells(rows, {BATCH: HALF}, {day: 1_000_000 + 7919 * day for day in range(40)})
    assert measure_factors(cells)[BATCH] == measured(HALF)


def test_mixed_rows_are_solved() -> None:
    random = Random(1)
    rows = [(day % 9, {PLAIN: random.randrange(10**7), BATCH: random.randrange(10**7)}) for day in range(60)]
    cells = make_cells(rows, {BATCH: HALF}, {day: 1_250_000 * (day + 1) for day in range(9)})
    assert measure_factors(cells)[BATCH] == measured(HALF)


def test_one_mixed_row_a_day_is_solved_within_a_week() -> None:
    random = Random(2)
    rows = [(day, {PLAIN: random.randrange(10**7), BATCH: random.randrange(10**7)}) for day in range(100)]
    cells = make_cells(rows, {BATCH: HALF}, {day: 2_500_000 if day < 45 else 2_000_000 for day in range(100)})
    assert measure_factors(cells)[BATCH] == measured(HALF)


@pytest.mark.parametrize(
    "factor", [Fraction(17, 10), Fraction(20, 11), Fraction(2), Fraction(3, 4), Fraction(5, 2)]
)
def test_several_classes_in_every_row(factor: Fraction) -> None:
    random = Random(3)
    classes = (DEFAULT, UsageClass(True, "default"), FLEX, PRIORITY)
    rows = [(0, {one: random.randrange(1, 10**8) for one in classes}) for _ in range(200)]
    factors = {classes[1]: HALF, FLEX: HALF, PRIORITY: factor}
    found = measure_factors(make_cells(rows, factors, {0: 9_900_000}))
    assert found == {one: measured(factors.get(one, 1)) for one in classes}


@pytest.mark.parametrize("unit", [100, 10**4, CENT])
def test_rounded_amounts(unit: int) -> None:
    random = Random(4)
    rows = [(day, {one: random.randrange(10**8, 10**9)}) for day in range(30) for one in (PLAIN, BATCH)]
    cells = make_cells(rows, {BATCH: HALF}, dict.fromkeys(range(30), 2_500_000), unit)
    assert measure_factors(cells)[BATCH] == measured(HALF)


def test_late_rows_do_not_hide_the_factor() -> None:
    random = Random(5)
    rows = [(0, {PLAIN: random.randrange(10**7), BATCH: random.randrange(10**7)}) for _ in range(100)]
    cells = make_cells([*rows, *((1 + n, {one: 10**6}) for n in range(9) for one in (PLAIN, BATCH))],
                       {BATCH: HALF}, dict.fromkeys(range(10), 2_500_000))  # fmt: skip
    cells.tokens[100] //= 3
    assert measure_factors(cells)[BATCH] == measured(HALF)


NOTHING_PROVEN: dict[str, BilledCells] = {
    "no rows": make_cells([], {}, {}),
    "one row": make_cells([(0, {PLAIN: 10**6, BATCH: 10**6})], {BATCH: HALF}, {0: 10**6}),
    "the same mix in every row": make_cells(
        [(0, {PLAIN: 1000 * n, BATCH: 700 * n}) for n in range(1, 50)], {BATCH: HALF}, {0: 10**6}
    ),
    "all amounts rounded to nearly nothing": make_cells(
        [(0, {one: 1000 + n}) for n in range(9) for one in (PLAIN, BATCH)], {BATCH: HALF}, {0: 10**6}, CENT // 10
    ),
    "no simple fraction": make_cells(
        [(0, {one: 10**6 + n}) for n in range(9) for one in (PLAIN, BATCH)], {BATCH: Fraction(31, 997)}, {0: 10**6}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTHING_PROVEN)
def test_without_proof_the_factor_is_assumed(case: str) -> None:
    factors = measure_factors(NOTHING_PROVEN[case])
    assert factors.get(BATCH, Factor(HALF, False)) == Factor(HALF, measured=False)


def test_line_item_of_one_tier_has_that_tier_as_the_ordinary_one() -> None:
    batch = UsageClass(True, "flex")
    rows = [(0, {FLEX: 1_234_567}), (0, {batch: 7_654_321})]
    found = measure_factors(make_cells(rows, {FLEX: HALF, batch: Fraction(1, 4)}, {0: 2_500_000}))
    assert found == {FLEX: measured(1), batch: measured(HALF)}


def test_one_day_with_both_is_found_beside_many_days_without_batches() -> None:
    rows = [(day, {PLAIN: 10_000 + 7 * number}) for day in range(10) for number in range(9)]
    rows += [(20, {PLAIN: 1_234_567}), (20, {BATCH: 7_654_321})]
    cells = make_cells(rows, {BATCH: HALF}, {day: 10**6 + day for day in range(21)})
    assert measure_factors(cells)[BATCH] == measured(HALF)


def test_factor_that_holds_for_a_part_of_the_rows_is_assumed() -> None:
    random = Random(7)
    rows = [
        (day, {PLAIN: random.randrange(10**7), BATCH: random.randrange(10**7)}) for day in range(5) for _ in "1234"
    ]
    cells = make_cells(rows, {BATCH: Fraction(3, 4)}, dict.fromkeys(range(5), 10**6))
    other = make_cells(rows, {BATCH: Fraction(1, 4)}, dict.fromkeys(range(5), 10**6))
    cells.amounts[8:] = other.amounts[8:]
    assert measure_factors(cells)[BATCH] == Factor(HALF, measured=False)


def test_change_of_price_between_days_is_no_factor() -> None:
    rows = [(0, {BATCH: 96_613}), (5, {PLAIN: 490}), (6, {PLAIN: 1839}), (6, {PLAIN: 3414})]
    prices = {0: 11_500_000, 5: 5_750_000, 6: 5_750_000}  # halved while no batch was run
    assert measure_factors(make_cells(rows, {BATCH: HALF}, prices))[BATCH] == Factor(HALF, measured=False)


def test_amounts_that_fit_no_factor() -> None:
    random = Random(6)
    rows = [(0, {PLAIN: random.randrange(10**7), BATCH: random.randrange(10**7)}) for _ in range(50)]
    cells = make_cells(rows, {}, {0: 10**6})
    cells.amounts[:] = [random.randrange(10**13) for _ in rows]
    assert measure_factors(cells)[BATCH] == Factor(HALF, measured=False)


@pytest.mark.parametrize(
    ("one", "factor"),
    [
        (BATCH, HALF),
        (UsageClass(True, "priority"), HALF),
        (FLEX, HALF),
        (UsageClass(False, "flex-tier"), HALF),
        (PRIORITY, Fraction(1)),
        (PLAIN, Fraction(1)),
    ],
)
def test_assumed_factor(one: UsageClass, factor: Fraction) -> None:
    assert assumed_factor(one) == factor


@pytest.mark.parametrize(
    ("amounts", "unit"),
    [([], CENT), ([3 * CENT, 0], CENT), ([CENT, 10**6], 10**6), ([CENT, 7], 1), ([10**15], CENT)],
)
def test_rounding_unit(amounts: list[int], unit: int) -> None:
    assert rounding_unit(amounts) == unit


CLASSES = (PLAIN, BATCH, DEFAULT, FLEX, PRIORITY, UsageClass(True, "flex"))
FACTORS = st.fractions(Fraction(1, 10), Fraction(5), max_denominator=20)


def check(seed: int, factors: Mapping[UsageClass, Fraction], unit: int) -> None:
    """What is measured is right, shuffled rows measure the same, and plain cases are measured."""
    random = Random(seed)
    days = random.randrange(1, 30)
    rows: list[Row] = []
    for _ in range(random.randrange(1, 300)):
        chosen = random.sample(CLASSES, random.choice([1, 1, 2, 3]))
        rows.append((random.randrange(days), {one: random.choice([0, random.randrange(10**9)]) for one in chosen}))
    prices = {day: random.randrange(10**4, 10**8) for day in range(days)}
    found = measure_factors(make_cells(rows, factors, prices, unit))
    used = {one for _, tokens in rows for one, count in tokens.items() if count}
    if used & {PLAIN, DEFAULT}:
        for one in used:
            assert found[one].value == factors.get(one, 1) or not found[one].measured, one
    random.shuffle(rows)
    assert measure_factors(make_cells(rows, factors, prices, unit)) == found
    if unit == 1:
        by_day = [
            {
                one
                for day, tokens in rows
                if day == number
                for one, count in tokens.items()
                if [c for c in tokens.values() if c] == [count] and count > 1000
            }
            for number in range(days)
        ]
        if any({PLAIN, BATCH} <= classes for classes in by_day):
            assert found[BATCH].measured


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.fixed_dictionaries(dict.fromkeys((BATCH, FLEX, PRIORITY, CLASSES[-1]), FACTORS)),
       st.sampled_from([1, 100, 10**6, CENT]))  # fmt: skip
def test_measured_factors_are_true(seed: int, factors: dict[UsageClass, Fraction], unit: int) -> None:
    check(seed, factors, unit)


@pytest.mark.fuzz
@settings(max_examples=3000, deadline=None)
@given(st.integers(0, 2**32), st.fixed_dictionaries(dict.fromkeys((BATCH, FLEX, PRIORITY, CLASSES[-1]), FACTORS)),
       st.sampled_from([1, 100, 10**6, CENT]))  # fmt: skip
def test_measured_factors_are_true_in_3000_organizations(
    seed: int, factors: dict[UsageClass, Fraction], unit: int
) -> None:
    check(seed, factors, unit)
