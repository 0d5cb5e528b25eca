"""Compares each line item's billed quantity with the usage of the day, and gives each difference its reason.

Exact explanations come first: usage that another model has, or that the next day bills, to the last token. What is
left has a sign: more billed than used means that usage is missing, more used than billed that some of it was free.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import SETTLED_AFTER
from usage_viewer.domain.figures import EXACT
from usage_viewer.domain.spend import LineMeaning, Reason, Target
from usage_viewer.query.spend.billed_lines import MIN_TOKENS, BilledLine, BilledQuantity, LineKey, billed_quantities
from usage_viewer.query.spend.daily_usage import DailyUsage, UsageIndex
from usage_viewer.query.spend.line_item import parse_line_item
from usage_viewer.query.spend.proposals import NO_USAGE, per_unit
from usage_viewer.query.spend.quantity_differences import DifferenceReason, QuantityDifference

LATE_DAYS: Final = SETTLED_AFTER // (24 * 3600)
"""Days before today that may still change."""

_MOST_PLACES: Final = 6  # decimal places of a quantity; with more it is as good as exact


@dataclass(frozen=True, slots=True)
class BilledAmounts:
    """A line item's quantities and amounts by day. A day whose quantity is null has an amount only."""

    line: BilledLine
    amounts: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True)
class FetchState:
    """Tells which days can be compared. All days are day numbers since the epoch, UTC.

    `today` and later days are not compared. `unsettled` days were fetched before they were final, besides the last
    days. `missing_usage` are days of a dataset (service) that are not stored. `billed_days` are the days with
    stored costs; None: the days that any line item has.
    """

    today: int
    unsettled: Collection[int] = ()
    missing_usage: Mapping[str, Collection[int]] = field(default_factory=dict)
    billed_days: Collection[int] | None = None


def reconcile(
    bills: Iterable[BilledAmounts],
    meanings: Mapping[LineKey, LineMeaning],
    usage: DailyUsage,
    state: FetchState,
) -> list[QuantityDifference]:
    """Return the differences between bill and usage, by day and line item; none if all quantities agree.

    Each line item and unit comes once in `bills`. Their order does not matter.
    """
    by_key = {
        bill.line.key: bill for bill in sorted(bills, key=lambda bill: (bill.line.text, bill.line.unit or ""))
    }
    groups: dict[Target, list[LineKey]] = defaultdict(list)
    differences = list[QuantityDifference]()
    for key, bill in by_key.items():
        meaning = meanings.get(key)
        if meaning is not None and meaning.target is not None:
            groups[_usage_of(meaning.target)].append(key)
            differences += _without_quantity(bill, state)
        else:
            differences += _without_usage(bill, meaning, state)
    differences += _Comparison(by_key, groups, usage, state).differences()
    ranks = {key: rank for rank, key in enumerate(by_key)}
    return sorted(differences, key=lambda one: (one.day, ranks[one.lines[0]]))


def _usage_of(target: Target) -> Target:
    """Return the target without what says nothing of the usage that it selects."""
    return replace(target, token_kind="", per_unit=1)


def _without_usage(
    bill: BilledAmounts, meaning: LineMeaning | None, state: FetchState
) -> Iterator[QuantityDifference]:
    """Yield each day of a line item that bills no known usage."""
    reason = DifferenceReason.UNRECOGNISED
    if parse_line_item(bill.line.text).surface in NO_USAGE:
        reason = DifferenceReason.EVALS
    elif meaning is not None and meaning.reason is Reason.NO_COUNTERPART:
        reason = DifferenceReason.NO_COUNTERPART
    elif meaning is not None and meaning.reason is Reason.USAGE_MISSING:
        reason = DifferenceReason.USAGE_NOT_FETCHED  # the name is clear, but nothing of its model was used
    scale = per_unit(bill.line.unit)
    for day, amount in bill.amounts.items():
        quantity = bill.line.quantities.get(day)
        if day < state.today and (amount or quantity):
            is_credit = amount < 0 and quantity is None
            billed = None if quantity is None else round(quantity * scale)
            yield QuantityDifference(
                day, (bill.line.key,), DifferenceReason.CREDIT if is_credit else reason, amount, billed
            )


