"""Holds organizations whose bill follows exactly from their usage, with what each line item and part really cost.

Nothing of the program computes here except the names of measures: tokens are counted, named and priced anew.
`random_organizations.py` draws them, `billed_batches.py` makes them what the API answers.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from usage_viewer.domain.spend import MEASURES, Factor, LineMeaning, Match, Reason, Target, UsageClass
from usage_viewer.query.spend.billed_lines import BilledLine, LineKey
from usage_viewer.query.spend.daily_usage import DailyUsage, UsedSeries
from usage_viewer.query.spend.factors import BilledCells

FIRST_DAY = 20_454
"""Day number of the first day (2026-01-01)."""
UNIT = 10**12


@dataclass(frozen=True)
class UsageRow:
    """Usage of one day and combination of all dimensions, as the API gives it."""

    service: str
    day: int
    dimensions: Mapping[str, str | None]
    metrics: Mapping[str, int]

    @property
    def model(self) -> str | None:
        return self.dimensions.get("model")

    @property
    def tier(self) -> str | None:
        return self.dimensions.get("service_tier")

    def count(self, target: Target) -> int:
        """Return how much of the row a target counts."""
        if self.service != target.service or target.model not in (None, self.model):
            return 0
        if self.tier != target.tier if target.tier is not None else self.tier in target.other_tiers:
            return 0
        measure = MEASURES[target.measure]
        if measure.given in self.metrics:
            return self.metrics[measure.given]
        plus = sum(self.metrics.get(name, 0) for name in measure.plus)
        return max(0, plus - sum(self.metrics.get(name, 0) for name in measure.minus))


@dataclass(frozen=True)
class CostRow:
    """One row of the bill. The amount is exact."""

    day: int
    project_id: str | None
    api_key_id: str | None
    line_item: str
    quantity_unit: str | None
    amount: Decimal
    quantity: Decimal | None
    user_id: str | None = None

    @property
    def key(self) -> LineKey:
        return self.line_item, self.quantity_unit


@dataclass(frozen=True)
class BilledPart:
    """What a row of usage really cost in one line item."""

    usage: UsageRow
    key: LineKey
    amount: Decimal


@dataclass
class BilledOrganization:
    """An organization. `truth` has the usage that each line item bills; None: there is none.

    `factors` are the prices of batches and tiers in the line of their model, relative to ordinary usage.
    """

    days: int
    usage: list[UsageRow] = field(default_factory=list)
    costs: list[CostRow] = field(default_factory=list)
    truth: dict[LineKey, Target | None] = field(default_factory=dict)
    prices: dict[LineKey, dict[int, Fraction]] = field(default_factory=dict)
    factors: dict[UsageClass, Fraction] = field(default_factory=dict)
    parts: list[BilledPart] = field(default_factory=list)

    @property
    def day_numbers(self) -> range:
        return range(FIRST_DAY, FIRST_DAY + self.days)

    def lines(self) -> list[BilledLine]:
        """Return the quantities of each line item by day."""
        sums: dict[LineKey, dict[int, Decimal]] = {row.key: {} for row in self.costs}
        for row in self.costs:
            if row.quantity is not None:
                days = sums[row.key]
                days[row.day] = days.get(row.day, Decimal()) + row.quantity
        return [BilledLine(*key, days) for key, days in sums.items()]

    def daily_usage(self) -> DailyUsage:
        """Return the usage by service, model and tier; a metric that no row has is missing."""
        series: dict[tuple[str, str | None, str | None], dict[str, Any]] = defaultdict(dict)
        for row in self.usage:
            metrics = series[row.service, row.model, row.tier]
            for name, count in row.metrics.items():
                metrics.setdefault(name, np.zeros(self.days, np.int64))[row.day - FIRST_DAY] += count
        return DailyUsage(np.array(self.day_numbers), [UsedSeries(*key, values) for key, values in series.items()])

    def meanings(self) -> dict[LineKey, LineMeaning]:
        """Return what each line item means, as if all were recognized."""
        return {
            key: LineMeaning(*key, target, Match.CONFIRMED if target else Match.NONE, _reason(key, target))
            for key, target in self.truth.items()
        }

    def factors_of_lines(self, *, measured: bool) -> dict[LineKey, dict[UsageClass, Factor]]:
        """Return the factors of each line item with usage; a tier with a line item of its own has the factor 1."""
        found = {one: Factor(factor, measured) for one, factor in self.factors.items()}
        return {key: found if target.tier is None else {} for key, target in self.truth.items() if target}

    @property
    def total(self) -> Decimal:
        """The sum of all amounts."""
        return sum((row.amount for row in self.costs), Decimal())

    def money(self, key: LineKey) -> Decimal:
        """Return the sum of a line item's amounts."""
        return sum((row.amount for row in self.costs if row.key == key), Decimal())

    def cells(self, key: LineKey) -> BilledCells:
        """Return the rows of a line item with the usage that each bills, by class."""
        target = self.truth[key]
        assert target is not None
        tokens: dict[tuple[int, str | None, str | None], dict[UsageClass, int]] = defaultdict(dict)
        for row in self.usage:
            if count := row.count(target):
                cell = tokens[row.day, row.dimensions.get("project_id"), row.dimensions.get("api_key_id")]
                one = usage_class(row)
                cell[one] = cell.get(one, 0) + count
        rows = [row for row in self.costs if row.key == key]
        found = [tokens[row.day, row.project_id, row.api_key_id] for row in rows]
        classes = tuple(dict.fromkeys(one for cell in found for one in cell))
        amounts = np.empty(len(rows), np.object_)
        amounts[:] = [int(row.amount * UNIT) for row in rows]
        counts = [[cell.get(one, 0) for one in classes] for cell in found]
        days = np.array([row.day for row in rows], np.int64)
        return BilledCells(days, amounts, classes, np.array(counts, np.int64).reshape(len(rows), len(classes)))

    def scrambled(self, random: Random) -> "BilledOrganization":
        """Return the organization with a meaningless name for each line item."""
        texts = list(dict.fromkeys(text for text, _ in self.truth))
        names = {text: f"{random.getrandbits(48):012x}" for text in texts}

        def renamed(values: Mapping[LineKey, Any]) -> dict[LineKey, Any]:
            return {(names[text], unit): value for (text, unit), value in values.items()}

        costs = [replace(row, line_item=names[row.line_item]) for row in self.costs]
        return replace(self, costs=costs, truth=renamed(self.truth), prices=renamed(self.prices))

    def shuffled(self, random: Random) -> "BilledOrganization":
        """Return the organization with its rows in another order."""
        return replace(
            self, usage=random.sample(self.usage, len(self.usage)), costs=random.sample(self.costs, len(self.costs))
        )

    def is_same_usage(self, one: Target, other: Target) -> bool:
        """Report whether two targets count the same of every row of usage."""
        return one.per_unit == other.per_unit and all(row.count(one) == row.count(other) for row in self.usage)


