"""Splits the difference of two periods' bills into volume, price, new and gone line items, exactly."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

_ZERO: Final = Fraction()


@dataclass(frozen=True, slots=True)
class PeriodBill:
    """Holds what was billed in one period, in one currency: an amount, and a quantity.

    The quantity is None if a row of costs has none, as that of a credit.
    """

    amount: Decimal
    quantity: Decimal | None

    @property
    def is_empty(self) -> bool:
        """Report whether nothing was billed and nothing was used."""
        return not self.amount and not self.quantity


NOTHING: Final = PeriodBill(Decimal(), None)


@dataclass(frozen=True, slots=True)
class BillDifference:
    """Holds the parts of the difference between two periods, in the currency of the bill.

    `volume` is the change of the quantity at the first period's price, `price` the change of the price at the
    second period's quantity. `new` and `gone` were billed in one period only. `unsplit` lacks a quantity, as a
    credit does. The five add up to the difference exactly.
    """

    volume: Fraction = _ZERO
    price: Fraction = _ZERO
    new: Fraction = _ZERO
    gone: Fraction = _ZERO
    unsplit: Fraction = _ZERO

    @property
    def total(self) -> Fraction:
        """Return the second period's amount minus the first one's."""
        return sum_fractions((self.volume, self.price, self.new, self.gone, self.unsplit))


def split_difference(first: PeriodBill, second: PeriodBill) -> BillDifference:
    """Return the parts of the difference between two bills of the same thing.

    The price of a period is its amount divided by its quantity. If a line item bills batches and ordinary usage
    together, pass the quantities of ordinary usage that would have cost the same; otherwise a larger share of
    batches counts as a lower price.
    """
    before, after = Fraction(first.amount), Fraction(second.amount)
    if first.is_empty:
        return BillDifference(new=after)
    if second.is_empty:
        return BillDifference(gone=-before)
    if not (first.quantity and second.quantity and first.quantity > 0 and second.quantity > 0):
        return BillDifference(unsplit=after - before)
    at_old_price = Fraction(second.quantity) * before / Fraction(first.quantity)
    return BillDifference(volume=at_old_price - before, price=after - at_old_price)


def split_differences(
    first: Mapping[KeyT, PeriodBill], second: Mapping[KeyT, PeriodBill]
) -> dict[KeyT, BillDifference]:
    """Return the parts of the difference of each key that was billed in either period, in the order of first use.

    Keys are the finest rows that have one price: line items, or line items by project. Two spellings of a line item
    need one key: its target, if that is known; otherwise one of them is gone and the other new. All amounts must be
    in one currency.
    """
    return {
        key: split_difference(first.get(key, NOTHING), second.get(key, NOTHING))
        for key in dict.fromkeys([*first, *second])
    }


def sum_differences(parts: Iterable[BillDifference]) -> BillDifference:
    """Return the sums of the parts: of all rows, or of those in a group."""
    rows = list(parts)
    return BillDifference(
        sum_fractions([row.volume for row in rows]),
        sum_fractions([row.price for row in rows]),
        sum_fractions([row.new for row in rows]),
        sum_fractions([row.gone for row in rows]),
        sum_fractions([row.unsplit for row in rows]),
    )


def sum_fractions(numbers: Sequence[Fraction]) -> Fraction:
    """Return the exact sum of fractions.

    Fractions of equal size are added first: one after the other, the denominator of a long sum is worked through
    once for each fraction. 5,000 line items take 0.1 s instead of 1 s.
    """
    pairs = [(number.numerator, number.denominator) for number in numbers if number]
    while len(pairs) > 1:
        odd = pairs[-1:] if len(pairs) % 2 else []
        pairs = [_add(one, other) for one, other in zip(pairs[::2], pairs[1::2], strict=False)] + odd
    return Fraction(*pairs[0]) if pairs else _ZERO


def _add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Return the sum of two quotients over their least common denominator, not reduced."""
    denominator = lcm(one[1], other[1])
    return one[0] * (denominator // one[1]) + other[0] * (denominator // other[1]), denominator
