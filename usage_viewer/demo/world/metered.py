"""Bills the rows of usage: each token, image, second or call once, in the line item and at the price of its day."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.combinations import Combinations
from usage_viewer.demo.world.cost_combinations import CostCombinations
from usage_viewer.demo.world.hours import HourlyUsage, LevelUsage
from usage_viewer.demo.world.planted_facts import FREE_MODEL, LATE_DAY, day_of_month, is_free_time
from usage_viewer.demo.world.price_list import (
    COUNTED,
    LONG_CONTEXT_MODELS,
    STORAGE_LINE,
    STORAGE_PRICE,
    UsageClass,
    charges,
    price_dates,
)
from usage_viewer.demo.world.recipes import IntArray
from usage_viewer.demo.world.rhythm import DAY, HOUR
from usage_viewer.demo.world.rows import UsageRows
from usage_viewer.domain.view_parts import Value

QUANTITY_PLACES: Final = 6
"""Decimal places of quantities. Units of 10^-10 of a billion tokens would not fit in 64 bits."""
ONE: Final[int] = 10**QUANTITY_PLACES
GIBIBYTE: Final = 2**30


class Fact(StrEnum):
    """What is special about a part of the bill."""

    LATE = "late"  # billed on the day after the usage
    FREE = "free"  # in usage, not in costs
    NO_USAGE = "no_usage"  # in costs, not in usage
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class BilledParts:
    """n parts of the bill of one service and one kind of tokens; the arrays have shape (n,).

    `at` is when the part is billed, `used_at` when it was used (epoch seconds). `usage` is the index of the
    combination of the usage in `usage_values`, `cost` that of the costs. `used` counts tokens, images, …;
    `quantity` is in 10^-`QUANTITY_PLACES` of the line item's unit, `amount` in 10^-`AMOUNT_PLACES` of the currency.
    Free parts have no row of costs.
    """

    service: str
    kind: str
    fact: Fact | None
    at: IntArray
    used_at: IntArray
    usage: NDArray[np.int32]
    cost: NDArray[np.int32]
    used: IntArray
    quantity: IntArray
    amount: IntArray

    def take(self, which: NDArray[np.bool_], fact: Fact | None) -> "BilledParts":
        """Return the parts that a mask selects, with the fact that makes them special."""
        names = ("at", "used_at", "usage", "cost", "used", "quantity", "amount")
        return replace(self, fact=fact, **{name: getattr(self, name)[which] for name in names})


@dataclass(frozen=True, slots=True)
class _Rates:
    """One kind's row of costs and price by combination and period, (combinations, periods); -1: not billed."""

    numbers: NDArray[np.int32]
    prices: IntArray
    quantity_of_one: IntArray  # (combinations,)