def _without_quantity(bill: BilledAmounts, state: FetchState) -> Iterator[QuantityDifference]:
    """Yield each day on which a recognized line item has an amount, but no quantity."""
    for day, amount in bill.amounts.items():
        if day < state.today and amount and day not in bill.line.quantities:
            reason = DifferenceReason.CREDIT if amount < 0 else DifferenceReason.NO_QUANTITY
            yield QuantityDifference(day, (bill.line.key,), reason, amount)


class _Group:
    """The line items that bill the same usage: quantities, usage and their difference, (days,)."""

    def __init__(self, target: Target, bills: list[BilledAmounts], billed: BilledQuantity, used: NDArray[np.int64]):
        self.target, self.bills, self.billed, self.used = target, bills, billed.quantity, used
        self.keys = tuple(bill.line.key for bill in bills)
        self.tolerance = sum(_tolerance(bill.line) for bill in bills)
        self.excess = self.billed - used

    def amount(self, day: int) -> Decimal:
        """Return what the line items billed on a day (its number)."""
        total = Decimal()
        for bill in self.bills:
            total = EXACT.add(total, bill.amounts.get(day, Decimal()))
        return total

    def is_without_quantity(self, day: int) -> bool:
        """Report whether a line item has an amount, but no quantity on a day, so that the sum is unknown."""
        return any(day not in bill.line.quantities and bill.amounts.get(day, Decimal()) > 0 for bill in self.bills)


