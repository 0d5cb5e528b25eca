"""Finds out what line items mean and how batches and tiers are billed, again only after a change."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.spend import Factor, LineMeaning, Match, Reason, Target, UsageClass
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.exact_numbers import UNIT, sums
from usage_viewer.query.spend.factors import MOST_CELLS, BilledCells, measure_factors
from usage_viewer.query.spend.recognition import recognise
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend.attribution import BilledUsage, DayCosts, Indexes, billed_usage
from usage_viewer.store.spend.daily_sums import DAY, DailySums
from usage_viewer.store.spend.day_layout import Digests, Layout, days_alike, services_of

FACTOR_DAYS = 14
"""Closed days whose rows of costs tell the relative prices of batches and tiers: the latest ones."""

ByHand = Mapping[LineKey, Target | None]
"""The usage that a person has mapped a line item to; None: no usage."""

Factors = Mapping[LineKey, Mapping[UsageClass, Factor]]

_RowsOfDay = Mapping[LineKey, BilledCells]


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days that tell what line items mean (starts in epoch seconds): how they are stored, and their sums."""

    starts: Sequence[int]
    layouts: Mapping[int, Layout]
    digests: Digests
    sums: DailySums

    def evidence(self, start: int) -> object:
        """Return a value that is equal as long as what is stored of a day is."""
        layout = self.layouts[start]
        return layout, [self.digests[name, start] for name, _ in layout]


