"""Finds out what line items mean and how batches and tiers are billed, again only after a change."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.spend import Factor, LineMeaning, Match, Reason, Target, UsageClass
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.factors import MOST_CELLS, BilledCells, measure_factors
from usage_viewer.query.spend.recognition import recognise
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend.attribution import DayCosts, usage_of_rows
from usage_viewer.store.spend.daily_sums import DAY, DailySums
from usage_viewer.store.spend.day_layout import Digests, Layout, services_of

FACTOR_DAYS = 14
"""Closed days whose rows of costs tell the relative prices of batches and tiers: the latest ones."""

ByHand = Mapping[LineKey, Target | None]
"""The usage that a person has mapped a line item to; None: no usage."""

Factors = Mapping[LineKey, Mapping[UsageClass, Factor]]

_Row = tuple[int, int, dict[UsageClass, int]]  # day number, amount in 10^-12, usage by class
_RowsOfDay = Mapping[LineKey, list[_Row]]


class LineMeanings:
    """Recognizes line items again only if the sums of closed days, or the line items, have changed.

    Hold `lock` while calling a method: several threads may use the same object.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._meanings: tuple[object, dict[LineKey, LineMeaning]] = (None, {})
        self._factors: tuple[object, Factors] = (None, {})
        self._rows: dict[int, tuple[object, _RowsOfDay]] = {}

    def of(self, sums: DailySums, evidence: object, by_hand: ByHand) -> dict[LineKey, LineMeaning]:
        """Return the meaning of every line item; `evidence` is equal as long as the sums of closed days are.

        `by_hand` has what a person has decided.
        """
        keys = frozenset(key for lines in sums.lines.values() for key in lines)
        if self._meanings[0] != (evidence, keys, by_hand):
            meanings = recognise(sums.billed, sums.usage, by_hand)
            for text, unit in keys:
                if not text:
                    meanings[text, unit] = LineMeaning(text, unit, None, Match.NONE, Reason.UNRECOGNISED)
            self._meanings = (evidence, keys, by_hand), meanings
        return self._meanings[1]

    def factors(
        self,
        cursor: Connection,
        meanings: Mapping[LineKey, LineMeaning],
        layouts: Mapping[int, Layout],
        closed: Iterable[int],
        digests: Digests,
    ) -> Factors:
        """Return the relative prices of batches and service tiers in each line item that bills such usage."""
        days = sorted(set(closed) & layouts.keys())[-FACTOR_DAYS:]
        with_classes = [
            meaning
            for meaning in meanings.values()
            if meaning.target is not None and API_DATASETS[meaning.target.service].has_dimension("batch")
        ]
        targets = [(meaning.text, meaning.unit, meaning.target) for meaning in with_classes]
        evidence = {
            start: (layouts[start], [digests[name, start] for name, _ in layouts[start]], targets) for start in days
        }
        if self._factors[0] != evidence:
            self._read_rows(cursor, with_classes, layouts, evidence)
            rows = defaultdict[LineKey, list[_Row]](list)
            for start in days:
                for key, found in self._rows[start][1].items():
                    rows[key] += found
            self._factors = evidence, {key: measure_factors(_cells(found)) for key, found in rows.items()}
        return self._factors[1]

    def _read_rows(
        self,
        cursor: Connection,
        meanings: Sequence[LineMeaning],
        layouts: Mapping[int, Layout],
        evidence: Mapping[int, object],
    ) -> None:
        """Read the rows of costs of the days whose evidence has changed."""
        self._rows = {start: known for start, known in self._rows.items() if known[0] == evidence.get(start)}
        alike = defaultdict[Layout, list[int]](list)
        for start in evidence.keys() - self._rows.keys():
            alike[layouts[start]].append(start)
        for layout, starts in alike.items():
            rows: dict[int, dict[tuple[int, int], _Row]] = {start: {} for start in starts}
            found = usage_of_rows(cursor, day_costs(sorted(starts), layout, meanings)) if meanings else []
            for line, row, start, amount, batch, tier, used in found:
                entry = rows[start].setdefault((line, row), (start // DAY, amount, {}))
                entry[2][UsageClass(batch == "true", tier)] = int(used)
            for start, entries in rows.items():
                by_line = defaultdict[LineKey, list[_Row]](list)
                for (line, _), entry in entries.items():
                    by_line[meanings[line].text, meanings[line].unit].append(entry)
                self._rows[start] = evidence[start], by_line


def day_costs(
    starts: Sequence[int], layout: Layout, meanings: Iterable[LineMeaning], factors: Factors | None = None
) -> DayCosts:
    """Return what to attribute on days that are stored alike."""
    costs, usage = services_of(layout)
    return DayCosts(
        np.array(starts, np.int64), costs.dataset, costs.grain, usage, tuple(meanings), dict(factors or {})
    )


def _cells(entries: Sequence[_Row]) -> BilledCells:
    latest = sorted(entries, key=lambda entry: entry[0])[-MOST_CELLS:]
    used = {one for _, _, counts in latest for one in counts}
    classes = tuple(sorted(used, key=lambda one: (one.batch, one.tier or "")))
    amounts = np.empty(len(latest), np.object_)
    amounts[:] = [amount for _, amount, _ in latest]
    tokens = np.array([[counts.get(one, 0) for one in classes] for _, _, counts in latest], np.int64)
    days = np.array([day for day, _, _ in latest], np.int64)
    return BilledCells(days, amounts, classes, tokens.reshape(len(latest), len(classes)))
