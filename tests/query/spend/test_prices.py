"""Own prices are exact; changes are found on their day, and none is invented by rounding or batches."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from random import Random

import pytest

from tests.rigs.billed_organizations import decimal
from tests.rigs.random_organizations import random_organization
from usage_viewer.query.spend.factors import mean_factors, measure_factors
from usage_viewer.query.spend.prices import (
    DailyBill,
    daily_prices,
    price_changes,
    price_periods,
    range_price,
    shown_units,
)

NO_PRICE: dict[str, tuple[str | None, Decimal | None]] = {
    "no quantity": ("tokens", None),
    "quantity 0": ("tokens", Decimal(0)),
    "9,999 tokens": ("tokens", Decimal(9_999)),
    "9,999 tokens in thousands": ("1000_tokens", Decimal("9.999")),
    "negative": ("tokens", Decimal(-20_000)),
    "no images": ("images", Decimal(0)),
}


def bill_of(
    amounts: Sequence[str | int | Decimal],
    quantities: Sequence[int | Decimal | None],
    unit: str | None = "tokens",
    factors: Sequence[Fraction | None] = (),
    rows: Sequence[int] = (),
) -> DailyBill:
    numbers = [None if number is None else Decimal(number) for number in quantities]
    return DailyBill(unit, range(len(amounts)), [Decimal(amount) for amount in amounts], numbers, rows, factors)


@pytest.mark.parametrize("case", NO_PRICE)
def test_no_price_instead_of_infinity(case: str) -> None:
    unit, quantity = NO_PRICE[case]
    bill = bill_of(["3.5"], [quantity], unit)
    assert daily_prices(bill) == [None]
    assert price_periods(bill) == []
    assert price_changes(bill) == []


def test_refund_has_no_price() -> None:
    bill = bill_of(["2", "-4", "2"], [20_000] * 3)
    assert daily_prices(bill)[1] is None
    assert len(price_periods(bill)) == 1


def test_price_is_an_exact_fraction() -> None:
    assert daily_prices(bill_of(["1", "0.75"], [30_000, 1], "tokens")) == [Fraction(1, 30_000), None]
    assert daily_prices(bill_of(["0.75"], [3], "images")) == [Fraction(1, 4)]
    assert daily_prices(bill_of(["0.03"], [30], "1000_tokens")) == [Fraction(1, 1000)]


@pytest.mark.parametrize(
    ("unit", "number"),
    [("tokens", 10**6), ("1000_tokens", 1000), ("images", 1), ("duration_minutes", 1), (None, 1), ("widgets", 1)],
)
def test_shown_units(unit: str | None, number: int) -> None:
    assert shown_units(unit) == number


def test_price_of_a_range_is_the_sum_of_amounts_by_the_sum_of_quantities() -> None:
    assert range_price([Decimal(1), Decimal(2), Decimal(9)], [Decimal(4), Decimal(5), None]) == Fraction(3, 9)
    assert range_price([Decimal(1)], [Decimal(0)]) is None
    assert range_price([Decimal(1)], [None]) is None
    assert range_price([], []) is None


def test_periods_and_what_a_change_cost() -> None:
    periods = price_periods(bill_of(["2", "4", "0", "3", "6"], [20_000, 40_000, None, 20_000, 40_000]))
    assert [(one.first_day, one.last_day, one.price) for one in periods] == [
        (0, 1, Fraction(1, 10_000)), (3, 4, Fraction(3, 20_000)),
    ]  # fmt: skip
    (change,) = price_changes(bill_of(["2", "4", "3", "6", "0.0015"], [20_000, 40_000, 20_000, 40_000, 10]))
    assert (change.day, change.old, change.new) == (2, Fraction(1, 10_000), Fraction(3, 20_000))
    assert change.cost == Fraction(60_010, 20_000)


def test_batches_in_the_line_do_not_change_the_price() -> None:
    shares = [Fraction(number, 10) for number in range(10)]  # of batches, at half the price
    factors = [1 - share / 2 for share in shares]
    amounts = [decimal(Fraction(1, 400_000) * 1_000_000 * factor) for factor in factors]
    bill = bill_of(amounts, [1_000_000] * 10, factors=factors)
    assert [one.price for one in price_periods(bill)] == [Fraction(1, 400_000)]
    assert len(price_periods(bill_of(amounts, [1_000_000] * 10))) == 10
    unknown = bill_of(amounts, [1_000_000] * 10, factors=[None, *factors[1:]])
    assert [one.first_day for one in price_periods(unknown)] == [1]


def rounded(amount: Fraction, unit: Decimal | None) -> Decimal:
    exact = decimal(amount)
    return exact if unit is None else exact.quantize(unit, ROUND_HALF_EVEN)


def check_year(seed: int, unit: Decimal | None) -> None:
    """Planted changes of at least 2 % are found on their day, and no other."""
    random = Random(seed)
    rows, least = random.randrange(1, 20), 10_000 if unit is None or unit < Decimal("1e-9") else 10**7
    price = Fraction(random.randrange(1, 40), random.choice([10**5, 10**6, 4 * 10**6]))
    planted: dict[int, Fraction] = {}
    amounts, quantities = [], []
    for day in range(365):
        if day and random.random() < 0.01:
            price *= Fraction(random.choice(["1/2", "49/50", "51/50", "5/4", "2"]))
            planted[day] = price
        tokens = [random.randrange(least, 100 * least) for _ in range(rows)]
        amounts.append(sum((rounded(price * count, unit) for count in tokens), Decimal()))
        quantities.append(Decimal(sum(tokens)))
    bill = DailyBill("tokens", range(365), amounts, quantities, [rows] * 365)
    found = price_changes(bill)
    assert [change.day for change in found] == list(planted)
    for change in found:
        assert abs(change.new / planted[change.day] - 1) < Fraction(1, 1000)
    if unit is None:
        assert [change.new for change in found] == list(planted.values())
        standard = sum(map(Fraction, amounts)) - sum(change.cost for change in found)
        first = daily_prices(bill)[0]
        assert first is not None
        assert standard == first * sum(map(Fraction, quantities))


@pytest.mark.parametrize("unit", [None, Decimal("1e-10"), Decimal("1e-6"), Decimal("0.01")])
@pytest.mark.parametrize("seed", range(5))
def test_planted_changes_of_a_year(seed: int, unit: Decimal | None) -> None:
    check_year(seed, unit)


@pytest.mark.fuzz
@pytest.mark.parametrize("unit", [None, Decimal("1e-10"), Decimal("1e-6"), Decimal("0.01")])
def test_planted_changes_of_250_years(unit: Decimal | None) -> None:
    for seed in range(100, 350):
        check_year(seed, unit)


def check_organization(seed: int) -> int:
    """Return the number of line items, with batches and tiers in them, whose prices are the true ones."""
    organization = random_organization(Random(seed))
    checked = 0
    for key, prices in organization.prices.items():
        cells = organization.cells(key)
        factors = measure_factors(cells)
        has_long_context = any("long context" in text and key[0] in text for text, _ in organization.prices)
        is_ordinary = any(not one.batch and one.tier in (None, "default") for one in cells.classes)
        if has_long_context or not is_ordinary or not all(factor.measured for factor in factors.values()):
            continue  # usage doesn't tell long context; without ordinary usage, batches set the price
        rows = {
            day: [row for row in organization.costs if row.key == key and row.day == day] for day in sorted(prices)
        }
        amounts = [sum((row.amount for row in day), Decimal()) for day in rows.values()]
        quantities: list[Decimal | None] = [
            sum((row.quantity or Decimal() for row in day), Decimal()) for day in rows.values()
        ]
        means = mean_factors(cells, factors, list(rows))
        for period in price_periods(DailyBill(key[1], list(rows), amounts, quantities, (), means)):
            for day, price in prices.items():
                if period.first_day <= day <= period.last_day and rows[day][0].quantity:
                    assert abs(period.price / price - 1) < Fraction(1, 10**9), (key, day)
        checked += 1
    return checked


def test_prices_with_batches_and_tiers() -> None:
    assert sum(check_organization(seed) for seed in range(20)) > 100


@pytest.mark.fuzz
def test_prices_with_batches_and_tiers_in_500_organizations() -> None:
    assert sum(check_organization(seed) for seed in range(100, 600)) > 3000
