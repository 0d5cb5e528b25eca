"""Rounds the amounts of a column to cents that add up to the rounded total."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.column import HeadColumn, RowPart
from usage_viewer.domain.figures import NumberColumn

CENT_DECIMALS = 2
MORE_DECIMALS = 4
"""Decimals after those of the column that an amount below its unit may have."""
_FINEST = 12
"""Decimals of the whole numbers in which amounts are compared: int64 then holds 9 million, larger ones are slow."""
_BLOCK = 1 << 14
"""Amounts converted at a time: 10 ms in which other threads wait."""
_EXACT_DIGITS = 200

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class RowIdentity:
    """Identifies rows by their periods and the raw values of their groups, whatever the order of the rows."""

    heads: Sequence[HeadColumn]

    def order(self, rows: Rows) -> Rows:
        """Return the places that sort some rows by their identity (m,)."""
        keys = []
        for head in self.heads:
            codes, places = np.unique(head.codes_at(rows), return_inverse=True)
            keys.append(_ranks(head.parts(codes))[places])
        return np.lexsort(keys[::-1]).astype(np.int64) if keys else np.arange(len(rows), dtype=np.int64)

    def codes(self, dimension: str) -> NDArray[Any] | None:
        """Return the code of each row (n,) in a dimension; None if the rows aren't grouped by it."""
        return next((head.codes for head in self.heads if head.name == dimension), None)


def _ranks(parts: Sequence[RowPart]) -> NDArray[np.int64]:
    """Return the rank of each part (n,); null comes last."""
    order = sorted((part is None, "" if part is None else part, place) for place, part in enumerate(parts))
    ranks = np.empty(len(parts), np.int64)
    ranks[[place for _, _, place in order]] = np.arange(len(parts))
    return ranks


class ShownAmounts:
    """Holds a column of amounts (n,) as whole numbers of a unit: a cent, or less if every amount is below a cent.

    Each amount is rounded to a neighbouring unit, by largest remainder: the shown amounts of one currency add up to
    their exact sum, rounded half to even. Equal remainders are decided by the rows' identity, so that neither the
    order of the rows nor what is painted matters.
    """

    def __init__(self, figures: NumberColumn, identity: RowIdentity | None = None, unit_from: str = "") -> None:
        """`unit_from`: the dimension with the currency of each row; "" if all rows share one."""
        self._figures = figures
        self._identity = identity
        self._unit_from = unit_from

    @cached_property
    def _scaled(self) -> "_Scaled":
        values = self._figures.values.tolist()
        if self._figures.missing is not None:
            for row in np.flatnonzero(self._figures.missing).tolist():
                values[row] = 0
        return _scale(values)

    @cached_property
    def decimals(self) -> int:
        """The decimals of the unit: 2, or more if every amount is below a cent."""
        return self._scaled.decimals

    @cached_property
    def units(self) -> NDArray[Any]:
        """The shown amounts in units (n,); missing ones are 0."""
        scaled = self._scaled
        floors = scaled.numbers // scaled.unit
        remainders = scaled.numbers - floors * scaled.unit
        for rows in self._currencies:
            numbers = NumberColumn(scaled.numbers[rows]).total() or 0
            count = _rounded(int(numbers), scaled.unit) - int(NumberColumn(floors[rows]).total() or 0)
            if count:
                floors[rows[self._largest(remainders[rows], count, rows)]] += 1
        return floors

    @cached_property
    def more_decimals(self) -> int:
        """The most decimals after those of the unit that any amount has: 0 unless one is shown as less than it."""
        scaled = self._scaled
        sizes = np.abs(scaled.numbers[(self.units == 0) & (scaled.numbers != 0)])
        if not len(sizes):
            return 0
        smallest = Decimal(int(sizes.min())).scaleb(-scaled.places)
        return min(1 - smallest.adjusted() - scaled.decimals, MORE_DECIMALS)

    @cached_property
    def _currencies(self) -> list[Rows]:
        """The rows of each currency."""
        codes = self._identity.codes(self._unit_from) if self._identity is not None and self._unit_from else None
        if codes is None:
            return [np.arange(len(self._figures), dtype=np.int64)]
        return [np.flatnonzero(codes == code) for code in np.unique(codes).tolist()]

    def _largest(self, remainders: NDArray[Any], count: int, rows: Rows) -> Rows:
        """Return the places of the `count` largest remainders; `rows` are the rows that they belong to."""
        place = len(remainders) - count
        is_object = remainders.dtype == np.object_
        threshold = (np.sort(remainders) if is_object else np.partition(remainders, place))[place]
        above = np.flatnonzero(remainders > threshold)
        tied = np.flatnonzero(remainders == threshold)
        if len(above) + len(tied) > count and self._identity is not None:
            tied = tied[self._identity.order(rows[tied])]
        return np.concatenate([above, tied[: count - len(above)]])


@dataclass(frozen=True)
class _Scaled:
    """Holds amounts (n,) as whole numbers of 10 to the power of -`places`, and the unit's decimals."""

    numbers: NDArray[Any]
    places: int
    decimals: int

    @property
    def unit(self) -> int:
        return int(10 ** (self.places - self.decimals))


def _scale(values: list[Any]) -> _Scaled:
    """Return the amounts as int64 where they fit, else as Python integers."""
    with localcontext(prec=_EXACT_DIGITS):
        places = _FINEST
        numbers = _whole_numbers(values, places)
        if numbers is None:
            places = max(2 - Decimal(value).as_tuple().exponent for value in values)  # type: ignore[operator]
            numbers = _whole_numbers(values, places)
    assert numbers is not None
    largest = max(max(numbers, default=0), -min(numbers, default=0))
    decimals = CENT_DECIMALS
    if 0 < largest < 10 ** (places - CENT_DECIMALS):
        decimals = min(places - len(str(largest)) + 2, places)  # two digits of the largest amount
    if largest < 2**62:
        return _Scaled(np.array(numbers, np.int64), places, decimals)
    exact = np.empty(len(numbers), np.object_)
    exact[:] = numbers
    return _Scaled(exact, places, decimals)


def _whole_numbers(values: list[Any], places: int) -> list[int] | None:
    """Return the amounts times 10 to the power of `places`; None if one of them has more decimals."""
    numbers: list[int] = []
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        try:
            whole = [int(value.scaleb(places)) for value in block]
        except AttributeError:  # an integer among them
            whole = [int(Decimal(value).scaleb(places)) for value in block]
        if Decimal(sum(map(abs, block))).scaleb(places) != sum(map(abs, whole)):
            return None
        numbers += whole
    return numbers


def _rounded(number: int, unit: int) -> int:
    """Return the number in units, rounded half to even."""
    whole, rest = divmod(number, unit)
    return whole + 1 if 2 * rest > unit or (2 * rest == unit and whole % 2) else whole
