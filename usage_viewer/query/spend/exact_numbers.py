"""Splits exact numbers by largest remainder, over whole arrays: each part is a whole number of units of 10^-12.

The parts of a number add up to it. What is smaller than a unit goes with the first part.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

UNIT: Final = 10**12
"""Units in one of the currency, or in one of a quantity."""

LIMIT: Final = 2**62
"""Whole numbers in arrays stay below this."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ExactNumbers:
    """Decimals with 24 digits after the point: `whole` + `units` · 10^-12 + `tail` · 10^-24, each (n,).

    The three have the sign of the number. Sums are the sums of each: `units` and `tail` may be 10^12 or more. A
    number that is not `known` is 0.
    """

    whole: Integers
    units: Integers
    tail: Integers
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, chosen: Any) -> "ExactNumbers":
        return ExactNumbers(self.whole[chosen], self.units[chosen], self.tail[chosen], self.known[chosen])

    def where(self, kept: NDArray[np.bool_]) -> "ExactNumbers":
        """Return the numbers; those that are not `kept`, (n,), are not known."""
        return ExactNumbers(self.whole * kept, self.units * kept, self.tail * kept, self.known & kept)

    def sums(self, groups: NDArray[np.intp], size: int) -> "ExactNumbers":
        """Return the sum of the known numbers of each group, (size,); it is not known if none of them is."""
        known = np.zeros(size, np.bool_)
        known[groups[self.known]] = True
        whole, units, tail = (sums(column, groups, size) for column in (self.whole, self.units, self.tail))
        return ExactNumbers(whole, units, tail, known)

    def sign(self) -> Integers:
        """Return -1, 0 or 1 for each number."""
        signs: Integers = np.sign(np.sign(self.whole) + np.sign(self.units) + np.sign(self.tail))
        return signs

    def is_zero(self) -> NDArray[np.bool_]:
        """Report which of the numbers are 0."""
        are_zero: NDArray[np.bool_] = (self.whole == 0) & (self.units == 0) & (self.tail == 0)
        return are_zero

    @classmethod
    def concatenate(cls, *parts: "ExactNumbers") -> "ExactNumbers":
        """Return the numbers of all parts."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts to be made: `row` is the number that each is a part of, `place` is unique in its row, (m,)."""

    row: NDArray[np.intp]
    place: Integers


def split(numbers: ExactNumbers, shares: Shares, weights: NDArray[Any]) -> ExactNumbers:
    """Return the parts of the numbers, (m,), in proportion to their weights: positive whole numbers, (m,).

    Each has the sign of its number. What the division leaves goes to the largest remainders, ties by place.
    """
    row, size = shares.row, len(numbers)
    whole, units, tail = np.abs(numbers.whole), np.abs(numbers.units), np.abs(numbers.tail)
    totals = np.maximum(sums(weights, row, size), 1)[row]
    if (int(whole.max(initial=0)) + 1) * UNIT < LIMIT:
        share, rest = mul_div((whole * UNIT + units)[row], weights, totals)
        part_whole, part_units = np.divmod(share, UNIT)
    else:
        part_whole, part_units, rest = _share(whole[row], units[row], weights, totals)
    left = (whole - sums(part_whole, row, size)) * UNIT + units - sums(part_units, row, size)
    part_units[_largest(rest, shares, left)] += 1
    part_tail = np.zeros(len(row), np.int64)
    if tail.any():
        is_first = _is_first(shares, size)
        part_tail[is_first] = tail[row[is_first]]
    sign = numbers.sign()[row]
    return ExactNumbers(part_whole * sign, part_units * sign, part_tail * sign, numbers.known[row])


def sums(values: NDArray[Any], groups: NDArray[np.intp], size: int) -> NDArray[Any]:
    """Return the exact sum of each group, (size,)."""
    found: NDArray[Any] = np.zeros(size, values.dtype)
    np.add.at(found, groups, values)
    return found


def product(values: Integers, factors: Integers, groups: NDArray[np.intp]) -> NDArray[Any]:
    """Return values · factors: 64-bit numbers if the sum of each group fits, else Python's whole numbers."""
    most = int(np.bincount(groups).max()) if len(groups) else 0
    if int(values.max(initial=0)) * int(factors.max(initial=0)) * most < LIMIT:
        return values * factors
    products: NDArray[Any] = values.astype(np.object_) * factors
    return products


def mul_div(values: NDArray[Any], factors: NDArray[Any], divisors: NDArray[Any]) -> tuple[Integers, NDArray[Any]]:
    """Return values · factors // divisors, which must be less than 2^62, and the remainders.

    No number is negative, no divisor 0. The product may have 128 bits: its quotient is estimated, and the error of
    the estimate found modulo 2^64.
    """
    if object in (values.dtype, factors.dtype, divisors.dtype):
        whole = values.astype(np.object_) * factors
        return (whole // divisors).astype(np.int64), whole % divisors
    if int(values.max(initial=0)) * int(factors.max(initial=0)) < LIMIT:
        whole = values * factors
        quotient = whole // divisors
        return quotient, whole - quotient * divisors
    estimate = values.astype(np.float64) * factors / divisors
    # Three roundings: the estimate is off by less than 2^-50 of itself, and 1 for the fraction.
    if float(((estimate * 2.0**-50 + 2) * divisors).max()) >= LIMIT:
        return mul_div(values.astype(np.object_), factors, divisors)
    quotient = estimate.astype(np.int64)
    rest = values * factors - quotient * divisors  # wraps around, to a number that fits
    correction = rest // divisors
    return quotient + correction, rest - correction * divisors


def _share(
    whole: Integers, units: Integers, weights: NDArray[Any], totals: NDArray[Any]
) -> tuple[Integers, Integers, NDArray[Any]]:
    """Return the shares of large numbers (wholes and units), and the remainders."""
    part_whole, rest = mul_div(whole, weights, totals)
    some, some_rest = mul_div(np.full(len(rest), UNIT), rest, totals)
    others, others_rest = mul_div(units, weights, totals)
    rest = some_rest + others_rest
    is_full = rest >= totals
    more, part_units = np.divmod(some + others + is_full, UNIT)
    return part_whole + more, part_units, rest - np.where(is_full, totals, 0)


def _largest(rest: NDArray[Any], shares: Shares, left: Integers) -> NDArray[np.intp]:
    """Return the parts that get one unit more: as many of each row as it has units left."""
    chosen = np.flatnonzero(left[shares.row] > 0)
    if not len(chosen):
        return chosen
    ranked = rest[chosen]
    if ranked.dtype == object:
        ranked = np.unique(ranked, return_inverse=True)[1]
    row = shares.row[chosen]
    order = np.lexsort((shares.place[chosen], -ranked, row))
    row = row[order]
    first = np.searchsorted(row, row)
    return chosen[order[np.arange(len(row)) - first < left[row]]]


def _is_first(shares: Shares, size: int) -> NDArray[np.bool_]:
    """Report which parts have the first place of their row."""
    first = np.full(size, LIMIT)
    np.minimum.at(first, shares.row, shares.place)
    are_first: NDArray[np.bool_] = shares.place == first[shares.row]
    return are_first
