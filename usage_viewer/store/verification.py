"""Queries for verification: bucket sums, broken identities, changes and contributions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.dataset import Dataset, Identity, is_extra
from usage_viewer.domain.figures import Number
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketRun, BucketWidth, Span
from usage_viewer.domain.verification import (
    BrokenIdentities,
    BrokenIdentity,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Sums,
    open_buckets,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import EXACT, plain
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.change_log import read_changes
from usage_viewer.store.engine.database import Connection, Database
from usage_viewer.store.engine.schema import combination_table, existing_tables, fact_table, quoted
from usage_viewer.store.unknown_fields import figure_of, widen

MOST_BREACHES = 1000
"""Breaches that are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which facts of a segment are meant, as SQL: what is joined to them, and the condition on bucket and row."""

    joining: str = ""
    cell: str = "combination"

    @property
    def condition(self) -> str:
        return f"bucket >= ? AND bucket < ? AND {self.cell} IN (SELECT id FROM chosen)"


class VerificationQueries:
    """Only reads. Every method may be called in any thread; each raises StoreError and Cancelled."""

    def __init__(
        self,
        database: Database,
        combinations: Callable[[str], DimensionIndex],
        held: Callable[[str], Mapping[BucketWidth, HeldBuckets]],
    ) -> None:
        self._database, self._combinations, self._held = database, combinations, held

    def sums(self, dataset: str, segments: Iterable[BucketRun], cancel: Cancellation | None = None) -> Sums:
        """Of each bucket of segments of one width that are held; exact."""
        data, sums = dataset_named(dataset), Sums()
        with self._database.cursor(cancel) as cursor, localcontext(EXACT):
            there = existing_tables(cursor)
            for segment in segments:
                sums.known.update(range(segment.start, segment.end, segment.width.seconds))
                if fact_table(data, segment.width) in there:
                    _add_sums(cursor, data, segment, sums)
        return sums

    def breaches(
        self,
        view: ViewState,
        coverage: Coverage,
        names: Names,
        cancel: Cancellation | None = None,
        most: int = MOST_BREACHES,
    ) -> BrokenIdentities:
        """Of the identities that the dataset claims, in the rows that the view reads and lets pass."""
        data = dataset_named(view.dataset_name)
        count, listed = 0, list[BrokenIdentity]()
        with self._database.cursor(cancel) as cursor:
            there = existing_tables(cursor)
            if combination_table(data) not in there or not data.identities:
                return BrokenIdentities()
            rows = self._choose(cursor, view, coverage, names, Cell())
            for segment in sorted(coverage.read, key=lambda item: -item.start):
                if fact_table(data, segment.width) not in there:
                    continue
                for identity, broken in zip(
                    data.identities, _count_broken(cursor, data, segment, rows), strict=True
                ):
                    count += broken
                    if broken and len(listed) < most:
                        listed += _list_broken(cursor, data, segment, rows, identity, most - len(listed))
        listed.sort(key=lambda breach: -breach.bucket.start)
        return BrokenIdentities(count, tuple(listed))

    def changes(self, dataset: str, span: Span | None, now: int, cancel: Cancellation | None = None) -> Changes:
        """What changed in the last 30 days in buckets that lie in `span`, or anywhere."""
        with self._database.cursor(cancel) as cursor:
            return read_changes(cursor, dataset_named(dataset), span, now)

    def origins(
        self,
        view: ViewState,
        coverage: Coverage,
        cell: Cell,
        metrics: Sequence[str],
        names: Names,
        cancel: Cancellation | None = None,
    ) -> list[BucketContribution]:
        """Every bucket of the cell's period, also those without rows of it, in their order."""
        data = view.dataset
        bounds = coverage.periods.bounds
        first, last = (0, len(bounds) - 1) if cell.period is None else (cell.period, cell.period + 1)
        low, high = int(bounds[first]), int(bounds[last])
        held, origins = self._held(data.name), list[BucketContribution]()
        with self._database.cursor(cancel) as cursor, localcontext(EXACT):
            there = existing_tables(cursor)
            rows = self._choose(cursor, view, coverage, names, cell)
            for segment in coverage.read:
                start, end = max(segment.start, low), min(segment.end, high)
                if start < end and fact_table(data, segment.width) in there:
                    part = BucketRun(segment.width, start, end)
                    fetched = held.get(segment.width, HeldBuckets.nothing())
                    origins += _origins(cursor, data, part, rows, metrics, fetched)
        return origins

    def _choose(self, cursor: Connection, view: ViewState, coverage: Coverage, names: Names, cell: Cell) -> _Rows:
        """Registers the combinations that the view lets pass and that are of the cell's groups."""
        combinations, rows = self._combinations(view.dataset_name), _Rows()
        if any(is_extra(dimension.name) for dimension in view.dataset.dimensions):
            widened = widen(cursor, view.dataset, coverage, combinations)
            cursor.register(widened.table, widened.columns)
            combinations, rows = widened.combinations, _Rows(widened.joining, widened.cell)
        chosen = combinations.passing(view, names)
        for name, value in cell.groups:
            codes = combinations.column(name)[: len(chosen)]
            values = combinations.values(name)
            chosen = chosen & (codes == (values.index(value) if value in values else -1))
        cursor.register("chosen", {"id": np.flatnonzero(chosen)})
        return rows


