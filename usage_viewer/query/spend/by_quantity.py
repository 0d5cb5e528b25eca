"""Looks for the usage of line items by their quantities alone.

Equal whole numbers on three days are no chance, if they are large. The quantities of a few days select candidates
with a sorted search; only these are compared on all days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.spend import Target
from usage_viewer.query.spend.billed_lines import MIN_TOKENS, BilledQuantity, LineKey
from usage_viewer.query.spend.daily_usage import UsageIndex
from usage_viewer.query.spend.overlap import overlaps
from usage_viewer.query.spend.proposals import measures_of

MIN_DAYS: Final = 3
"""Days with equal quantities that tell a line item without its name."""

_PROBES: Final = 9  # days of each line item that select its candidates
_PAIR_PROBES: Final = 4
_EQUAL: Final = 0.9  # of the days must be equal: a few may be late

Claim = tuple[Target, NDArray[np.bool_]]
"""Usage that is billed already, and on which days, (days,)."""
_Owner = tuple[str, str | None]


def find_by_quantity(
    lines: Mapping[LineKey, BilledQuantity], index: UsageIndex, taken: Iterable[Claim]
) -> dict[LineKey, Target]:
    """Return the only target with the quantities of each line item, where there is exactly one.

    Two line items that together have the quantities of a target, which no single one has, both bill it.
    """
    strong = {key: _strong_days(billed) for key, billed in lines.items()}
    searched = {key: lines[key] for key in sorted(lines, key=str) if len(strong[key]) >= MIN_DAYS}
    if not searched:
        return {}
    candidates = _Candidates(index, {key[1] for key in searched}, taken)
    single = {key: candidates.equal(key[1], billed, strong[key]) for key, billed in searched.items()}
    found = {key: matches[0] for key, matches in single.items() if len(matches) == 1}
    found = _without_conflicts(found, searched)
    rest = {key: billed for key, billed in searched.items() if not single[key]}
    candidates.claim((one.target, searched[key].has) for key, one in found.items())
    found |= _find_pairs(rest, strong, candidates)
    return {key: candidate.target for key, candidate in found.items()}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A target that is searched for; `row` is its row in the table of usage."""

    target: Target
    row: int

    @property
    def owner(self) -> _Owner:
        """The service and model. Two of their measures with equal figures are as good as one."""
        return self.target.service, self.target.model


class _Candidates:
    """Every target that quantities could belong to, with its usage that no line item is known to bill."""

    def __init__(self, index: UsageIndex, units: Iterable[str | None], taken: Iterable[Claim]) -> None:
        self.listed: list[_Candidate] = []
        self._rows_of_unit: dict[str | None, set[int]] = defaultdict(set)
        rows: list[NDArray[np.int64]] = []
        known: dict[tuple[str, str | None, bytes], int] = {}
        for service, model in index.owners:
            allowed = {unit: frozenset(measures_of(service, unit)) for unit in units}
            for measure in dict.fromkeys(one for unit in units for one in measures_of(service, unit)):
                for target in _of_tiers(index, service, model, measure):
                    used = index.used(target)
                    if not used.any():
                        continue
                    # Measures and tiers of one model with equal figures are one candidate, under the usual name.
                    row = known.setdefault((service, model, used.tobytes()), len(rows))
                    if row == len(rows):
                        rows.append(used)
                        self.listed.append(_Candidate(target, row))
                    for unit, measures in allowed.items():
                        if measure in measures:
                            self._rows_of_unit[unit].add(row)
        self.usage = np.stack(rows) if rows else np.zeros((0, len(index.days)), np.int64)
        self._by_owner: dict[_Owner, list[_Candidate]] = defaultdict(list)
        for candidate in self.listed:
            self._by_owner[candidate.owner].append(candidate)
        self._sorted: dict[int, tuple[NDArray[np.intp], NDArray[np.int64]]] = {}
        self.claim(taken)

    def claim(self, claims: Iterable[Claim]) -> None:
        """Leave out usage that line items are known to bill."""
        for target, days in claims:
            for owner in self._by_owner if target.model is None else ((target.service, target.model),):
                for candidate in self._by_owner.get(owner, ()):
                    if overlaps(candidate.target, target):
                        self.usage[candidate.row, days] = 0
        self._sorted.clear()

    def with_figure(self, day: int, figure: int) -> list[int]:
        """Return the rows with a figure on a day (its place)."""
        if day not in self._sorted:
            order = np.argsort(self.usage[:, day], kind="stable")
            self._sorted[day] = order, self.usage[order, day]
        order, figures = self._sorted[day]
        start, end = np.searchsorted(figures, [figure, figure + 1])
        return [int(row) for row in order[start:end]]

    def allowed(self, unit: str | None) -> set[int]:
        """Return the rows that a quantity in `unit` may count."""
        return self._rows_of_unit[unit]

    def equal(self, unit: str | None, billed: BilledQuantity, strong: NDArray[np.intp]) -> list[_Candidate]:
        """Return the candidates with the quantities of a line item: of each model, those that fit best."""
        hits = Counter(row for day in _probes(strong) for row in self.with_figure(day, int(billed.quantity[day])))
        allowed = self.allowed(unit)
        fits: dict[_Owner, list[tuple[int, int, int]]] = defaultdict(list)
        for row in sorted(hits):
            equal = _equal_days(billed, self.usage[row]) if row in allowed else None
            if equal is not None:
                # Of a tier or a kind that is rare, most days are equal for all tiers and kinds, too.
                surplus = _surplus_days(billed, self.usage[row])
                fits[self.listed[row].owner].append((-equal, surplus, row))
        return [
            self.listed[row] for ranks in fits.values() for *rank, row in sorted(ranks) if rank == [*min(ranks)[:2]]
        ]