class MeteredUsage:
    """The bill of one dataset with rows of usage."""

    def __init__(self, usage: HourlyUsage, costs: CostCombinations, first: int) -> None:
        self._usage = usage
        self._first = first
        combinations = usage.combinations
        self.service = combinations.dataset.name
        self.usage_values = combinations.values
        self._dates = np.array(price_dates(), np.int64)
        self._rates = _rates(combinations, costs, [0, *price_dates()])
        classes = [usage_class(combinations, number) for number in range(len(combinations))]
        self._is_batch = np.array([one.batch for one in classes], np.bool_)
        self._may_be_free = np.array([model.name == FREE_MODEL for model in combinations.models], np.bool_)

    def parts(self, start: int, end: int) -> Iterator[BilledParts]:
        """Yield what is billed between two times (epoch seconds, multiples of 60)."""
        rows = self._usage.window(start, end)
        if not self._is_batch.any():
            yield from self._billed(rows, 0)
            return
        yield from self._billed(rows.take(~self._is_late(rows)), 0)
        earlier, until = max(start - DAY, self._first), end - DAY
        days = np.arange(earlier // DAY * DAY, until, DAY)
        if bool((day_of_month(days) == LATE_DAY).any()):
            before = self._usage.window(earlier, until)
            yield from self._billed(before.take(self._is_late(before)), DAY)

    def _is_late(self, rows: UsageRows) -> NDArray[np.bool_]:
        is_late: NDArray[np.bool_] = self._is_batch[rows.combination] & (day_of_month(rows.at) == LATE_DAY)
        return is_late

    def _billed(self, rows: UsageRows, delay: int) -> Iterator[BilledParts]:
        if not len(rows):
            return
        period = np.searchsorted(self._dates, rows.at, "right")
        is_free = self._may_be_free[rows.combination] & is_free_time(rows.at)
        for kind, rates in self._rates.items():
            count: IntArray = sum((rows.metrics[name] for name in COUNTED[kind]), np.zeros(len(rows), np.int64))
            cost = rates.numbers[rows.combination, period]
            kept = np.flatnonzero((count != 0) & (cost >= 0))
            if not len(kept):
                continue
            at, combination, used = rows.at[kept], rows.combination[kept], count[kept]
            all_parts = BilledParts(
                self.service,
                kind,
                Fact.LATE if delay else None,
                at + delay,
                at,
                combination,
                cost[kept],
                used,
                used * rates.quantity_of_one[combination],
                used * rates.prices[combination, period[kept]],
            )
            free = is_free[kept]
            if not free.any():
                yield all_parts
                continue
            yield all_parts.take(~free, all_parts.fact)
            given = all_parts.take(free, Fact.FREE)
            nothing = np.zeros(len(given.at), np.int64)
            yield replace(given, quantity=nothing, amount=nothing)


class MeteredStorage:
    """The bill of stored levels: each hour costs what is stored in it."""

    def __init__(self, levels: LevelUsage, costs: CostCombinations) -> None:
        self._levels = levels
        combinations = levels.combinations
        self.service = combinations.dataset.name
        self.usage_values = combinations.values
        self._numbers = np.array(
            [
                costs.number(dimensions_of(combinations, number), STORAGE_LINE, "gibibyte_hours")
                for number in range(len(combinations))
            ],
            np.int32,
        )

    def parts(self, start: int, end: int) -> Iterator[BilledParts]:
        """Yield what is billed for the hours that begin between two times (epoch seconds)."""
        hours = np.arange(-(-start // HOUR), -(-end // HOUR), dtype=np.int64) * HOUR
        rows = self._levels.at(hours, hours)
        stored = rows.metrics["usage_bytes"]
        quantity = (stored.astype(np.object_) * ONE // GIBIBYTE).astype(np.int64)
        cost = self._numbers[rows.combination]
        yield BilledParts(
            self.service,
            "storage",
            None,
            rows.at,
            rows.at,
            rows.combination,
            cost,
            stored,
            quantity,
            quantity * STORAGE_PRICE,
        )


def dimensions_of(combinations: Combinations, number: int) -> dict[str, Value]:
    """Return a combination's values by the names of the dimensions."""
    names = (dimension.name for dimension in combinations.dataset.dimensions)
    return dict(zip(names, combinations.values[number], strict=True))


def usage_class(combinations: Combinations, number: int) -> UsageClass:
    """Return what a combination's prices depend on. Every third one of a model for long context has it."""
    values = dimensions_of(combinations, number)
    is_long = combinations.models[number].name in LONG_CONTEXT_MODELS and number % 3 == 0
    return UsageClass(values.get("batch") == "true", values.get("service_tier"), is_long)


def _rates(combinations: Combinations, costs: CostCombinations, moments: list[int]) -> dict[str, _Rates]:
    """Return the rates of each kind that the service bills, with a period from each of the moments on."""
    shape = (len(combinations), len(moments))
    rates: dict[str, _Rates] = {}
    for place, moment in enumerate(moments):
        for number, model in enumerate(combinations.models):
            values = dimensions_of(combinations, number)
            usage = usage_class(combinations, number)
            for charge in charges(combinations.dataset.name, model, usage, moment):
                if charge.kind not in rates:
                    rates[charge.kind] = _Rates(
                        np.full(shape, -1, np.int32), np.zeros(shape, np.int64), np.full(shape[0], ONE, np.int64)
                    )
                kind = rates[charge.kind]
                kind.numbers[number, place] = costs.number(values, charge.line_item, charge.unit)
                kind.prices[number, place] = charge.price
                kind.quantity_of_one[number] = ONE // charge.per_unit
    return rates
