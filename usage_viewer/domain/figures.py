"""`NumberColumn`: one column of numbers with what is missing in it, and the arithmetic of derived ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Derived, Kind

Number = int | float | Decimal
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class NumberColumn:
    """n numbers: int64 for counts (an object array of int where a sum passes that), an object array of Decimal
    for decimals, float64 for quotients. Where `missing` (n bools; None: nothing is) is true, the value has no
    meaning.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def at(self, row: int) -> Number | None:
        if self.missing is not None and self.missing[row]:
            return None
        value = self.values[row]
        number: Number = value.item() if isinstance(value, np.generic) else value
        return number

    def take(self, rows: NDArray[np.int64] | slice) -> "NumberColumn":
        return NumberColumn(self.values[rows], None if self.missing is None else self.missing[rows])

    def listed(self) -> list[Number | None]:
        """As plain Python objects, None where missing."""
        listed: list[Number | None] = self.values.tolist()
        if self.missing is not None:
            for index in np.flatnonzero(self.missing).tolist():
                listed[index] = None
        return listed

    @cached_property
    def largest(self) -> int:
        """The greatest distance from zero of whole numbers; what is missing may count."""
        return max(int(self.values.max(initial=0)), -int(self.values.min(initial=0)))

    def present(self) -> NDArray[Any]:
        """The values that are not missing."""
        return self.values if self.missing is None else self.values[~self.missing]

    def total(self) -> Number | None:
        """The exact sum of what is not missing; None where all is."""
        present = self.present()
        if not len(present):
            return None
        if present.dtype == np.int64:
            if self.largest * len(present) <= INT64_MAX:
                return int(present.sum())
            # Halves are added apart, so that no sum of int64 can overflow.
            low = int(np.sum(present & 0xFFFFFFFF))
            return (int(np.sum(present >> 32)) << 32) + low
        if present.dtype == np.float64:
            return float(present.sum())
        exact: Number = sum(present.tolist())
        return exact


class DerivedColumn(NumberColumn):
    """A derived figure of each row, computed from the row's sums when it is asked for: a screenful of a million
    rows costs a screenful.
    """

    def __init__(self, derived: Derived, sums: Mapping[str, NumberColumn]) -> None:
        """`sums`: the figure's parts at least, none of them Decimal."""
        parts = {name: sums[name] for name in parts_of(derived)}
        object.__setattr__(self, "_derived", derived)
        object.__setattr__(self, "_parts", parts)

    _derived: Derived
    _parts: Mapping[str, NumberColumn]

    @cached_property
    def _all(self) -> NumberColumn:
        return _derive(self._derived, self._parts)

    @property
    def values(self) -> NDArray[Any]:
        return self._all.values

    @property
    def missing(self) -> NDArray[np.bool_] | None:
        return self._all.missing

    def __len__(self) -> int:
        return len(next(iter(self._parts.values())))

    def at(self, row: int) -> Number | None:
        return self.take(np.array([row])).at(0)

    def take(self, rows: NDArray[np.int64] | slice) -> NumberColumn:
        return _derive(self._derived, {name: part.take(rows) for name, part in self._parts.items()})


def derive(derived: Derived, sums: Mapping[str, NumberColumn]) -> NumberColumn:
    """The derived figure of each row from the row's sums; missing where a part is, or the denominator is 0."""
    if any(sums[name].values.dtype == np.object_ for name in parts_of(derived)):
        return _derive(derived, sums)  # exact numbers are added at once, in the caller's context
    return DerivedColumn(derived, sums)


def _derive(derived: Derived, sums: Mapping[str, NumberColumn]) -> NumberColumn:
    numerator = _added([sums[name] for name in derived.numerator])
    if not derived.denominator:
        return numerator
    denominator = _added([sums[name] for name in derived.denominator])
    divisor = denominator.values.astype(np.float64)
    there = divisor != 0
    for part in (numerator, denominator):
        if part.missing is not None:
            there &= ~part.missing
    quotient = np.zeros(len(divisor))
    np.divide(numerator.values.astype(np.float64), divisor, out=quotient, where=there)
    return NumberColumn(quotient, None if there.all() else ~there)


def derive_one(derived: Derived, sums: Mapping[str, Number | None]) -> Number | None:
    """The same for a single row, such as the totals."""
    parts = [sums[name] for name in (*derived.numerator, *derived.denominator)]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    numerator: Any = sum(known[: len(derived.numerator)])
    if not derived.denominator:
        return numerator  # type: ignore[no-any-return]
    denominator: Any = sum(known[len(derived.numerator) :])
    return None if denominator == 0 else float(numerator / denominator)


def parts_of(derived: Derived) -> tuple[str, ...]:
    return (*derived.numerator, *derived.denominator)


def is_quotient(kind: Kind) -> bool:
    return kind in (Kind.SHARE, Kind.RATIO)


def _added(parts: Sequence[NumberColumn]) -> NumberColumn:
    if len(parts) == 1:
        return parts[0]
    values = [part.values for part in parts]
    bound = sum(int(value.max(initial=0)) for value in values if value.dtype == np.int64)
    if bound > INT64_MAX:
        values = [value.astype(object) for value in values]
    gone = [part.missing for part in parts if part.missing is not None]
    total = values[0]
    for value in values[1:]:
        total = total + value
    return NumberColumn(total, np.logical_or.reduce(gone) if gone else None)
