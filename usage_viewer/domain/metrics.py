"""Defines the figures that a column can show: metrics, figures over time and derived figures."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

from usage_viewer.domain.figures import LazyColumn, Number, NumberColumn, Sums, add, divide

MONEY: Final = "money"
"""The unit of metrics whose own unit is a currency."""


class Kind(StrEnum):
    """Tells how a figure is stored and shown."""

    COUNT = "count"  # whole numbers, int64
    DECIMAL = "decimal"  # exact decimals: money and quantities
    SHARE = "share"  # a quotient shown in per cent
    RATIO = "ratio"  # a quotient shown with one decimal
    PRICE = "price"  # a quotient that is an exact decimal, shown with all its digits

    @property
    def is_quotient(self) -> bool:
        """Whether figures of this kind are quotients."""
        return self in (Kind.SHARE, Kind.RATIO, Kind.PRICE)


class Aggregation(StrEnum):
    """Tells how a metric adds up: `SUM` over everything; `LEVEL` over dimensions, but not over time."""

    SUM = "sum"
    LEVEL = "level"


class Statistic(StrEnum):
    """Names the statistics of a level over the buckets of a period, in addition to its last value."""

    MEAN = "mean"
    PEAK = "peak"


class FigureLookup(Protocol):
    """Finds figures by name, such as a `Dataset`."""

    def column(self, name: str) -> "Figure":
        """Return the figure. Raises KeyError."""


class Figure(Protocol):
    """Describes a figure that can be a column: which metrics it needs and how it is computed from their sums."""

    @property
    def name(self) -> str:
        """The name in requests, settings and exports."""

    @property
    def label(self) -> str:
        """The name for users."""

    @property
    def unit(self) -> str:
        """The unit of the figure, in the plural."""

    @property
    def kind(self) -> Kind:
        """How the figure is stored and shown."""

    @property
    def help(self) -> str:
        """One or two sentences for users; "" for none."""

    @property
    def heading(self) -> str:
        """The label in a table's header."""

    @property
    def statistic(self) -> Statistic | None:
        """The statistic over the buckets of a period; None if the figure needs only sums."""

    @property
    def sums_over_time(self) -> bool:
        """Whether the figures of several periods may be added."""

    @property
    def measured(self) -> str:
        """The name of the metric whose amounts the figure shows, in that metric's unit; "" if it has none."""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the metrics to read."""

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the figure of each row (n,) from the sums of the rows."""

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the figure of one row, such as the totals; None where a sum is missing."""

    def formula(self, dataset: FigureLookup) -> str:
        """Return the computation in the labels of its parts, such as `Cached ÷ Input`; "" for a stored figure."""

    def explanation(self, dataset: FigureLookup) -> str:
        """Return one sentence for users on how the figure of a row comes about."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Describes a number of a result. A response without a `required` one is unusable; else null is "not given"."""

    name: str
    label: str
    unit: str
    kind: Kind = Kind.COUNT
    aggregation: Aggregation = Aggregation.SUM
    required: bool = False
    path: tuple[str, ...] = ()
    help: str = ""
    unit_from: str = ""  # the dimension whose value is this metric's unit: different ones are never added
    unit_in_heading: bool = False

    @property
    def heading(self) -> str:
        """The label, with the unit if the header shows it."""
        return _heading(self.label, self.unit, self.unit_in_heading)

    @property
    def statistic(self) -> Statistic | None:
        """None: a metric needs only sums."""
        return None

    @property
    def sums_over_time(self) -> bool:
        """Whether the metric is not a level."""
        return self.aggregation is Aggregation.SUM

    @property
    def measured(self) -> str:
        """The metric's own name."""
        return self.name

    def measure_text(self, unit: str | None) -> str:
        """Return the unit of an amount, as results state it, as users read it: a currency in capitals."""
        return (unit or "").upper() if self.unit == MONEY else unit or ""

    def needs(self) -> tuple[str, ...]:
        """Return the metric's own name."""
        return (self.name,)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the sums."""
        return sums[self.name]

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the sum."""
        return sums[self.name]

    def formula(self, dataset: FigureLookup) -> str:
        """Return ""."""
        return ""

    def explanation(self, dataset: FigureLookup) -> str:
        """Return how the metric adds up."""
        if self.aggregation is Aggregation.SUM:
            return "Sum of all usage in this row."
        return "Amount stored at the end of the period; not added up over time."


