"""Finds an organization's own prices: what a line item costs per unit, and since when.

The bill states amounts, not prices. Amounts may be rounded, so a day only tells a range of prices; a new period
begins where a day's range and that of the period so far have nothing in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.query.spend.factors import rounding_unit
from usage_viewer.query.spend.proposals import counted, per_unit

MIN_PRICED_TOKENS: Final = 10_000
"""A day with fewer tokens has no price: the rounding of its amount would be a large part of it."""

_UNITS: Final = 12  # decimal places of the smallest amount that is told apart
_DOUBLE: Final = 1e-12  # relative error of amounts that were computed with doubles


@dataclass(frozen=True, slots=True)
class DailyBill:
    """Holds what a line item billed on closed days, one entry for each day.

    `days` are day numbers, ascending, (n,). `amounts` and `quantities` are sums of the day's `rows` rows of costs;
    a quantity is None if a row has none. `mean_factors` are the mean relative prices of the day's usage (batches,
    service tiers), 1 if it is empty; None for a day whose usage is not known.
    """

    unit: str | None
    days: Sequence[int]
    amounts: Sequence[Decimal]
    quantities: Sequence[Decimal | None]
    rows: Sequence[int] = ()
    mean_factors: Sequence[Fraction | None] = ()


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A run of days with one price: of ordinary usage, for one unit of the quantity, in the currency of the bill.

    `quantity` is that of ordinary usage that would have cost the same.
    """

    first_day: int
    last_day: int
    price: Fraction
    quantity: Fraction


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A change of a line item's price on a day. `cost` is (new - old) * quantity since, in the bill's currency."""

    day: int
    old: Fraction
    new: Fraction
    cost: Fraction


def shown_units(unit: str | None) -> int:
    """Return for how many units of the quantity a price is shown: a million tokens, else one unit."""
    return max(1, 10**6 // per_unit(unit)) if counted(unit) == "tokens" else 1


def range_price(amounts: Sequence[Decimal], quantities: Sequence[Decimal | None]) -> Fraction | None:
    """Return the sum of amounts divided by the sum of quantities; None without a positive quantity.

    Days without a quantity count in neither sum.
    """
    pairs = [(amount, number) for amount, number in zip(amounts, quantities, strict=True) if number is not None]
    quantity = sum((Fraction(number) for _, number in pairs), Fraction())
    return sum((Fraction(amount) for amount, _ in pairs), Fraction()) / quantity if quantity > 0 else None


def daily_prices(bill: DailyBill) -> list[Fraction | None]:
    """Return the price of each day; None for a refund, and for a day without a quantity or with too few tokens."""
    return [
        None if quantity is None else Fraction(amount) / quantity
        for amount, quantity in zip(bill.amounts, _priced_quantities(bill), strict=True)
    ]


def price_periods(bill: DailyBill) -> list[PricePeriod]:
    """Return the periods of equal price, in order. Days without a price belong to none."""
    quantities = _priced_quantities(bill)
    priced = [place for place, quantity in enumerate(quantities) if quantity is not None]
    if not priced:
        return []
    amounts = np.array([float(bill.amounts[place]) for place in priced])
    divisors = np.array([float(quantities[place] or 0) for place in priced])
    rows = np.array([bill.rows[place] if bill.rows else 1 for place in priced], np.float64)
    units = [_whole_units(bill.amounts[place]) for place in priced]
    rounding = rounding_unit(units) / 10**_UNITS / 2 * rows
    starts = _starts(amounts, divisors, rounding)
    periods = []
    for start, end in zip(starts, [*starts[1:], len(priced)], strict=True):
        places = priced[start:end]
        quantity = sum((quantities[place] or Fraction() for place in places), Fraction())
        amount = sum((Fraction(bill.amounts[place]) for place in places), Fraction())
        periods.append(PricePeriod(bill.days[places[0]], bill.days[places[-1]], amount / quantity, quantity))
    return periods


def price_changes(bill: DailyBill) -> list[PriceChange]:
    """Return the changes of a line item's price, in order, with what each has cost since."""
    periods = price_periods(bill)
    quantities = _ordinary_quantities(bill)
    changes = []
    for old, new in pairwise(periods):
        since = sum(
            (
                quantity
                for day, quantity in zip(bill.days, quantities, strict=True)
                if quantity and day >= new.first_day
            ),
            Fraction(),
        )
        changes.append(PriceChange(new.first_day, old.price, new.price, (new.price - old.price) * since))
    return changes


def _ordinary_quantities(bill: DailyBill) -> list[Fraction | None]:
    """Return the quantity of ordinary usage that would have cost the same, of each day; None if it isn't known."""
    factors = bill.mean_factors or [Fraction(1)] * len(bill.days)
    return [
        None if number is None or factor is None or number <= 0 or factor <= 0 else Fraction(number) * factor
        for number, factor in zip(bill.quantities, factors, strict=True)
    ]


def _priced_quantities(bill: DailyBill) -> list[Fraction | None]:
    """Return the quantities of ordinary usage, without those of refunds and those too small for a price."""
    least = Fraction(MIN_PRICED_TOKENS, per_unit(bill.unit)) if counted(bill.unit) == "tokens" else 0
    return [
        quantity if number is not None and number >= least and amount >= 0 else None
        for amount, number, quantity in zip(bill.amounts, bill.quantities, _ordinary_quantities(bill), strict=True)
    ]


def _starts(
    amounts: NDArray[np.float64], quantities: NDArray[np.float64], errors: NDArray[np.float64]
) -> list[int]:
    """Return the places at which a period begins: the price can't be the one before, within the amounts' errors."""
    errors = errors + np.abs(amounts) * _DOUBLE
    starts = [0]
    low, high = -np.inf, np.inf
    lowest = ((amounts - errors) / quantities).tolist()
    highest = ((amounts + errors) / quantities).tolist()
    for place, (least, most) in enumerate(zip(lowest, highest, strict=True)):
        if least > high or most < low:
            starts.append(place)
            low, high = least, most
        else:
            low, high = max(low, least), min(high, most)
    return starts


def _whole_units(amount: Decimal) -> int:
    """Return an amount in units of 10^-12; 1 if it is finer than that."""
    units = amount.scaleb(_UNITS)
    whole = int(units)
    return whole if units == whole else 1