class LineMeanings:
    """Recognizes line items again only if the sums of closed days, or the line items, have changed.

    Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meanings: tuple[object, dict[LineKey, LineMeaning]] = (None, {})
        self._factors: tuple[object, Factors] = (None, {})
        self._rows: dict[int, tuple[object, _RowsOfDay]] = {}

    def read(
        self,
        cursor: Connection,
        indexes: Indexes,
        closed: ClosedDays,
        by_hand: ByHand,
        *,
        with_factors: bool = True,
    ) -> tuple[Mapping[LineKey, LineMeaning], Factors]:
        """Return the meaning of every line item, and its relative prices of batches and service tiers.

        `by_hand` has what a person has decided. Without `with_factors` there are no prices. Raises StoreError.
        """
        evidence = [(start, closed.evidence(start)) for start in closed.starts]
        with self._lock:
            meanings = self._recognise(closed.sums, evidence, by_hand)
            return meanings, self._find_factors(cursor, indexes, meanings, closed) if with_factors else {}

    def _recognise(self, sums: DailySums, evidence: object, by_hand: ByHand) -> dict[LineKey, LineMeaning]:
        """Return the meanings; `evidence` is equal as long as the sums of closed days are."""
        keys = frozenset(key for lines in sums.lines.values() for key in lines)
        if self._meanings[0] != (evidence, keys, by_hand):
            meanings = recognise(sums.billed, sums.usage, by_hand)
            for text, unit in keys:
                if not text:
                    meanings[text, unit] = LineMeaning(text, unit, None, Match.NONE, Reason.UNRECOGNISED)
            self._meanings = (evidence, keys, by_hand), meanings
        return self._meanings[1]

    def _find_factors(
        self, cursor: Connection, indexes: Indexes, meanings: Mapping[LineKey, LineMeaning], closed: ClosedDays
    ) -> Factors:
        """Return the relative prices in each line item that bills usage of batches or service tiers."""
        days = sorted(closed.starts)[-FACTOR_DAYS:]
        with_classes = [
            meaning
            for meaning in meanings.values()
            if meaning.target is not None and API_DATASETS[meaning.target.service].has_dimension("batch")
        ]
        targets = [(meaning.text, meaning.unit, meaning.target) for meaning in with_classes]
        evidence = {start: (closed.evidence(start), targets) for start in days}
        if self._factors[0] != evidence:
            self._read_rows(cursor, indexes, with_classes, closed.layouts, evidence)
            rows = defaultdict[LineKey, list[BilledCells]](list)
            for start in days:
                for key, found in self._rows[start][1].items():
                    rows[key].append(found)
            self._factors = evidence, {key: measure_factors(_latest(found)) for key, found in rows.items()}
        return self._factors[1]

    def _read_rows(
        self,
        cursor: Connection,
        indexes: Indexes,
        meanings: Sequence[LineMeaning],
        layouts: Mapping[int, Layout],
        evidence: Mapping[int, object],
    ) -> None:
        """Read the rows of costs of the days whose evidence has changed."""
        self._rows = {start: known for start, known in self._rows.items() if known[0] == evidence.get(start)}
        for layout, starts in days_alike(evidence.keys() - self._rows.keys(), layouts).items():
            self._rows |= {start: (evidence[start], {}) for start in starts}
            if meanings:
                for start, by_line in _billed_rows(cursor, indexes, day_costs(sorted(starts), layout, meanings)):
                    self._rows[start] = evidence[start], by_line


def _billed_rows(cursor: Connection, indexes: Indexes, days: DayCosts) -> Iterator[tuple[int, _RowsOfDay]]:
    """Yield the rows of costs of each day that bill usage of several classes, by line item."""
    billed = billed_usage(cursor, indexes, days)
    keys = [(meaning.text, meaning.unit) for meaning in days.meanings]
    found = defaultdict[int, dict[LineKey, BilledCells]](dict)
    for number, item in enumerate(days.usage):
        if item.dataset.has_dimension("batch"):
            classes, rows, tokens = _by_class(billed, number)
            bucket, line = billed.costs.bucket[rows], billed.line[rows]
            amount = billed.costs.amount[rows]
            amounts = amount.whole.astype(np.object_) * UNIT + amount.units
            groups, group = np.unique(bucket * len(keys) + line, return_inverse=True)
            for position, code in enumerate(groups.tolist()):
                own = group == position
                start, which = divmod(code, len(keys))
                cells = BilledCells(bucket[own] // DAY, amounts[own], classes, tokens[own])
                found[start][keys[which]] = cells
    yield from found.items()


def _by_class(
    billed: BilledUsage, service: int
) -> tuple[tuple[UsageClass, ...], NDArray[np.intp], NDArray[np.int64]]:
    """Return the classes of a service, the rows of costs that bill some, (n,), and how much, (n, classes)."""
    cells, own = billed.cells[service], np.flatnonzero(billed.service == service)
    tiers = cells.index.values("service_tier")
    codes = cells.codes("service_tier") * 2 + cells.are("batch", ("true",))
    rows, row = np.unique(billed.row[own], return_inverse=True)
    size = 2 * len(tiers)
    tokens = sums(billed.used[own], row * size + codes[billed.usage[own]], len(rows) * size)
    classes = tuple(UsageClass(code % 2 == 1, tiers[code // 2]) for code in range(size))
    return classes, rows, tokens.reshape(len(rows), size)


def day_costs(
    starts: Sequence[int], layout: Layout, meanings: Iterable[LineMeaning], factors: Factors | None = None
) -> DayCosts:
    """Return what to attribute on days that are stored alike."""
    costs, usage = services_of(layout)
    return DayCosts(
        np.array(starts, np.int64), costs.dataset, costs.grain, usage, tuple(meanings), dict(factors or {})
    )


def _latest(days: Sequence[BilledCells]) -> BilledCells:
    """Return the latest rows of some days, ascending, with the classes that they bill."""
    known = sorted({one for day in days for one in day.classes}, key=lambda one: (one.batch, one.tier or ""))
    tokens = list[NDArray[np.int64]]()
    for day in days:
        columns = np.zeros((len(day.days), len(known)), np.int64)
        columns[:, [known.index(one) for one in day.classes]] = day.tokens
        tokens.append(columns)
    every = np.concatenate(tokens)[-MOST_CELLS:]
    used = np.flatnonzero(every.any(axis=0))
    return BilledCells(
        np.concatenate([day.days for day in days])[-MOST_CELLS:],
        np.concatenate([day.amounts for day in days])[-MOST_CELLS:],
        tuple(known[number] for number in used.tolist()),
        np.ascontiguousarray(every[:, used]),
    )
