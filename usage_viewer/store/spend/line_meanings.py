"""Finds out what line items mean and how batches and tiers are billed, again only after a change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.spend import Factor, LineMeaning, Match, Reason, UsageClass
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.factors import MOST_CELLS, BilledCells, measure_factors
from usage_viewer.query.spend.recognition import recognise
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.spend.attribution import DayCosts, usage_of_rows
from usage_viewer.store.spend.daily_sums import DAY, DailySums
from usage_viewer.store.spend.day_layout import Digests, Layout, services_of

FACTOR_DAYS = 28
"""Closed days whose rows of costs tell the relative prices of batches and tiers: the latest ones."""

Factors = Mapping[LineKey, Mapping[UsageClass, Factor]]


class LineMeanings:
    """Recognizes line items again only if the sums of closed days, or the line items, have changed."""

    def __init__(self) -> None:
        self._meanings: tuple[object, dict[LineKey, LineMeaning]] = (None, {})
        self._factors: tuple[object, Factors] = (None, {})

    def of(self, sums: DailySums, evidence: object) -> dict[LineKey, LineMeaning]:
        """Return the meaning of every line item; `evidence` is equal as long as the sums of closed days are."""
        keys = frozenset(key for lines in sums.lines.values() for key in lines)
        if self._meanings[0] != (evidence, keys):
            meanings = recognise(sums.billed, sums.usage)
            for text, unit in keys:
                if not text:
                    meanings[text, unit] = LineMeaning(text, unit, None, Match.NONE, Reason.UNRECOGNISED)
            self._meanings = (evidence, keys), meanings
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
        evidence = (
            [(start, [(name, digests[name, start]) for name, _ in layouts[start]]) for start in days],
            sorted(meanings.items(), key=str),
        )
        if self._factors[0] != evidence:
            self._factors = evidence, _measured(cursor, meanings, {start: layouts[start] for start in days})
        return self._factors[1]


def day_costs(
    starts: Sequence[int], layout: Layout, meanings: Iterable[LineMeaning], factors: Factors | None = None
) -> DayCosts:
    """Return what to attribute on days that are stored alike."""
    costs, usage = services_of(layout)
    return DayCosts(
        np.array(starts, np.int64), costs.dataset, costs.grain, usage, tuple(meanings), dict(factors or {})
    )


def _measured(
    cursor: Connection, meanings: Mapping[LineKey, LineMeaning], layouts: Mapping[int, Layout]
) -> Factors:
    with_classes = [
        meaning
        for meaning in meanings.values()
        if meaning.target is not None and API_DATASETS[meaning.target.service].has_dimension("batch")
    ]
    alike = defaultdict[Layout, list[int]](list)
    for start, layout in layouts.items():
        alike[layout].append(start)
    rows = defaultdict[LineKey, dict[tuple[int, int], tuple[int, int, dict[UsageClass, int]]]](dict)
    for number, (layout, starts) in enumerate(alike.items() if with_classes else ()):
        found = usage_of_rows(cursor, day_costs(starts, layout, with_classes))
        for line, row, start, amount, batch, tier, used in found:
            meaning = with_classes[line]
            entry = rows[meaning.text, meaning.unit].setdefault((number, row), (start // DAY, amount, {}))
            entry[2][UsageClass(batch == "true", tier)] = int(used)
    return {key: measure_factors(_cells([*entries.values()])) for key, entries in rows.items()}


def _cells(entries: Sequence[tuple[int, int, Mapping[UsageClass, int]]]) -> BilledCells:
    latest = sorted(entries, key=lambda entry: entry[0])[-MOST_CELLS:]
    used = {one for _, _, counts in latest for one in counts}
    classes = tuple(sorted(used, key=lambda one: (one.batch, one.tier or "")))
    amounts = np.empty(len(latest), np.object_)
    amounts[:] = [amount for _, amount, _ in latest]
    tokens = np.array([[counts.get(one, 0) for one in classes] for _, _, counts in latest], np.int64)
    days = np.array([day for day, _, _ in latest], np.int64)
    return BilledCells(days, amounts, classes, tokens.reshape(len(latest), len(classes)))
