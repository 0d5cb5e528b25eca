"""Sums costs by line item and usage by model, day by day, and remembers the sums of days that did not change."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grain import dataset_name, stored_dataset
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.spend import MEASURES, Measure
from usage_viewer.query.spend.billed_lines import BilledLine, LineKey
from usage_viewer.query.spend.daily_usage import DailyUsage, UsedSeries
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import combination_table, fact_table
from usage_viewer.store.spend.day_layout import Digests, Layout
from usage_viewer.store.spend.day_rows import measure_sql

DAY = BucketWidth.DAY.seconds

_Rows = Sequence[tuple[Any, ...]]

_ROWS_AT_A_TIME = 500
"""No other thread of Python runs while the engine converts rows: those of the window wait."""


@dataclass(frozen=True, slots=True)
class DailySums:
    """The sums of some days.

    `lines` are the line items of each day (its start, epoch seconds). `billed` and `usage` have the quantities and
    the usage of the closed days.
    """

    lines: Mapping[int, frozenset[LineKey]]
    billed: Sequence[BilledLine]
    usage: DailyUsage


class DailySumsReader:
    """Reads the sums of days; those of a day are read again only if its digest has changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[tuple[int, int], _Rows]] = {}

    def read(
        self, cursor: Connection, layouts: Mapping[int, Layout], digests: Digests, closed: Iterable[int]
    ) -> DailySums:
        """Return the sums of the days in `layouts`; `closed` are those that tell what line items mean."""
        costs, usage = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        for start, (bill, *services) in layouts.items():
            costs[bill[0]].append(start)
            for name, _ in services:
                usage[name].append(start)
        for name, starts in costs.items():
            self._refresh(cursor, name, starts, digests, _lines_sql)
        for name, starts in usage.items():
            self._refresh(cursor, name, starts, digests, _usage_sql)
        lines = {
            start: frozenset((text, unit) for text, unit, _ in self._known[layout[0][0], start][1])
            for start, layout in layouts.items()
        }
        days = sorted(set(closed) & layouts.keys())
        return DailySums(lines, self._billed(lines, days, layouts), self._usage(days, layouts))

    def _refresh(
        self,
        cursor: Connection,
        name: str,
        starts: Iterable[int],
        digests: Digests,
        sql: Callable[[Connection, Dataset], str],
    ) -> None:
        """Read the sums of the days that are not known, or have changed."""
        changed = [start for start in starts if self._known.get((name, start), (None,))[0] != digests[name, start]]
        if not changed:
            return
        cursor.register("spend_sum_days", {"start": np.array(changed, np.int64)})
        by_day = defaultdict[int, list[tuple[Any, ...]]](list)
        result = cursor.execute(sql(cursor, stored_dataset(name)))
        while rows := result.fetchmany(_ROWS_AT_A_TIME):
            for start, *row in rows:
                by_day[start].append(tuple(row))
        cursor.unregister("spend_sum_days")
        for start in changed:
            self._known[name, start] = digests[name, start], by_day.get(start, [])

    def _billed(
        self, lines: Mapping[int, frozenset[LineKey]], days: Iterable[int], layouts: Mapping[int, Layout]
    ) -> list[BilledLine]:
        quantities: dict[LineKey, dict[int, Decimal]] = {
            key: {} for keys in lines.values() for key in keys if key[0]
        }
        for start in days:
            for text, unit, quantity in self._known[layouts[start][0][0], start][1]:
                if text and quantity is not None:
                    quantities[text, unit][start // DAY] = quantity
        return [BilledLine(*key, quantities[key]) for key in sorted(quantities, key=str)]

    def _usage(self, days: Sequence[int], layouts: Mapping[int, Layout]) -> DailyUsage:
        place = {start: number for number, start in enumerate(days)}
        series: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
        names = {name for start in days for name, _ in layouts[start][1:]}
        services = {name: dataset_name(name) for name in names}
        measures = {name: applicable_measures(stored_dataset(service)) for name, service in services.items()}
        for start in days:
            for name, _ in layouts[start][1:]:
                for model, tier, *sums in self._known[name, start][1]:
                    metrics = series.setdefault((services[name], model, tier), {})
                    for measure, total in zip(measures[name], sums, strict=True):
                        if total:
                            if measure not in metrics:
                                metrics[measure] = np.zeros(len(days), np.int64)
                            metrics[measure][place[start]] = min(int(total), 2**62)
        return DailyUsage(
            np.array(days, np.int64) // DAY, [UsedSeries(*key, metrics) for key, metrics in series.items()]
        )


def applicable_measures(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the measures that rows of a dataset can have."""
    names = {metric.name for metric in dataset.metrics}
    return tuple(name for name, measure in MEASURES.items() if names.intersection((*measure.plus, measure.given)))


def _lines_sql(_: Connection, dataset: Dataset) -> str:
    return (
        "SELECT bucket, coalesce(line_item, '') AS text, quantity_unit, sum(quantity)"
        f" FROM {quoted(fact_table(dataset, BucketWidth.DAY))}"
        f" JOIN {quoted(combination_table(dataset))} AS cell ON cell.id = combination"
        " WHERE bucket IN (SELECT start FROM spend_sum_days) GROUP BY ALL"
        if dataset.has_dimension("line_item")
        else "SELECT DISTINCT bucket, '', quantity_unit, NULL::DECIMAL"
        f" FROM {quoted(fact_table(dataset, BucketWidth.DAY))}"
        f" JOIN {quoted(combination_table(dataset))} AS cell ON cell.id = combination"
        " WHERE bucket IN (SELECT start FROM spend_sum_days)"
    )


def _usage_sql(cursor: Connection, dataset: Dataset) -> str:
    groups = [name if dataset.has_dimension(name) else "NULL::VARCHAR" for name in ("model", "service_tier")]
    table = f"{quoted(fact_table(dataset, BucketWidth.DAY))} JOIN spend_sum_days ON bucket = start"
    names = [metric.name for metric in dataset.metrics]
    found = ", ".join(f"count({quoted(name)}) > 0, bool_or({quoted(name)} != 0)" for name in names)
    flags = cursor.execute(f"SELECT {found} FROM {table}").fetchall()[0]
    given = {name for name, flag in zip(names, flags[::2], strict=True) if flag}
    used = {name for name, flag in zip(names, flags[1::2], strict=True) if flag}
    sums = [_sum_sql(MEASURES[name], given, used) for name in applicable_measures(dataset)]
    return (
        f"SELECT bucket, {', '.join([*groups, *sums])} FROM {table}"
        f" JOIN {quoted(combination_table(dataset))} AS cell ON cell.id = combination GROUP BY ALL"
    )


def _sum_sql(measure: Measure, given: set[str], used: set[str]) -> str:
    """Return the SQL of the sum of a measure, without metrics that are null (not `given`) or 0 in every row."""
    plus, minus = (tuple(name for name in part if name in used) for part in (measure.plus, measure.minus))
    within = Measure(plus, minus, measure.given if measure.given in given else "")
    return f"sum({measure_sql(within)})" if plus or within.given else "0"
