"""Measures what batches and service tiers cost, relative to ordinary usage in the same line item.

A row of costs is `price * (ordinary tokens + sum of factor * tokens of another class)`. The price may change from
day to day, so it is eliminated within a day, a week or the whole time. A factor counts as measured only if it is
a simple fraction that reproduces the amounts; otherwise it is assumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from math import lcm
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import ASSUMED_FACTORS, Factor, UsageClass

MOST_CELLS: Final = 2000
"""Rows of costs that are read; the latest days tell the factors in force."""
MAX_DENOMINATOR: Final = 100
MAX_FACTOR: Final = 100
CENT: Final = 10**10
"""A cent, in units of 10^-12."""

_REPRODUCED: Final = 0.9  # of the rows: the rest may be late, restated, or in a week whose price changed
_PRECISIONS: Final = (1e-9, 1e-6, 1e-4, 1e-3, 1e-2)  # of an estimate: exact amounts first, then rounded ones
_FINE: Final = 10**6  # amounts that are exact to one in a million
_MOST_ESTIMATES: Final = 5  # groups of rows that are solved one after the other until a solution is right
_ORDINARY_TIERS: Final = frozenset({None, "default", "auto"})


@dataclass(frozen=True, slots=True)
class BilledCells:
    """Holds the rows of costs of one line item, each with the usage that it bills.

    `days` are day numbers (n,), `amounts` whole numbers in 10^-12 of the currency (n,), `tokens` the usage by class
    (n, number of classes).
    """

    days: NDArray[np.int64]
    amounts: NDArray[np.object_]
    classes: tuple[UsageClass, ...]
    tokens: NDArray[np.int64]


def measure_factors(cells: BilledCells) -> dict[UsageClass, Factor]:
    """Return the relative price of each class: measured if the rows of costs prove it, else assumed.

    Ordinary usage has the factor 1. Where there is none, as in a line item of one service tier, the most used class
    that is no batch has it.
    """
    kinds = {one: _price_class(one) for one in cells.classes}
    problem = _Problem(cells, kinds)
    solved = problem.solve()
    return {one: solved.get(kind, Factor(assumed_factor(kind), measured=False)) for one, kind in kinds.items()}


def assumed_factor(usage_class: UsageClass) -> Fraction:
    """Return the relative price of a class that could not be measured."""
    if usage_class.batch:
        return ASSUMED_FACTORS["batch"]
    return ASSUMED_FACTORS.get((usage_class.tier or "").removesuffix("-tier"), Fraction(1))


def mean_factors(
    cells: BilledCells, factors: Mapping[UsageClass, Factor], days: Sequence[int]
) -> list[Fraction | None]:
    """Return the mean factor of all tokens of each day; None for a day without usage."""
    scale = lcm(*(factor.value.denominator for factor in factors.values()))
    weights = [int(factors[one].value * scale) for one in cells.classes]
    sums: dict[int, list[int]] = {}
    for day, *counts in np.column_stack([cells.days, cells.tokens]).tolist():
        entry = sums.setdefault(day, [0, 0])
        entry[0] += sum(weight * count for weight, count in zip(weights, counts, strict=True))
        entry[1] += sum(counts) * scale
    return [Fraction(*sums[day]) if day in sums and sums[day][1] else None for day in days]


def rounding_unit(amounts: Sequence[int] | NDArray[np.object_]) -> int:
    """Return the power of ten that all amounts (units of 10^-12) are multiples of; at most a cent."""
    unit = CENT
    for amount in amounts:
        while amount % unit:
            unit //= 10
    return unit


def _price_class(usage_class: UsageClass) -> UsageClass:
    """Return the class under the one name that ordinary tiers share."""
    return replace(usage_class, tier=None) if usage_class.tier in _ORDINARY_TIERS else usage_class


class _Problem:
    """Solves the factors of one line item, class by class, then all that are left together."""

    def __init__(self, cells: BilledCells, kinds: Mapping[UsageClass, UsageClass]) -> None:
        columns = {one: np.zeros(len(cells.days), np.int64) for one in kinds.values()}
        for place, one in enumerate(cells.classes):
            columns[kinds[one]] += np.maximum(cells.tokens[:, place], 0)
        self._sizes = {one: int(column.sum()) for one, column in columns.items() if column.any()}
        used = (cells.amounts > 0) & np.any(
            [np.zeros(len(cells.days), bool), *(columns[one] > 0 for one in self._sizes)], axis=0
        )
        used &= cells.days >= _first_day(cells.days[used])
        self._days = cells.days[used]
        self._amounts: NDArray[Any] = cells.amounts[used]
        self._unit = rounding_unit(self._amounts)
        self._columns = {one: columns[one][used] for one in self._sizes}

    def solve(self) -> dict[UsageClass, Factor]:
        """Return the factors that are certain."""
        # Ordinary usage comes first; in a line item without any, what is most like it.
        open_classes = sorted(
            self._sizes, key=lambda one: (one.batch, one.tier is not None, -self._sizes[one], one.tier or "")
        )
        if not open_classes:
            return {}
        factors = {open_classes[0]: Fraction(1)}
        size = 0
        while size != len(factors):  # each class that is measured makes more rows usable for the others
            size = len(factors)
            for one in open_classes:
                if one not in factors:
                    factors |= self._measure(factors, (one,))
        together = tuple(one for one in open_classes if one not in factors)
        if len(together) > 1:
            factors |= self._measure(factors, together)
        return {one: Factor(value, measured=True) for one, value in factors.items()}

    def _measure(
        self, factors: Mapping[UsageClass, Fraction], unknown: tuple[UsageClass, ...]
    ) -> dict[UsageClass, Fraction]:
        """Return the factors of `unknown` from the rows that have no other class of unknown price; {} if unsure."""
        others = [column for one, column in self._columns.items() if one not in factors and one not in unknown]
        kept = ~np.any([np.zeros(len(self._days), bool), *(column > 0 for column in others)], axis=0)
        kept &= np.any([self._columns[one] > 0 for one in (*factors, *unknown)], axis=0)
        known, scale = self._weight(factors, kept)
        columns = [known, *(self._columns[one][kept].astype(np.object_) * scale for one in unknown)]
        if any(not column.any() for column in columns):
            return {}
        days = self._days[kept]
        for groups in (days, days // 7, np.zeros_like(days)):
            rows = _Rows(groups, self._amounts[kept], columns, self._unit)
            values = rows.solve()
            if values is None:
                continue
            # Between days, a change of price looks like a factor, but not both before and after the middle.
            early = days < np.median(days)
            if groups is days or all(rows.exclude_others(values, half) for half in (early, ~early)):
                return dict(zip(unknown, values, strict=True))
        return {}

    def _weight(self, factors: Mapping[UsageClass, Fraction], kept: NDArray[np.bool_]) -> tuple[NDArray[Any], int]:
        """Return the tokens of known classes as ordinary tokens, times a whole number that is returned, too."""
        scale = lcm(*(value.denominator for value in factors.values()))
        total: NDArray[Any] = np.zeros(int(kept.sum()), np.object_)
        for one, value in factors.items():
            total = total + self._columns[one][kept].astype(np.object_) * int(value * scale)
        return total, scale


class _Rows:
    """Rows of costs whose price is equal within each group: columns of known and of unknown weight."""

    def __init__(
        self, groups: NDArray[np.int64], amounts: NDArray[Any], columns: Sequence[NDArray[Any]], unit: int
    ) -> None:
        self._groups = np.unique(groups, return_inverse=True)[1]
        self._amounts, self._columns, self._unit = amounts, columns, unit
        self._sizes = np.bincount(self._groups)

    def solve(self) -> list[Fraction] | None:
        """Return the factors of all columns but the first, if they are certain."""
        if self._sizes.max() < 2:
            return None
        for estimate in chain(self._pure_ratios(), self._solutions()):
            tried = list[list[Fraction]]()
            for precision in _PRECISIONS:
                values = [_simple_fraction(number, precision) for number in estimate]
                found = [value for value in values if value is not None]
                if len(found) == len(estimate) and found not in tried:
                    tried.append(found)
                    if self._reproduces(found) and self._excludes_others(found):
                        return found
        return None

    def exclude_others(self, factors: Sequence[Fraction], kept: NDArray[np.bool_]) -> bool:
        """Report whether some of the rows, alone, exclude all other factors."""
        columns = [column[kept] for column in self._columns]
        rows = _Rows(self._groups[kept].astype(np.int64), self._amounts[kept], columns, self._unit)
        return bool(kept.any()) and rows._excludes_others(factors)

    def _pure_ratios(self) -> list[list[float]]:
        """Return the median ratio of prices of rows of one class alone, if there are two classes."""
        if len(self._columns) != 2:
            return []
        known, unknown = (column.astype(np.float64) for column in self._columns)
        amounts = self._amounts.astype(np.float64)

        def price(column: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
            pure = other == 0
            with np.errstate(divide="ignore", invalid="ignore"):
                sums = [np.bincount(self._groups, values * pure) for values in (amounts, column)]
                quotient: NDArray[np.float64] = sums[0] / sums[1]
            return quotient

        ratios = price(unknown, known) / price(known, unknown)
        ratios = ratios[np.isfinite(ratios)]
        return [[float(np.median(ratios))]] if len(ratios) else []

    def _solutions(self) -> list[list[float]]:
        """Return the least-squares solutions of the groups with the most rows."""
        found = []
        for group in np.argsort(-self._sizes, kind="stable")[:_MOST_ESTIMATES]:
            rows = self._groups == group
            matrix = np.stack([column[rows].astype(np.float64) for column in self._columns], axis=1)
            widths = np.sqrt((matrix**2).sum(axis=0))
            if len(matrix) < len(widths) or not widths.all():
                continue
            solution, _, rank, singular = np.linalg.lstsq(
                matrix / widths, self._amounts[rows].astype(np.float64), rcond=None
            )
            prices = solution / widths
            if rank == len(widths) and singular[-1] > 1e-9 * singular[0] and prices[0] > 0:
                found.append([float(price) for price in prices[1:] / prices[0]])
        return found

    def _reproduces(self, factors: Sequence[Fraction]) -> bool:
        """Report whether the factors explain the amounts."""
        compared = int((self._sizes[self._groups] > 1).sum())
        # Coarsely rounded amounts must all be reproduced: a wrong factor fails in a few of them only.
        is_fine = self._unit * _FINE <= np.sort(self._amounts)[len(self._amounts) // 2]
        return self._failures(factors) <= ((1 - _REPRODUCED) * compared if is_fine else 0)

    def _excludes_others(self, factors: Sequence[Fraction]) -> bool:
        """Report whether no other simple fraction explains the amounts as well."""
        failures = self._failures(factors)
        for place, factor in enumerate(factors):
            limit = 20 if factor.denominator <= 20 else MAX_DENOMINATOR
            # Two different fractions with denominators up to `limit` are at least this far apart.
            distance = Fraction(1, factor.denominator * limit)
            for neighbour in (factor - distance, factor + distance):
                other = [*factors[:place], neighbour, *factors[place + 1 :]]
                if self._failures(other) < failures + 2:
                    return False
        return True

    def _failures(self, factors: Sequence[Fraction]) -> int:
        """Count the rows whose amount differs from the group's price by more than rounding explains."""
        scale = lcm(*(factor.denominator for factor in factors))
        weights = self._columns[0] * scale
        for column, factor in zip(self._columns[1:], factors, strict=True):
            weights = weights + column * int(factor * scale)
        sizes: NDArray[Any] = self._sizes.astype(np.object_)
        totals, billed = (_sum_groups(values, self._groups, len(sizes)) for values in (weights, self._amounts))
        totals, billed, sizes = (values[self._groups] for values in (totals, billed, sizes))
        # Half a unit of rounding in the row, and as much in each row of the group that makes the price.
        errors = 2 * abs(self._amounts * totals - billed * weights)
        return int((errors > self._unit * (totals + sizes * weights) + 2 * totals).sum())


def _sum_groups(values: NDArray[Any], groups: NDArray[np.intp], size: int) -> NDArray[Any]:
    """Return the exact sum of each group's whole numbers, (size,)."""
    sums: NDArray[Any] = np.zeros(size, np.object_)
    np.add.at(sums, groups, values)
    return sums


def _first_day(days: NDArray[np.int64]) -> int:
    """Return the first day of the latest ones that have `MOST_CELLS` rows together."""
    return int(np.sort(days)[-MOST_CELLS:][0]) if len(days) else 0


def _simple_fraction(estimate: float, precision: float) -> Fraction | None:
    """Return the fraction with the least denominator near an estimate; None if it isn't simple or not positive."""
    if not 0 < estimate <= MAX_FACTOR:
        return None
    for denominator in range(1, MAX_DENOMINATOR + 1):
        numerator = round(estimate * denominator)
        if numerator and abs(numerator / denominator - estimate) <= precision * estimate:
            return Fraction(numerator, denominator)
    return None