def _add_sums(cursor: Connection, data: Dataset, segment: BucketRun, sums: Sums) -> None:
    units = list(dict.fromkeys(metric.unit_from for metric in data.metrics if metric.unit_from))
    columns = [*(f"c.{quoted(unit)}" for unit in units), *(f"SUM({quoted(item.name)})" for item in data.metrics)]
    joining = f"JOIN {quoted(combination_table(data))} AS c ON combination = c.id" if units else ""
    rows = cursor.execute(
        f"SELECT bucket, {', '.join(columns)} FROM {quoted(fact_table(data, segment.width))} {joining}"
        " WHERE bucket >= ? AND bucket < ? GROUP BY ALL",
        [segment.start, segment.end],
    ).fetchall()
    for start, *values in rows:
        sums.busy.add(start)
        unit_of = dict(zip(units, values, strict=False))
        for metric, figure in zip(data.metrics, values[len(units) :], strict=True):
            if figure is not None:
                sums.add(start, metric.name, unit_of.get(metric.unit_from), figure)


def _parts(identity: Identity) -> str:
    return " + ".join(f"{quoted(part)}::HUGEINT" for part in identity.parts)


def _broken(identity: Identity) -> str:
    """A condition; null where a part isn't given."""
    return f"{quoted(identity.whole)} <> {_parts(identity)}"


def _count_broken(cursor: Connection, data: Dataset, segment: BucketRun, rows: _Rows) -> list[int]:
    counts = ", ".join(f"count_if({_broken(identity)})" for identity in data.identities)
    row = cursor.execute(
        f"SELECT {counts} FROM {quoted(fact_table(data, segment.width))} {rows.joining} WHERE {rows.condition}",
        [segment.start, segment.end],
    ).fetchall()[0]
    return [int(count or 0) for count in row]  # null where no row gives all parts


def _list_broken(
    cursor: Connection, data: Dataset, segment: BucketRun, rows: _Rows, identity: Identity, most: int
) -> list[BrokenIdentity]:
    dimensions = ", ".join(f"c.{quoted(dimension.name)}" for dimension in data.dimensions)
    found = cursor.execute(
        f"SELECT bucket, {quoted(identity.whole)}, {_parts(identity)}, {dimensions}"
        f" FROM {quoted(fact_table(data, segment.width))} JOIN {quoted(combination_table(data))} AS c"
        f" ON combination = c.id {rows.joining} WHERE {rows.condition} AND {_broken(identity)}"
        f" ORDER BY bucket DESC, combination LIMIT {most}",
        [segment.start, segment.end],
    ).fetchall()
    return [
        BrokenIdentity(identity, Bucket(start, segment.width), tuple(values), whole, int(parts))
        for start, whole, parts, *values in found
    ]


def _origins(
    cursor: Connection, data: Dataset, segment: BucketRun, rows: _Rows, metrics: Sequence[str], held: HeldBuckets
) -> list[BucketContribution]:
    known = {metric.name: metric for metric in data.metrics}
    columns = ", ".join(["count(*)", *(f"SUM({figure_of(known[name])})" for name in metrics)])
    summed = cursor.execute(
        f"SELECT bucket, {columns} FROM {quoted(fact_table(data, segment.width))} {rows.joining}"
        f" WHERE {rows.condition} GROUP BY bucket",
        [segment.start, segment.end],
    ).fetchall()
    found = {start: (count, tuple(_tidy(figure) for figure in figures)) for start, count, *figures in summed}
    starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
    fetched = held.find(starts)
    still = open_buckets(starts, segment.width, fetched).tolist()
    nothing: tuple[int, tuple[Number | None, ...]] = (0, (None,) * len(metrics))
    origins = []
    for start, when, may_grow in zip(starts.tolist(), fetched.tolist(), still, strict=True):
        count, figures = found.get(start, nothing)
        origins.append(BucketContribution(Bucket(start, segment.width), count, when, may_grow, figures))
    return origins


def _tidy(figure: Number | None) -> Number | None:
    return plain(figure) if isinstance(figure, Decimal) else figure