def _reason(key: LineKey, target: Target | None) -> Reason | None:
    if target is not None:
        return None
    is_known = key[1] == "gibibyte_hours" or key[0].startswith("evals | ")
    return Reason.NO_COUNTERPART if is_known else Reason.UNRECOGNISED


def usage_class(row: UsageRow) -> UsageClass:
    return UsageClass(row.dimensions.get("batch") == "true", row.tier)


def strong_keys(organization: BilledOrganization) -> list[LineKey]:
    """Return the line items with usage and at least three days of 1,000 tokens."""
    days: dict[LineKey, int] = defaultdict(int)
    for line in organization.lines():
        target = organization.truth[line.key]
        if target is not None:
            days[line.key] = sum(quantity * target.per_unit >= 1000 for quantity in line.quantities.values())
    return [key for key, count in days.items() if count >= 3]


def decimal(number: Fraction, digits: int = 40) -> Decimal:
    """Return a decimal with at most `digits` digits; 17 are those of a double."""
    whole = Decimal(number.numerator) / 1
    with_digits = whole if number.denominator == 1 else Decimal(_rounded(number, digits))
    return with_digits.normalize() if number.denominator != 1 else with_digits


def _rounded(number: Fraction, digits: int) -> str:
    places = digits - len(str(abs(int(number))))
    scaled = round(number * 10**places)
    return f"{scaled}e-{places}"
