"""Reads what is billed and what is used by line item and day, for the lists of differences and of prices."""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import API_DATASETS, COSTS
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import MEASURES, LineMeaning, Target, UsageClass
from usage_viewer.query.spend.billed_lines import BilledLine, LineKey
from usage_viewer.query.spend.daily_usage import DailyUsage
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import combination_table, fact_table
from usage_viewer.store.spend.daily_sums import DAY, DailySumsReader
from usage_viewer.store.spend.day_layout import (
    Layout,
    day_layouts,
    days_alike,
    known_layouts,
    read_digests,
    services_of,
)
from usage_viewer.store.spend.day_rows import measure_sql
from usage_viewer.store.spend.line_meanings import ByHand, ClosedDays, Factors, LineMeanings
from usage_viewer.store.store import Store

_DAYS = "bill_reader_days"


@dataclass(frozen=True, slots=True)
class BilledSum:
    """The sums of a line item's rows of costs on a day (day number since the epoch, UTC), in one currency.

    `quantity` is None if one of the `rows` rows has none.
    """

    day: int
    key: LineKey
    currency: str | None
    amount: Decimal
    quantity: Decimal | None
    rows: int


@dataclass(frozen=True, slots=True)
class StoredBill:
    """What is stored of the bill and the usage of some days. All days are day numbers since the epoch, UTC.

    `days` have costs; they are those of `sums`, `lines` and `usage`. `missing_usage` are the days on which the
    usage of a dataset is not stored, by its name. `meanings` and `factors` are those of every line item.
    `factors` and `used_by_class` are empty unless they were asked for.
    """

    days: tuple[int, ...]
    sums: Sequence[BilledSum]
    lines: Sequence[BilledLine]
    usage: DailyUsage
    missing_usage: Mapping[str, frozenset[int]]
    meanings: Mapping[LineKey, LineMeaning]
    factors: Factors
    used_by_class: Mapping[LineKey, Mapping[int, Mapping[UsageClass, int]]]
    """The usage that a line item bills by day and class, of line items whose usage may be in batches."""


