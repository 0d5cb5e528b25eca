"""Finds out which usage each line item bills: its name proposes, its quantities confirm.

A line item whose name says nothing, or is contradicted by its quantities, is looked for by its quantities alone.
Two candidates are as good as none: a wrong guess would put costs on the wrong people.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import LineMeaning, Match, Reason, Target
from usage_viewer.query.spend.billed_lines import MIN_TOKENS, BilledLine, BilledQuantity, LineKey, billed_quantities
from usage_viewer.query.spend.by_quantity import MIN_DAYS, find_by_quantity
from usage_viewer.query.spend.daily_usage import DailyUsage, UsageIndex, UsedSeries
from usage_viewer.query.spend.line_item import parse_line_item
from usage_viewer.query.spend.proposals import Proposal, Proposer, per_unit

__all__ = ["PLAUSIBLE", "BilledLine", "DailyUsage", "LineKey", "UsedSeries", "recognise"]

PLAUSIBLE: Final = 0.01
"""Largest difference of all quantities, relative to the usage, that may be late or free usage."""

_RANK: Final = (Match.CONFIRMED, Match.PLAUSIBLE, Match.CONTRADICTED, Match.NOT_CHECKABLE)


def recognise(
    lines: Iterable[BilledLine], usage: DailyUsage, by_hand: Mapping[LineKey, Target | None] | None = None
) -> dict[LineKey, LineMeaning]:
    """Return what each line item bills; `by_hand` has what a person has decided (None: nothing).

    The order of lines and series does not matter.
    """
    return _Recognition(lines, usage, by_hand or {}).meanings()


class _Recognition:
    """Recognizes the line items of one organization."""

    def __init__(
        self, lines: Iterable[BilledLine], usage: DailyUsage, by_hand: Mapping[LineKey, Target | None]
    ) -> None:
        self._index = UsageIndex(usage)
        self._billed = billed_quantities(lines, usage.days)
        self._by_hand = {key: target for key, target in by_hand.items() if key in self._billed}
        parsed = {key: parse_line_item(key[0]) for key in self._billed}
        proposer = Proposer(self._index, parsed.values())
        self._proposals = {
            key: proposer.propose(parsed[key], key[1]) for key in self._billed if key not in self._by_hand
        }
        self._meanings: dict[LineKey, LineMeaning] = {}
        self._by_target: dict[Target, list[BilledQuantity]] = defaultdict(list)
        for key, target in self._by_hand.items():
            if target is not None:
                self._by_target[_usage_of(target)].append(self._billed[key])

    def meanings(self) -> dict[LineKey, LineMeaning]:
        """Return the meaning of each line item, in the order of their texts."""
        for key, target in self._by_hand.items():
            own = None if target is None else replace(target, per_unit=per_unit(key[1]))
            reason = Reason.NO_COUNTERPART if own is None else None
            self._meanings[key] = LineMeaning(*key, own, Match.BY_HAND, reason)
        groups: dict[tuple[Target, ...], list[LineKey]] = defaultdict(list)
        for key, proposal in self._proposals.items():
            if proposal.targets:
                groups[proposal.targets].append(key)
            else:
                self._meanings[key] = LineMeaning(*key, None, Match.NONE, proposal.reason)
        for targets, keys in groups.items():
            target, match = self._confirm(targets, keys)
            for key in keys:
                self._set_target(key, target, match)
        self._look_for_quantities()
        return {key: self._meanings[key] for key in self._billed}

    def _confirm(self, targets: Sequence[Target], keys: Sequence[LineKey]) -> tuple[Target, Match]:
        """Return the target whose usage is that of the line items' quantities together, and how well it fits."""
        together = BilledQuantity.sum([self._billed[key] for key in keys])
        best: tuple[tuple[float, ...], Target, Match] | None = None
        for target in targets:
            used = self._index.used(target)
            billed = self._with_by_hand(together, target)
            match, equal, difference = compare(billed, used)
            # On days without audio, say, all input is equal to that without audio. Other days tell them apart.
            surplus = int(((used != 0) & ~billed.has).sum())
            rank: tuple[float, ...] = (_RANK.index(match), -equal, surplus, difference)
            if match in (Match.CONTRADICTED, Match.NOT_CHECKABLE):
                # Nothing is equal: the usual measure is the likeliest, if it was used at all.
                rank = (_RANK.index(match), not used.any())
            if best is None or rank < best[0]:
                best = rank, target, match
        assert best is not None
        return best[1:]

    def _with_by_hand(self, billed: BilledQuantity, target: Target) -> BilledQuantity:
        """Return the quantities with those of line items that a person has mapped to the same target."""
        same = self._by_target.get(_usage_of(target), []) if self._by_target else []
        return BilledQuantity.sum([billed, *same])

    def _set_target(self, key: LineKey, target: Target, match: Match) -> None:
        own = replace(target, per_unit=per_unit(key[1]))
        self._meanings[key] = LineMeaning(*key, own, match)

    def _look_for_quantities(self) -> None:
        """Look for open line items by quantities alone; drop contradicted targets that the name doesn't name."""
        claims: dict[Target, list[NDArray[np.bool_]]] = defaultdict(list)
        searched = {}
        for key, meaning in self._meanings.items():
            if meaning.target is not None and meaning.match in (Match.CONFIRMED, Match.BY_HAND):
                claims[meaning.target].append(self._billed[key].has)
            elif meaning.match is not Match.PLAUSIBLE and _may_be_searched(self._proposals.get(key)):
                searched[key] = self._billed[key]
        taken = [(target, np.any(days, axis=0)) for target, days in claims.items()]
        found = find_by_quantity(searched, self._index, taken)
        for key in searched:
            meaning = self._meanings[key]
            if key in found:
                self._set_target(key, found[key], Match.BY_QUANTITY)
            elif meaning.match is Match.CONTRADICTED and not self._proposals[key].is_sure:
                is_other = self._proposals[key].reason is Reason.NO_COUNTERPART
                reason = Reason.NO_COUNTERPART if is_other else Reason.UNRECOGNISED
                self._meanings[key] = LineMeaning(*key, None, Match.CONTRADICTED, reason)


def compare(billed: BilledQuantity, used: NDArray[np.int64]) -> tuple[Match, int, float]:
    """Return how well quantities fit the usage, how many days are equal, and the relative difference."""
    compared = billed.has & ((billed.quantity != 0) | (used != 0))
    counts, quantities = used[compared], billed.quantity[compared]
    if not counts.any():
        return Match.NOT_CHECKABLE, 0, 0.0
    equal = billed.is_whole[compared] & (counts == quantities)
    strong, size = int((equal & (counts >= MIN_TOKENS)).sum()), int(equal.sum())
    total = float(counts.sum())
    difference = abs(float(quantities.sum()) - total) / total
    if size == len(counts) or (strong >= MIN_DAYS and 2 * size > len(counts)):
        return Match.CONFIRMED, size, difference
    return Match.PLAUSIBLE if difference < PLAUSIBLE else Match.CONTRADICTED, size, difference


def _may_be_searched(proposal: Proposal | None) -> bool:
    if proposal is None:
        return False
    return bool(proposal.targets) or proposal.reason is not Reason.NO_COUNTERPART


def _usage_of(target: Target) -> Target:
    """Return the target without what does not change the usage that it means."""
    return replace(target, token_kind="", per_unit=1)