def _of_tiers(index: UsageIndex, service: str, model: str | None, measure: str) -> list[Target]:
    """Return the targets of a measure: all tiers, a single one, all but the special ones, all but one of these."""
    kind = measure.replace("_", " ")
    special = tuple(index.special_tiers(service, model))
    others = dict.fromkeys([special, *((tier,) for tier in special)]) if special else {}
    return [
        Target(service, model, kind, measure),
        *(Target(service, model, kind, measure, None, tiers) for tiers in others),
        *(Target(service, model, kind, measure, tier) for tier in index.tiers(service, model)),
    ]


def _strong_days(billed: BilledQuantity) -> NDArray[np.intp]:
    """Return the places of the days whose quantity can't be equal by chance."""
    return np.flatnonzero(billed.has & billed.is_whole & (billed.quantity >= MIN_TOKENS))


def _probes(strong: NDArray[np.intp], most: int = _PROBES) -> list[int]:
    """Return some of the days, spread evenly."""
    places = np.unique(np.linspace(0, len(strong) - 1, most).round().astype(np.intp))
    return [int(day) for day in strong[places]]


def _equal_days(billed: BilledQuantity, used: NDArray[np.int64]) -> int | None:
    """Return the number of equal days; None if they are too few to prove anything."""
    compared = billed.has & (billed.quantity != 0)
    equal = compared & billed.is_whole & (billed.quantity == used)
    strong, size = int((equal & (used >= MIN_TOKENS)).sum()), int(equal.sum())
    return size if strong >= MIN_DAYS and size >= _EQUAL * compared.sum() else None


def _surplus_days(billed: BilledQuantity, used: NDArray[np.int64]) -> int:
    """Return the number of days between a line item's first and last one that have usage, but no quantity."""
    days = np.flatnonzero(billed.has)
    between = slice(days[0], days[-1] + 1)
    return int(((used[between] != 0) & (billed.quantity[between] == 0)).sum())


def _without_conflicts(
    found: Mapping[LineKey, _Candidate], lines: Mapping[LineKey, BilledQuantity]
) -> dict[LineKey, _Candidate]:
    """Return the findings without those where several line items would bill the same usage on the same day."""
    users: dict[_Owner, list[LineKey]] = defaultdict(list)
    for key, candidate in found.items():
        users[candidate.owner].append(key)
    days = {key: lines[key].has & (lines[key].quantity != 0) for key in found}
    conflicts = {
        key
        for keys in users.values()
        for pair in combinations(keys, 2)
        if overlaps(found[pair[0]].target, found[pair[1]].target) and (days[pair[0]] & days[pair[1]]).any()
        for key in pair
    }
    return {key: candidate for key, candidate in found.items() if key not in conflicts}


def _find_pairs(
    lines: Mapping[LineKey, BilledQuantity],
    strong: Mapping[LineKey, NDArray[np.intp]],
    candidates: _Candidates,
) -> dict[LineKey, _Candidate]:
    """Return the line items that only together have the quantities of one candidate (long context beside plain)."""
    keys = list(lines)
    if len(keys) < 2 or not len(candidates.usage):
        return {}
    quantities = np.stack([lines[key].quantity for key in keys])
    partners: dict[int, set[tuple[int, int]]] = {}
    for place, key in enumerate(keys):
        partners[place] = set(_partners(place, key, keys, lines, quantities, strong[key], candidates))
    result = {}
    for place, pairs in partners.items():
        owners = {(partner, candidates.listed[row].owner) for partner, row in pairs}
        if len(owners) == 1:
            partner, row = min(pairs)
            if partners[partner] == {(place, other) for _, other in pairs}:
                result[keys[place]] = candidates.listed[row]
    return _one_pair_each(result)


def _partners(
    place: int,
    key: LineKey,
    keys: Sequence[LineKey],
    lines: Mapping[LineKey, BilledQuantity],
    quantities: NDArray[np.int64],
    strong: NDArray[np.intp],
    candidates: _Candidates,
) -> Iterable[tuple[int, int]]:
    """Yield the other line items and rows for which both line items together have the row's figures."""
    hits = Counter[tuple[int, int]]()
    for day in _probes(strong, _PAIR_PROBES):
        order = np.argsort(quantities[:, day], kind="stable")
        figures = quantities[order, day]
        wanted = candidates.usage[:, day] - quantities[place, day]
        starts, ends = np.searchsorted(figures, wanted), np.searchsorted(figures, wanted, "right")
        for row in np.flatnonzero((ends > starts) & (wanted >= MIN_TOKENS)).tolist():
            hits.update((int(other), row) for other in order[starts[row] : ends[row]])
    for (other, row), count in sorted(hits.items()):
        if (
            count < 2
            or other == place
            or row not in candidates.allowed(key[1]) & candidates.allowed(keys[other][1])
        ):
            continue
        pair = [lines[key], lines[keys[other]]]
        is_strong = np.all([part.has & (part.quantity >= MIN_TOKENS) for part in pair], axis=0)
        if is_strong.sum() >= MIN_DAYS and _equal_days(BilledQuantity.sum(pair), candidates.usage[row]) is not None:
            yield other, row


def _one_pair_each(found: Mapping[LineKey, _Candidate]) -> dict[LineKey, _Candidate]:
    """Return the findings whose candidate has exactly two line items."""
    users = Counter(candidate.row for candidate in found.values())
    return {key: candidate for key, candidate in found.items() if users[candidate.row] == 2}