class BillReader:
    """Reads the bill of stored days. It may be used by several threads, one after the other."""

    def __init__(self, store: Store, meanings: LineMeanings, by_hand: Callable[[], ByHand] = dict) -> None:
        self._store, self._lock, self._by_hand = store, threading.Lock(), by_hand
        self._sums, self._meanings = DailySumsReader(), meanings

    def read(
        self,
        starts: NDArray[np.int64],
        closed: NDArray[np.int64],
        services: Collection[str],
        cancel: Cancellation | None = None,
        *,
        with_factors: bool = False,
    ) -> StoredBill:
        """Read the days `starts` (epoch seconds); `closed` are the days that tell what line items mean.

        `services` are the names of usage datasets. `with_factors`: also read what prices need, which takes longer.
        Raises Cancelled, StoreError.
        """
        names = [name for dataset in (COSTS.name, *services) for name in self._store.stored_grains(dataset)]
        layouts = day_layouts(self._store, services, np.union1d(starts, closed))
        with self._lock, self._store.database.cursor(cancel or Cancellation()) as cursor:
            digests = read_digests(cursor, names)
            layouts = known_layouts(layouts, digests)
            chosen = [start for start in starts.tolist() if start in layouts]
            known = [start for start in closed.tolist() if start in layouts]
            days = ClosedDays(known, layouts, digests, self._sums.read(cursor, layouts, digests, known))
            meanings, factors = self._meanings.read(
                cursor, self._store.index, days, self._by_hand(), with_factors=with_factors
            )
            sums = self._sums.read(cursor, {start: layouts[start] for start in chosen}, digests, chosen)
            by_layout = days_alike(chosen, layouts)
            return StoredBill(
                tuple(start // DAY for start in chosen),
                [one for layout, alike in by_layout.items() for one in _billed_sums(cursor, layout, alike)],
                sums.billed,
                sums.usage,
                {name: _without(name, chosen, layouts) for name in services},
                meanings,
                factors,
                _used_by_class(cursor, by_layout, meanings) if with_factors else {},
            )


def _without(service: str, starts: Iterable[int], layouts: Mapping[int, Layout]) -> frozenset[int]:
    """Return the days on which the usage of a dataset is not stored."""
    return frozenset(
        start // DAY
        for start in starts
        if all(usage.service != service for usage in services_of(layouts[start])[1])
    )


def _billed_sums(cursor: Connection, layout: Layout, starts: Sequence[int]) -> list[BilledSum]:
    costs, _ = services_of(layout)
    text = "coalesce(cell.line_item, '')" if costs.dataset.has_dimension("line_item") else "''"
    unit = "cell.quantity_unit" if costs.dataset.has_dimension("quantity_unit") else "NULL::VARCHAR"
    cursor.register(_DAYS, {"start": np.array(starts, np.int64)})
    rows = cursor.execute(
        f"SELECT bucket, {text} AS text, {unit} AS unit, cell.currency, sum(amount), sum(quantity),"
        f" count(*), count(quantity) FROM {_facts(costs.dataset)} WHERE bucket IN (SELECT start FROM {_DAYS})"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    cursor.unregister(_DAYS)
    return [
        BilledSum(start // DAY, (line, of_unit), currency, amount, quantity if given == count else None, count)
        for start, line, of_unit, currency, amount, quantity, count, given in rows
        if amount is not None
    ]


def _used_by_class(
    cursor: Connection,
    by_layout: Mapping[Layout, Sequence[int]],
    meanings: Mapping[LineKey, LineMeaning],
) -> dict[LineKey, dict[int, dict[UsageClass, int]]]:
    """Return the usage by day and class of the line items whose usage may be in batches."""
    lines = defaultdict[str, list[tuple[LineKey, Target]]](list)
    for key, meaning in meanings.items():
        if meaning.target is not None:
            lines[meaning.target.service].append((key, meaning.target))
    used = defaultdict[LineKey, dict[int, dict[UsageClass, int]]](dict)
    for layout, starts in by_layout.items():
        for usage in services_of(layout)[1]:
            targets = lines.get(usage.service, [])
            measures = sorted({target.measure for _, target in targets})
            if not targets or not API_DATASETS[usage.service].has_dimension("batch"):
                continue
            for start, model, tier, batch, *counts in _class_rows(cursor, usage.dataset, starts, measures):
                one = UsageClass(batch == "true", tier)
                for key, target in targets:
                    count = counts[measures.index(target.measure)]
                    if count and _is_billed(target, model, tier):
                        classes = used[key].setdefault(start // DAY, {})
                        classes[one] = classes.get(one, 0) + int(count)
    return dict(used)


def _class_rows(
    cursor: Connection, dataset: Dataset, starts: Sequence[int], measures: Sequence[str]
) -> list[tuple[int, str | None, str | None, str, *tuple[int, ...]]]:
    groups = ("model", "service_tier", "batch")
    values = [f"cell.{name}" if dataset.has_dimension(name) else "NULL::VARCHAR" for name in groups]
    sums = [f"sum({measure_sql(MEASURES[name])})" for name in measures]
    cursor.register(_DAYS, {"start": np.array(starts, np.int64)})
    rows = cursor.execute(
        f"SELECT bucket, {', '.join([*values, *sums])} FROM {_facts(dataset)}"
        f" WHERE bucket IN (SELECT start FROM {_DAYS}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    cursor.unregister(_DAYS)
    return rows


def _is_billed(target: Target, model: str | None, tier: str | None) -> bool:
    """Report whether a line item with this target bills the usage of a model and a service tier."""
    if target.model is not None and model != target.model:
        return False
    return tier == target.tier if target.tier is not None else tier not in target.other_tiers


def _facts(dataset: Dataset) -> str:
    table, cells = quoted(fact_table(dataset, BucketWidth.DAY)), quoted(combination_table(dataset))
    return f"{table} JOIN {cells} AS cell ON cell.id = combination"