class _Comparison:
    """Compares the line items that have usage with it, on all days at once."""

    def __init__(
        self,
        bills: Mapping[LineKey, BilledAmounts],
        groups: Mapping[Target, list[LineKey]],
        usage: DailyUsage,
        state: FetchState,
    ) -> None:
        self._state, self._days = state, usage.days
        self._bills = {key: bills[key] for keys in groups.values() for key in keys}
        self._index = UsageIndex(usage)
        quantities = billed_quantities((bill.line for bill in self._bills.values()), usage.days)
        self._groups = {
            target: _Group(
                target,
                [bills[key] for key in keys],
                BilledQuantity.sum([quantities[key] for key in keys]),
                self._index.used(target),
            )
            for target, keys in groups.items()
        }
        billed_days = state.billed_days
        if billed_days is None:
            billed_days = {day for bill in bills.values() for day in bill.amounts}
        self._is_billed = np.isin(usage.days, [*billed_days]) & (usage.days < state.today)
        self._is_late = (usage.days >= state.today - LATE_DAYS) | np.isin(usage.days, [*state.unsettled])

    def differences(self) -> Iterator[QuantityDifference]:
        """Yield the differences of all groups of line items."""
        differing = {group.target: self._differing(group) for group in self._groups.values()}
        renamed = self._renamed_models(differing)
        for group in self._groups.values():
            yield from self._not_stored(group)
            moved = self._moved_days(group, differing[group.target])
            for place in np.flatnonzero(differing[group.target]).tolist():
                other = renamed.get((group.target, place))
                reason = self._reason(group, place, other is not None, place in moved)
                yield QuantityDifference(
                    int(self._days[place]),
                    group.keys,
                    reason,
                    group.amount(int(self._days[place])),
                    int(group.billed[place]),
                    int(group.used[place]),
                    other if reason is DifferenceReason.RENAMED_MODEL else None,
                )

    def _reason(self, group: _Group, place: int, is_renamed: bool, is_moved: bool) -> DifferenceReason:
        if is_renamed:
            return DifferenceReason.RENAMED_MODEL
        if is_moved:
            return DifferenceReason.BATCH_ON_COMPLETION
        if self._is_late[place]:
            return DifferenceReason.LATE_DAY
        is_missing = group.excess[place] > 0
        return DifferenceReason.USAGE_NOT_FETCHED if is_missing else DifferenceReason.FREE_TOKENS

    def _differing(self, group: _Group) -> NDArray[np.bool_]:
        """Return the days on which quantity and usage are known and differ, (days,)."""
        differing: NDArray[np.bool_] = (np.abs(group.excess) > group.tolerance) & self._is_billed
        for place in np.flatnonzero(differing).tolist():
            day = int(self._days[place])
            if group.is_without_quantity(day) or day in self._state.missing_usage.get(group.target.service, ()):
                differing[place] = False
        return differing

    def _not_stored(self, group: _Group) -> Iterator[QuantityDifference]:
        """Yield the days with a quantity whose usage is not stored."""
        stored = {int(day) for day in self._days}.difference(
            self._state.missing_usage.get(group.target.service, ())
        )
        days = {day for bill in group.bills for day, number in bill.line.quantities.items() if number}
        for day in days - stored:
            if day < self._state.today:
                billed = sum(
                    bill.line.quantities.get(day, Decimal()) * per_unit(bill.line.unit) for bill in group.bills
                )
                reason = DifferenceReason.USAGE_NOT_FETCHED
                yield QuantityDifference(day, group.keys, reason, group.amount(day), round(billed))

    def _moved_days(self, group: _Group, differing: NDArray[np.bool_]) -> set[int]:
        """Return the places of the days whose differences are usage that was billed on the day after.

        In a run of such days the unbilled usage is at most that of the last day, and ends at 0. Days without a
        difference belong to it, too: equal batches on each day leave a difference on the first and last day only.
        """
        unbilled = np.where(differing, -group.excess, 0)
        sums = np.cumsum(unbilled)
        moved, end = set[int](), -1
        for start in np.flatnonzero(unbilled > 0).tolist():
            if start > end:
                waiting = sums[start:] - (sums[start] - unbilled[start])
                ends = np.flatnonzero(np.abs(waiting[1:]) <= group.tolerance)
                if len(ends) and self._is_one_run(group, start, waiting[: ends[0] + 1], differing):
                    end = start + 1 + int(ends[0])
                    moved.update(place for place in range(start, end + 1) if differing[place])
        return moved

    def _is_one_run(
        self, group: _Group, start: int, waiting: NDArray[np.int64], differing: NDArray[np.bool_]
    ) -> bool:
        """Report whether usage that waits for its bill, from a day (its place) on, can be billed one day later."""
        end = start + len(waiting)
        if self._days[end] - self._days[start] != len(waiting):
            return False
        is_possible = (waiting > 0) & (waiting <= group.used[start:end])
        return bool(np.all(is_possible & (differing[start:end] | (waiting >= MIN_TOKENS))))

    def _renamed_models(self, differing: Mapping[Target, NDArray[np.bool_]]) -> dict[tuple[Target, int], str]:
        """Return the other model's name for each day (its place) on which usage went from one model to another.

        The usage that one model lacks is the unbilled usage of the other, in each kind of tokens.
        """
        candidates = self._models_with_missing_usage(differing)
        evidence: dict[tuple[str, str | None, str], int] = defaultdict(int)
        for (target, place), models in candidates.items():
            for model in models:
                evidence[target.service, target.model, model] += int(self._groups[target].excess[place])
        renamed = dict[tuple[Target, int], str]()
        for (target, place), models in candidates.items():
            weights = {model: evidence[target.service, target.model, model] for model in models}
            best = [model for model, weight in weights.items() if weight == max(weights.values())]
            if len(best) == 1 and weights[best[0]] >= MIN_TOKENS:
                renamed[target, place] = best[0]
                other = replace(target, model=best[0])
                if other in self._groups and target.model is not None:
                    renamed.setdefault((other, place), target.model)
        return renamed

    def _models_with_missing_usage(
        self, differing: Mapping[Target, NDArray[np.bool_]]
    ) -> dict[tuple[Target, int], list[str]]:
        """Return, for each day (its place) without enough usage, the models that have exactly so much unbilled."""
        models = defaultdict[str, list[str]](list)
        for service, model in self._index.owners:
            if model is not None:
                models[service].append(model)
        candidates: dict[tuple[Target, int], list[str]] = defaultdict(list)
        for target, group in self._groups.items():
            missing = differing[target] & (group.excess > group.tolerance)
            if target.model is None or not missing.any():
                continue
            for model in models[target.service]:
                if model != target.model:
                    equal = missing & (self._unbilled(replace(target, model=model)) == group.excess)
                    for place in np.flatnonzero(equal).tolist():
                        candidates[target, place].append(model)
        return candidates

    def _unbilled(self, target: Target) -> NDArray[np.int64]:
        group = self._groups.get(target)
        return self._index.used(target) if group is None else -group.excess


def _tolerance(line: BilledLine) -> float:
    """Return the rounding error of a line item's quantities, in tokens or seconds; less than one if they are exact.

    A quantity in thousands or minutes is as fine as its day with the most decimal places.
    """
    scale = per_unit(line.unit)
    if scale == 1 or not line.quantities:
        return 0.0
    exponents = [int(number.as_tuple().exponent) for number in line.quantities.values()]
    places = min(max(0, -min(exponents)), _MOST_PLACES)
    return float(scale / 10**places / 2)