@dataclass(frozen=True, slots=True)
class OverTime:
    """Describes a level over the buckets of a period: its peak, or its mean weighted by the buckets' lengths."""

    name: str
    label: str
    unit: str
    kind: Kind
    level: str  # the metric
    statistic: Statistic
    help: str = ""
    unit_in_heading: bool = False

    @property
    def heading(self) -> str:
        """The label, with the unit if the header shows it."""
        return _heading(self.label, self.unit, self.unit_in_heading)

    @property
    def sums_over_time(self) -> bool:
        """False: neither means nor peaks add up."""
        return False

    @property
    def measured(self) -> str:
        """The name of the level."""
        return self.level

    def needs(self) -> tuple[str, ...]:
        """Return the name of the level."""
        return (self.level,)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the statistic of each row, which stands in `sums` under the figure's own name."""
        return sums[self.name]

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the statistic of one row."""
        return sums[self.name]

    def formula(self, dataset: FigureLookup) -> str:
        """Return ""."""
        return ""

    def explanation(self, dataset: FigureLookup) -> str:
        """Return the meaning of the statistic."""
        if self.statistic is Statistic.PEAK:
            return "Largest amount stored at any time in the period."
        return "Average amount stored during the period."


class _FromSums(ABC):
    """Holds what the figures that are computed from several sums have in common."""

    __slots__ = ()
    label: str

    @property
    def heading(self) -> str:
        """The label."""
        return self.label

    @property
    def statistic(self) -> Statistic | None:
        """None: the figure needs only sums."""
        return None

    @abstractmethod
    def formula(self, dataset: FigureLookup) -> str:
        """Return the computation in the labels of its parts."""

    def explanation(self, dataset: FigureLookup) -> str:
        """Return the formula in a sentence."""
        return f"{self.formula(dataset)}, computed from the sums of this row."


@dataclass(frozen=True, slots=True)
class Derived(_FromSums):
    """Describes a figure computed from sums: the numerator's sum, divided by the denominator's if there is one.

    It is never an average of the rows' figures.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    help: str = ""

    @property
    def sums_over_time(self) -> bool:
        """Whether the figure is a sum."""
        return not self.denominator

    @property
    def measured(self) -> str:
        """Empty: the unit is the figure's own."""
        return ""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the numerator and the denominator."""
        return (*self.numerator, *self.denominator)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the figure of each row (n,); missing where a part is missing or the denominator is 0."""
        parts = {name: sums[name] for name in self.needs()}
        if any(column.values.dtype == np.object_ for column in parts.values()):
            return self._compute(parts)  # exact numbers are added now, in the caller's decimal context
        return LazyColumn(self._compute, parts)

    def _compute(self, parts: Sums) -> NumberColumn:
        numerator = add([parts[name] for name in self.numerator])
        return divide(numerator, add([parts[name] for name in self.denominator])) if self.denominator else numerator

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the figure of one row; None where a part is missing or the denominator is 0."""
        parts = [sums[name] for name in self.needs()]
        present = [part for part in parts if part is not None]
        if len(present) < len(parts):
            return None
        numerator: Any = sum(present[: len(self.numerator)])
        if not self.denominator:
            return numerator  # type: ignore[no-any-return]
        denominator: Any = sum(present[len(self.numerator) :])
        return None if denominator == 0 else float(numerator / denominator)

    def formula(self, dataset: FigureLookup) -> str:
        """Return the formula in the labels of the parts."""
        numerator, denominator = (
            [dataset.column(name).label for name in names] for names in (self.numerator, self.denominator)
        )
        if not denominator:
            return " + ".join(numerator)
        return " ÷ ".join(
            f"({' + '.join(labels)})" if len(labels) > 1 else labels[0] for labels in (numerator, denominator)
        )


@dataclass(frozen=True, slots=True)
class UnitPrice(_FromSums):
    """Describes a price: the sum of amounts divided by the sum of quantities, with `PRICE_DIGITS` digits."""

    name: str
    label: str
    unit: str
    amount: str
    quantity: tuple[str, ...]  # metrics that are added
    help: str = ""
    per: int = 1  # how much of the quantity the price is for
    kind: Kind = Kind.PRICE

    @property
    def sums_over_time(self) -> bool:
        """False: prices don't add up."""
        return False

    @property
    def measured(self) -> str:
        """The name of the amount: a price has its currency."""
        return self.amount

    def needs(self) -> tuple[str, ...]:
        """Return the names of the amount and the quantity."""
        return (self.amount, *self.quantity)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the price of each row (n,); missing where a part is missing or the quantity is 0."""
        parts = [sums[name].listed() for name in self.needs()]
        prices = [self._divide(*row) for row in zip(*parts, strict=True)]
        values = np.empty(len(prices), np.object_)
        values[:] = [Decimal() if price is None else price for price in prices]
        return NumberColumn(values, np.array([price is None for price in prices], np.bool_))

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the price of one row; None where a part is missing or the quantity is 0."""
        return self._divide(*(sums[name] for name in self.needs()))

    def _divide(self, amount: Number | None, *quantities: Number | None) -> Decimal | None:
        present = [Decimal(part) for part in quantities if part is not None]
        quantity = sum(present, Decimal())
        if amount is None or len(present) < len(quantities) or not quantity:
            return None
        return _PRICES.divide(Decimal(amount) * self.per, quantity).normalize(_PRICES)

    def formula(self, dataset: FigureLookup) -> str:
        """Return the formula in the labels of the parts."""
        quantity = " + ".join(dataset.column(name).label for name in self.quantity)
        quantity = f"({quantity})" if len(self.quantity) > 1 else quantity
        per = f" × {self.per:,}" if self.per != 1 else ""
        return f"{dataset.column(self.amount).label} ÷ {quantity}{per}"


PRICE_DIGITS: Final = 9
_PRICES: Final = Context(prec=PRICE_DIGITS, rounding=ROUND_HALF_EVEN)


def _heading(label: str, unit: str, with_unit: bool) -> str:
    return f"{label} ({unit})" if with_unit else label
